//! Part of training.
