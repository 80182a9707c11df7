//! Clocks: the system's clock in production, a manual clock in tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, DurationRound, Utc};

/// A clock. Clones share the clock.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A manual clock at `start`. Only [`Clock::advance`] moves it.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Kind::Manual(Arc::new(AtomicI64::new(start.timestamp_micros()))))
    }

    /// The current time in microseconds, the precision of both databases.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Kind::System => {
                let now = Utc::now();
                now.duration_trunc(Duration::microseconds(1)).unwrap_or(now)
            }
            Kind::Manual(micros) => DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or_default(),
        }
    }

    /// Advances a manual clock. Does nothing on the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual(micros) = &self.0 {
            micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let shared = clock.clone();
        assert_eq!(clock.now(), clock.now());
        shared.advance(Duration::seconds(90));
        assert_eq!(clock.now().timestamp(), 90);
    }
}
