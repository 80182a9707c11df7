//! How late the sweep is. Every process that could sweep says so, from the leader's lease in the database: when nobody
//! leads, there is no leader to complain.

use std::time::{Duration, Instant};

use trainyard_telemetry::catalogue;

/// When the last round of the sweep began, whoever did it.
pub(super) struct Lag {
    began: Instant,
}

impl Lag {
    /// Counts from now.
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now }
    }

    /// The database says that at `now` the last round has begun `ago`; nothing, when it can't tell.
    pub(super) fn seen(&mut self, now: Instant, ago: Option<Duration>) {
        if let Some(began) = ago.and_then(|ago| now.checked_sub(ago)) {
            self.began = began;
        }
    }

    /// Tells at `now` how late the next round is, rounds being `every` apart.
    pub(super) fn tell(&self, now: Instant, every: Duration) {
        metrics::gauge!(catalogue::SWEEP_LAG_SECONDS).set(self.late(now, every).as_secs_f64());
    }

    fn late(&self, now: Instant, every: Duration) -> Duration {
        now.saturating_duration_since(self.began).saturating_sub(every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_grows_while_nobody_sweeps_and_nobody_can_tell() {
        let (start, every) = (Instant::now(), Duration::from_secs(1));
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut lag = Lag::new(start);
        assert_eq!(lag.late(after(1), every), Duration::ZERO);
        lag.seen(after(10), None);
        assert_eq!(lag.late(after(10), every), Duration::from_secs(9));
        lag.seen(after(11), Some(Duration::from_millis(500)));
        assert_eq!(lag.late(after(11), every), Duration::ZERO);
        assert_eq!(lag.late(after(14), every), Duration::from_millis(2_500));
    }
}
