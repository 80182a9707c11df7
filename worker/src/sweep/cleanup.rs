//! Removes rows that have served: expired idempotency records, refresh tokens and known addresses, old webhooks, workers that went without a
//! word, jobs that ended long ago.

use chrono::{DateTime, Utc};
use trainyard_telemetry::catalogue;

use super::{Sweep, SweepError, seconds};

/// Batches of one round; what is left waits for the next, so that no duty starves the others.
const MAX_BATCHES: usize = 20;

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let mut tx = sweep.db.begin().await?;
    tx.idempotency().delete_expired(now).await?;
    tx.refresh_tokens().delete_expired(now).await?;
    tx.known_addresses().delete_expired(now).await?;
    tx.webhooks().delete_finished(now - seconds(sweep.config.webhooks.keep_s)).await?;
    // Long after they counted as dead, so that people can see in the list of workers what went away.
    tx.workers().remove_silent(now - seconds(sweep.config.worker_dead_after_s) * 10).await?;
    tx.commit().await?;
    if sweep.config.keep_finished_s > 0 {
        let before = now - seconds(sweep.config.keep_finished_s);
        expire_dead(sweep, before).await?;
        expire_succeeded(sweep, before).await?;
    }
    Ok(())
}

async fn expire_dead(sweep: &Sweep, before: DateTime<Utc>) -> Result<(), SweepError> {
    let batch = sweep.config.expiry_batch.max(1);
    for _ in 0..MAX_BATCHES {
        let mut tx = sweep.db.begin().await?;
        let removed = tx.jobs().expire_dead(before, batch).await?;
        tx.commit().await?;
        count(removed);
        if removed < batch.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

/// Those that stay are walked past again and again, so the walk goes on where the round before left it, and starts
/// over once it has come to the end.
async fn expire_succeeded(sweep: &mut Sweep, before: DateTime<Utc>) -> Result<(), SweepError> {
    for _ in 0..MAX_BATCHES {
        let (after, batch) = (sweep.state.expired, sweep.config.expiry_batch.max(1));
        let mut tx = sweep.db.begin().await?;
        let (removed, reached) = tx.jobs().expire_succeeded(before, after, batch).await?;
        tx.commit().await?;
        count(removed);
        sweep.state.expired = reached;
        if reached.is_none() {
            break;
        }
    }
    Ok(())
}

fn count(removed: u64) {
    if removed > 0 {
        metrics::counter!(catalogue::JOBS_EXPIRED_TOTAL).increment(removed);
        tracing::info!(removed, "removed jobs that ended long ago");
    }
}
