//! What every queue must do, tried on the one in memory and on the one in Redis; and what Redis may do to it.

mod conformance {
    mod faults;
    mod harness;
    mod order;
    mod outage;
    mod push;
    mod worker;
}
