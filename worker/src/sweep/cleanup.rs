//! Removes rows that have served: expired idempotency records and refresh tokens, old webhooks, workers that went
//! without a word.

use chrono::{DateTime, Utc};

use super::{Sweep, SweepError, seconds};

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let mut tx = sweep.db.begin().await?;
    tx.idempotency().delete_expired(now).await?;
    tx.refresh_tokens().delete_expired(now).await?;
    tx.webhooks().delete_finished(now - seconds(sweep.config.webhooks.keep_s)).await?;
    // Long after they counted as dead, so that people can see in the list of workers what went away.
    tx.workers().remove_silent(now - seconds(sweep.config.worker_dead_after_s) * 10).await?;
    tx.commit().await?;
    Ok(())
}
