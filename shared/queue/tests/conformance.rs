//! Behaviour of both queues, in memory and in Redis, and of the queue in Redis under faults.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod conformance {
    mod faults;
    mod harness;
    mod order;
    mod outage;
    mod several;
    mod subscriptions;
    mod worker;
}
