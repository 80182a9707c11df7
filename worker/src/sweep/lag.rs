//! The lag of the sweep. Every process that may lead reports the lag from the leader's lease in the database, because there
//! may be no leader to report it.

use std::time::{Duration, Instant};

use trainyard_telemetry::catalogue;

/// The start of the last round of any leader.
pub(super) struct Lag {
    last_round: Instant,
}

impl Lag {
    /// Measures from `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self { last_round: now }
    }

    /// Sets the age of the last round at `now`, from the database; `None` if it is unknown.
    pub(super) fn observe(&mut self, now: Instant, ago: Option<Duration>) {
        if let Some(started) = ago.and_then(|ago| now.checked_sub(ago)) {
            self.last_round = started;
        }
    }

    /// Sets the gauge to the delay of the next round at `now`. Rounds start `every` apart.
    pub(super) fn report(&self, now: Instant, every: Duration) {
        metrics::gauge!(catalogue::SWEEP_LAG_SECONDS).set(self.delay(now, every).as_secs_f64());
    }

    fn delay(&self, now: Instant, every: Duration) -> Duration {
        now.saturating_duration_since(self.last_round).saturating_sub(every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_grows_without_a_leader_and_without_a_database() {
        let (start, every) = (Instant::now(), Duration::from_secs(1));
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut lag = Lag::new(start);
        assert_eq!(lag.delay(after(1), every), Duration::ZERO);
        lag.observe(after(10), None);
        assert_eq!(lag.delay(after(10), every), Duration::from_secs(9));
        lag.observe(after(11), Some(Duration::from_millis(500)));
        assert_eq!(lag.delay(after(11), every), Duration::ZERO);
        assert_eq!(lag.delay(after(14), every), Duration::from_millis(2_500));
    }
}
