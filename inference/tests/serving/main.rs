//! The serving role over HTTP, on real SQLite, a real queue, real files and models trained for the occasion.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

mod answers;
mod bench;
mod models;
mod outages;
mod refusals;
mod swaps;
