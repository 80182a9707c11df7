//! Finds out that the queue has lost ids, and forgets that they were sent: the next dispatch sends them again. An id
//! that was not lost after all is then in the queue twice, and its second claim finds nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Sweep, SweepError};

/// What a leader knows of the queue. A new one knows nothing, and so takes every id for lost.
#[derive(Default)]
pub(super) struct Known {
    epoch: Option<String>,
    paused: bool,
}

impl Known {
    /// Ids were marked as sent that may not have been.
    pub(super) fn lose(&mut self) {
        self.epoch = None;
    }
}

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let epoch = sweep.queue.epoch().await?;
    let oldest = sweep.queue.oldest().await?;
    let mut tx = sweep.db.begin().await?;
    let paused = tx.jobs().paused().await?;
    // While the queue is paused, workers drop the ids they are given: after it they are all gone.
    let lost = sweep.state.known.epoch.as_ref() != Some(&epoch) || (sweep.state.known.paused && !paused);
    let mut forgotten = 0;
    for (class, age) in oldest {
        let margin = Duration::from_secs(sweep.config.redispatch_after_s);
        let before = if lost { now } else { astray_before(now, age.unwrap_or_default(), margin) };
        forgotten += tx.jobs().forget_dispatches(class, before).await?;
    }
    tx.commit().await?;
    sweep.state.known = Known { epoch: Some(epoch), paused };
    if forgotten > 0 {
        tracing::info!(jobs = forgotten, "the queue may have lost these jobs' ids; sending them again");
    }
    Ok(())
}

/// Ids leave in the order they came: whatever was sent well before the oldest one there, and still waits for a worker, went
/// astray. An empty class counts from now; a margin past all time finds nothing.
fn astray_before(now: DateTime<Utc>, oldest: Duration, margin: Duration) -> DateTime<Utc> {
    let age = chrono::Duration::from_std(oldest.saturating_add(margin)).unwrap_or(chrono::Duration::MAX);
    now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC).max(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_past_all_time_finds_nothing_and_breaks_nothing() {
        let now = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let before = |oldest, margin| astray_before(now, Duration::from_secs(oldest), Duration::from_secs(margin));
        assert_eq!(before(5, 10), now - chrono::Duration::seconds(15));
        for margin in [u64::MAX, u64::MAX / 1_000, 1_000_000_000_000] {
            assert_eq!(before(5, margin), DateTime::UNIX_EPOCH);
        }
    }
}
