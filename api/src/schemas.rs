//! The JSON schemas of responses, built from domain values, without database access.
//!
//! A field that the contract lists without `?` is always present, and `null` without a value.

pub mod account;
pub mod algorithm;
pub mod api_key;
pub mod column;
pub mod dataset;
pub mod event;
pub mod job;
pub mod job_action;
pub mod learning;
pub mod metrics;
pub mod model;
pub mod queue;
pub mod schedule;
pub mod spec;
pub mod webhook;

#[cfg(test)]
mod tests;
