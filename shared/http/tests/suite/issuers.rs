//! Tokens of outside issuers, refused and accepted by the letter, on a clock that the tests move.

mod accounts;
mod authjs;
mod claims;
mod gate;
mod headers;
mod provider;
mod rotation;
mod settings;
