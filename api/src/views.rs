//! The JSON shapes of the contract, built from domain values. Pure: no database, no request.
//!
//! A field that the contract lists without `?` is always there, `null` where there is no value.

pub mod account;
pub mod algorithm;
pub mod dataset;
pub mod event;
pub mod job;
pub mod model;
pub mod queue;
pub mod schedule;
pub mod spec;
pub mod webhook;

#[cfg(test)]
mod tests;
