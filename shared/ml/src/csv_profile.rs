//! What an uploaded CSV holds.
