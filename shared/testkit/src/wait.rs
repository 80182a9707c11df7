//! Waiting on a condition, with a bound: the only place in the tests where time passes for its own sake.

use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(20);

/// Blocks for so long: how long a fault lasts.
#[expect(clippy::disallowed_methods, reason = "blocking test code, while a fault does its work")]
pub fn hold(time: Duration) {
    std::thread::sleep(time);
}

/// The same for async code: what lies between two requests of a stream.
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Blocks until `met` gives a value; panics with `what` after `limit`.
#[expect(clippy::disallowed_methods, reason = "blocking test code, between two looks at a condition")]
pub fn wait_until<T>(what: &str, limit: Duration, mut met: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = met() {
            return value;
        }
        assert!(Instant::now() < deadline, "gave up after {limit:?} waiting until {what}");
        std::thread::sleep(STEP);
    }
}

/// The same for async code.
pub async fn eventually<T>(what: &str, limit: Duration, mut met: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = met().await {
            return value;
        }
        assert!(Instant::now() < deadline, "gave up after {limit:?} waiting until {what}");
        tokio::time::sleep(STEP).await;
    }
}
