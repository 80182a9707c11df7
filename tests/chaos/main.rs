//! The chaos suite: real servers and processes, injected faults, and a log of all submissions.
//!
//! `rows` has a scenario for each row of the fault table that no other test covers, `complaints` one for each frequent
//! complaint about other queues. `storm` injects faults in seeded random order while jobs are submitted. `make test`
//! runs a short storm, `make chaos` a long one.

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
