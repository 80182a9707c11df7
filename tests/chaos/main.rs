//! The chaos suite: real servers and processes, broken on purpose, and a ledger of what was promised.
//!
//! `rows` has a scenario for each row of the fault table that no narrower test covers, `complaints` one for each thing
//! that users of other queues complain about; `storm` breaks everything in seeded random order under a stream of jobs.
//! `make test` runs a short storm, `make chaos` a long one.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod check;
mod complaints;
mod faults;
mod ledger;
mod load;
mod report;
mod rig;
mod rows;
mod storm;
