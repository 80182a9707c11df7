//! The serving role over HTTP, on real SQLite, a real queue, real files and models trained for the occasion.

mod answers;
mod bench;
mod models;
mod outages;
mod refusals;
mod swaps;
