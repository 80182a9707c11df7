//! Samples the queue once a minute, for `GET /queue/history`.

use chrono::{DateTime, Utc};
use trainyard_storage::sample_time;

use super::{Sweep, SweepError};

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let at = sample_time(now);
    if sweep.state.sampled != Some(at) {
        let mut tx = sweep.db.begin().await?;
        tx.queue_history().sample(now).await?;
        tx.commit().await?;
        sweep.state.sampled = Some(at);
    }
    Ok(())
}
