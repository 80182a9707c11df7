//! Writes of a run. Every write names the claim, so a run that lost its lease changes no row.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use trainyard_domain::JobId;
use trainyard_domain::outcome::NextState;
use uuid::Uuid;

use super::Jobs;
use crate::bulk::{BulkStatement, common_claim, execute_bulk, fetch_bulk, is_run_in};
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

macro_rules! succeed_without_model {
    ($at:literal, $run:expr) => {
        concat!(
            "UPDATE jobs SET status = 'succeeded', finished_at = ",
            $at,
            ", progress = 1, phase = NULL, error = NULL, lease_expires_at = NULL, revision = revision + 1 WHERE ",
            $run,
            " AND status = 'running'"
        )
    };
}
const SUCCEED_BARE: BulkStatement = BulkStatement {
    postgres: succeed_without_model!("COALESCE($1, statement_timestamp())", is_run_in!("$2", "$3", "$4")),
    sqlite: succeed_without_model!("$1", "id = $3 AND claim = $4"),
};
macro_rules! succeeded {
    ($run:expr) => {
        concat!("SELECT id FROM jobs WHERE ", $run, " AND status = 'succeeded'")
    };
}
const SUCCEEDED: BulkStatement =
    BulkStatement { postgres: succeeded!(is_run_in!("$1", "$2", "$3")), sqlite: succeeded!("id = $2 AND claim = $3") };

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

    /// Finishes a run that published `model_version`, in the same transaction. Returns `false` if the claim is no longer
    /// current or a cancellation was requested: drop the transaction, and the version with it.
    pub async fn succeed(
        &mut self,
        id: JobId,
        claim: i64,
        metrics: &Value,
        model_version: i64,
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

    /// Finishes runs without a model as succeeded, at `at` or at the database's time. Runs are pairs of job and claim.
    /// Returns the jobs that succeeded, now or before; the claims of the others are no longer current.
    pub async fn succeed_without_model(
        &mut self,
        runs: &[(JobId, i64)],
        at: Option<DateTime<Utc>>,
    ) -> Result<HashSet<JobId>> {
        let at = self.0.statement_time(at);
        let common = common_claim(runs);
        let changed = execute_bulk!(self.0, SUCCEED_BARE, [at, common], runs, |run| [run.0.0, run.1])?;
        if usize::try_from(changed) == Ok(runs.len()) {
            return Ok(runs.iter().map(|(id, _)| *id).collect());
        }
        // Rare. Returning every row in the common case would be slow.
        let rows: Vec<(Uuid,)> = fetch_bulk!(self.0, SUCCEEDED, [common], runs, |run| [run.0.0, run.1])?;
        Ok(rows.into_iter().map(|(id,)| JobId(id)).collect())
    }

    /// Finishes a run without a model as `trainyard_domain::outcome::next_state` decides: requeued, failed or cancelled. Returns
    /// `false` if the claim is no longer current.
    pub async fn finish_run(&mut self, id: JobId, claim: i64, next: &NextState, now: DateTime<Utc>) -> Result<bool> {
        let changed = finish!(self.0, "", id, claim, next, now)?;
        Ok(changed == 1)
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
        Ok(changed == 1)
    }
}
