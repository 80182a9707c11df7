//! Tries again while the database or the object store is away: for how long, and how often.

use std::time::{Duration, Instant};

use trainyard_domain::outcome::backoff;

/// A pause between two tries is never longer than this, so that work goes on soon after an outage.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How much longer one piece of work may be tried.
pub(crate) struct Patience {
    until: Option<Instant>,
    tries: i64,
}

impl Patience {
    /// Patience for `limit` from now.
    pub(crate) fn new(limit: Duration) -> Self {
        Self { until: Some(Instant::now() + limit), tries: 0 }
    }

    /// Patience without end.
    pub(crate) fn endless() -> Self {
        Self { until: None, tries: 0 }
    }

    /// Waits before the next try; `false`, at once, when there is none.
    pub(crate) async fn wait(&mut self) -> bool {
        self.tries += 1;
        // Retries of many runs after one outage must not come together: half of each pause is drawn.
        let pause = backoff(self.tries, 0.25 + 0.25 * rand::random::<f64>());
        let pause = pause.to_std().unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
        if self.until.is_some_and(|until| Instant::now() + pause > until) {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}
