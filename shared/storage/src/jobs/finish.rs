//! What a run writes while it goes on and when it ends. Every write names the claim: a run whose lease was given to
//! another finds no row to change.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use trainyard_domain::JobId;
use trainyard_domain::outcome::Next;
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::rows::{Each, among_runs, common_claim, execute_each, read_each};
use crate::sql::execute;

/// Carries out a `Next`. A cancel mark that came after the caller looked still wins over going back to the queue.
macro_rules! end {
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

macro_rules! succeed_bare {
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
const SUCCEED_BARE: Each = Each {
    postgres: succeed_bare!("COALESCE($1, statement_timestamp())", among_runs!("$2", "$3", "$4")),
    sqlite: succeed_bare!("$1", "id = $3 AND claim = $4"),
};
macro_rules! succeeded {
    ($run:expr) => {
        concat!("SELECT id FROM jobs WHERE ", $run, " AND status = 'succeeded'")
    };
}
const SUCCEEDED: Each =
    Each { postgres: succeeded!(among_runs!("$1", "$2", "$3")), sqlite: succeeded!("id = $2 AND claim = $3") };

impl Jobs<'_> {
    /// Tells how far a run is: `progress` in 0..1 and the name of its phase. `false`: the claim no longer stands.
    ///
    /// # Errors
    /// As every query.
    pub async fn set_progress(&mut self, id: JobId, claim: i64, progress: f64, phase: &str) -> Result<bool> {
        // Not a number counts as not begun; SQLite would store it as NULL.
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

    /// Ends a run that published `model_version`, in the transaction that published it. `false`: the claim no longer
    /// stands, or somebody asked to cancel the job; so drop the transaction and the version with it.
    ///
    /// # Errors
    /// As every query.
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

    /// Ends runs that publish nothing as succeeded, each named by job and claim, `at` then or, told none, at the database's
    /// own time. Answers those that did, now or before; the claims of the others no longer stand.
    ///
    /// # Errors
    /// As every query.
    pub async fn succeed_bare(&mut self, runs: &[(JobId, i64)], at: Option<DateTime<Utc>>) -> Result<HashSet<JobId>> {
        let at = self.0.moment(at);
        let common = common_claim(runs);
        let changed = execute_each!(self.0, SUCCEED_BARE, [at, common], runs, |run| [run.0.0, run.1])?;
        if usize::try_from(changed) == Ok(runs.len()) {
            return Ok(runs.iter().map(|(id, _)| *id).collect());
        }
        // Seldom, and to have each row answered would take a good part of the time that ending it takes.
        let rows: Vec<(Uuid,)> = read_each!(self.0, SUCCEEDED, [common], runs, |run| [run.0.0, run.1])?;
        Ok(rows.into_iter().map(|(id,)| JobId(id)).collect())
    }

    /// Ends a run without a model, as decided by `trainyard_domain::outcome::after`: back to the queue, failed or
    /// cancelled. `false`: the claim no longer stands.
    ///
    /// # Errors
    /// As every query.
    pub async fn end_run(&mut self, id: JobId, claim: i64, next: &Next, now: DateTime<Utc>) -> Result<bool> {
        let changed = end!(self.0, "", id, claim, next, now)?;
        Ok(changed == 1)
    }

    /// As [`Jobs::end_run`], for a lease that ran out: `false` also when its worker came back and renewed it between
    /// [`Jobs::expired`] and now. The sweep ends lost runs with this, never with `end_run`.
    ///
    /// # Errors
    /// As every query.
    pub async fn end_lost_run(&mut self, id: JobId, claim: i64, next: &Next, now: DateTime<Utc>) -> Result<bool> {
        let changed = end!(self.0, " AND lease_expires_at <= $9", id, claim, next, now)?;
        Ok(changed == 1)
    }
}
