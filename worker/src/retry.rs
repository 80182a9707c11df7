//! Retries with backoff while the database or the object store is away.

use std::time::{Duration, Instant};

use trainyard_domain::outcome::backoff;

/// The longest pause between two attempts, so that work continues soon after an outage.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Paces the attempts of one operation.
pub(crate) struct Retry {
    deadline: Option<Instant>,
    attempts: i64,
}

impl Retry {
    /// Retries for `limit` from now.
    pub(crate) fn for_at_most(limit: Duration) -> Self {
        Self { deadline: Some(Instant::now() + limit), attempts: 0 }
    }

    /// Retries without a deadline.
    pub(crate) fn without_limit() -> Self {
        Self { deadline: None, attempts: 0 }
    }

    /// Waits before the next attempt. Returns `false` at once if the wait would pass the deadline.
    pub(crate) async fn wait(&mut self) -> bool {
        self.attempts += 1;
        // Jitter of up to half of the pause keeps many runs from retrying at the same moment.
        let pause = backoff(self.attempts, 0.25 + 0.25 * rand::random::<f64>());
        let pause = pause.to_std().unwrap_or(MAX_PAUSE).min(MAX_PAUSE);
        if self.deadline.is_some_and(|deadline| Instant::now() + pause > deadline) {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}
