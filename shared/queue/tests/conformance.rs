//! What every queue must do, tried on the one in memory and on the one in Redis; and what Redis may do to it.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod conformance {
    mod faults;
    mod harness;
    mod order;
    mod outage;
    mod push;
    mod several;
    mod worker;
}
