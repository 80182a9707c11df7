//! Deletes expired rows, a bounded number of each kind per round.

use chrono::{DateTime, Utc};
use trainyard_artifacts::Key;
use trainyard_storage::{Expired, Retention};
use trainyard_telemetry::catalogue;

use super::{Sweep, SweepError, seconds};

/// Most batches of one kind per round, so that the other duties are not delayed.
const MAX_BATCHES: usize = 20;

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let config = &sweep.config;
    let age = |kept_s: u64| now - seconds(kept_s);
    // 0 keeps the rows for ever.
    let kept = |kept_s: u64| (kept_s > 0).then(|| age(kept_s));
    let finished = kept(config.keep_finished_s);
    for (kind, before) in [
        (Retention::IdempotencyKeys, Some(now)),
        (Retention::RefreshTokens, Some(now)),
        (Retention::KnownAddresses, Some(now)),
        (Retention::Webhooks, Some(age(sweep.webhooks.keep_s))),
        (Retention::Workers, Some(age(config.keep_workers_s.max(config.worker_dead_after_s)))),
        (Retention::Logs, kept(config.keep_logs_s)),
        (Retention::AuditEntries, kept(config.keep_audit_s)),
        (Retention::ScheduleRuns, kept(config.keep_schedule_runs_s)),
        (Retention::JobActions, kept(config.keep_actions_s)),
    ] {
        if let Some(before) = before {
            retire(sweep, kind, before).await?;
        }
    }
    if let Some(before) = finished {
        expire_unsuccessful(sweep, before).await?;
        expire_succeeded(sweep, before).await?;
    }
    Ok(())
}

async fn retire(sweep: &Sweep, kind: Retention, before: DateTime<Utc>) -> Result<(), SweepError> {
    let batch = sweep.config.expiry_batch.max(1);
    for _ in 0..MAX_BATCHES {
        let mut tx = sweep.db.write_autocommit().await?;
        let removed = tx.delete_expired(kind, before, batch).await?;
        tx.commit().await?;
        if removed < batch.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

async fn expire_unsuccessful(sweep: &Sweep, before: DateTime<Utc>) -> Result<(), SweepError> {
    let batch = sweep.config.expiry_batch.max(1);
    for _ in 0..MAX_BATCHES {
        let mut tx = sweep.db.begin().await?;
        let expired = tx.jobs().expire_unsuccessful(before, batch).await?;
        tx.commit().await?;
        let removed = expired.jobs;
        finish(sweep, expired).await;
        if removed < batch.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

/// Succeeded jobs with a model version are kept, so each round continues from the position of the last round, and starts over
/// at the end. Prediction jobs expire with their results.
async fn expire_succeeded(sweep: &mut Sweep, before: DateTime<Utc>) -> Result<(), SweepError> {
    for _ in 0..MAX_BATCHES {
        let (after, batch) = (sweep.state.expired, sweep.config.expiry_batch.max(1));
        let mut tx = sweep.db.begin().await?;
        let (expired, reached) = tx.jobs().expire_succeeded(before, after, batch).await?;
        tx.commit().await?;
        finish(sweep, expired).await;
        sweep.state.expired = reached;
        if reached.is_none() {
            break;
        }
    }
    Ok(())
}

/// Counts the deleted jobs, and deletes their objects. Objects that stay because the store is away are orphans.
async fn finish(sweep: &Sweep, expired: Expired) {
    let Expired { jobs: removed, objects } = expired;
    if removed > 0 {
        metrics::counter!(catalogue::JOBS_EXPIRED_TOTAL).increment(removed);
        tracing::info!(removed, "deleted expired jobs");
    }
    for key in objects.iter().filter_map(|key| Key::parse(key).ok()) {
        if let Err(error) = sweep.store.delete(&key).await {
            return tracing::debug!(%error, "the other results of expired jobs are left to the collection of orphans");
        }
    }
}
