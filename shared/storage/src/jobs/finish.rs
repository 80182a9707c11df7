//! Writes of a run. Every write names the claim, so a run that lost its lease changes no row. Finishing a run requires a
//! transaction, because a failed job has rows in several tables.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use trainyard_domain::outcome::NextState;
use trainyard_domain::{JobId, JobStatus};

use super::Jobs;
use crate::error::Result;
use crate::sql::execute;

/// Applies a `NextState`. A job with a requested cancellation is cancelled instead of requeued, also if the request is newer
/// than the decision.
macro_rules! finish {
    ($tx:expr, $guard:literal, $id:expr, $claim:expr, $next:expr, $now:expr) => {
        execute!(
            $tx,
            concat!(
                "UPDATE jobs SET status = CASE WHEN $3 = 'queued' AND cancel_requested_at IS NOT NULL \
                 THEN 'cancelled' ELSE $3 END, attempts = $4, crashes = $5, interruptions = $6, \
                 run_at = COALESCE($7, run_at), due = COALESCE($7 <= $9 OR $7 <= created_at, TRUE), \
                 error = CASE WHEN $3 = 'queued' THEN COALESCE($8, error) ELSE $8 END, \
                 finished_at = CASE WHEN $3 = 'queued' AND cancel_requested_at IS NULL THEN NULL ELSE $9 END, \
                 started_at = CASE WHEN $3 = 'queued' AND cancel_requested_at IS NULL THEN NULL ELSE started_at END, \
                 progress = CASE WHEN $3 = 'queued' AND cancel_requested_at IS NULL THEN 0 ELSE progress END, \
                 phase = NULL, lease_expires_at = NULL, revision = revision + 1 \
                 WHERE id = $1 AND claim = $2 AND status = 'running'",
                $guard
            ),
            $id.0,
            $claim,
            $next.status.as_str(),
            $next.counts.attempts,
            $next.counts.crashes,
            $next.counts.interruptions,
            $next.run_at,
            $next.error.as_ref().map(Json),
            $now,
        )
    };
}

impl Jobs<'_> {
    /// Stores the progress (0 to 1) and the phase of a run. Returns `false` if the claim is no longer current.
    pub async fn set_progress(&mut self, id: JobId, claim: i64, progress: f64, phase: &str) -> Result<bool> {
        // SQLite would store NaN as NULL.
        let progress = if progress.is_nan() { 0.0 } else { progress.clamp(0.0, 1.0) };
        let changed = execute!(
            self.0,
            "UPDATE jobs SET progress = $3, phase = $4, revision = revision + 1 \
             WHERE id = $1 AND claim = $2 AND status = 'running'",
            id.0,
            claim,
            progress,
            phase,
        )?;
        Ok(changed == 1)
    }

    /// Finishes a run that published `model_version`, or the result of a prediction, in the same transaction. Returns `false`
    /// if the claim is no longer current or a cancellation was requested: drop the transaction, and what was published.
    pub async fn succeed(
        &mut self,
        id: JobId,
        claim: i64,
        metrics: &Value,
        model_version: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE jobs SET status = 'succeeded', metrics = $3, model_version = $4, finished_at = $5, progress = 1, \
             phase = NULL, error = NULL, lease_expires_at = NULL, revision = revision + 1 \
             WHERE id = $1 AND claim = $2 AND status = 'running' AND cancel_requested_at IS NULL",
            id.0,
            claim,
            Json(metrics),
            model_version,
            now,
        )?;
        Ok(changed == 1)
    }

    /// Finishes a run that published nothing as `trainyard_domain::outcome::next_state` decides: requeued, failed or cancelled. Returns
    /// `false` if the claim is no longer current.
    pub async fn finish_run(&mut self, id: JobId, claim: i64, next: &NextState, now: DateTime<Utc>) -> Result<bool> {
        let changed = finish!(self.0, "", id, claim, next, now)?;
        self.record_failure(id, next, changed == 1).await
    }

    /// As [`Jobs::finish_run`], for an expired lease. Returns `false` also if the worker has renewed the lease since
    /// [`Jobs::expired`]. The sweep must use this method.
    pub async fn finish_lost_run(
        &mut self,
        id: JobId,
        claim: i64,
        next: &NextState,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let changed = finish!(self.0, " AND lease_expires_at <= $9", id, claim, next, now)?;
        self.record_failure(id, next, changed == 1).await
    }

    /// Makes a failed job searchable by its error. Returns `finished`.
    async fn record_failure(&mut self, id: JobId, next: &NextState, finished: bool) -> Result<bool> {
        let error = next.error.as_ref().filter(|_| finished && next.status == JobStatus::Failed);
        if let Some(error) = error {
            self.record_failures(&[(id, error)]).await?;
        }
        Ok(finished)
    }
}
