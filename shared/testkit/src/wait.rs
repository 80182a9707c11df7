//! Waiting for conditions with a timeout. No other module of the tests sleeps.

use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(20);

/// Blocks for the duration of a fault.
#[expect(clippy::disallowed_methods, reason = "blocking test code for the duration of a fault")]
pub fn sleep_blocking(time: Duration) {
    std::thread::sleep(time);
}

/// Waits for the interval between two requests.
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Blocks until `condition` returns a value. Panics with `what` after `limit`.
#[expect(clippy::disallowed_methods, reason = "blocking test code between two evaluations of a condition")]
pub fn wait_until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "gave up after {limit:?} waiting until {what}");
        std::thread::sleep(STEP);
    }
}

/// The async variant of [`wait_until`].
pub async fn eventually<T>(what: &str, limit: Duration, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "gave up after {limit:?} waiting until {what}");
        tokio::time::sleep(STEP).await;
    }
}
