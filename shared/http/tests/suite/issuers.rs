//! Tokens of external issuers, on a manual clock.

mod accounts;
mod authjs;
mod claims;
mod fixture;
mod headers;
mod provider;
mod rotation;
mod settings;
mod signing_key;
