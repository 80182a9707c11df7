//! Finishes no-op jobs, for benchmarks of the queue.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use trainyard_domain::JobId;
use uuid::Uuid;

use super::Jobs;
use crate::bulk::{BulkStatement, common_claim, execute_bulk, fetch_bulk, is_run_in};
use crate::error::Result;

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
const SUCCEED_WITHOUT_MODEL: BulkStatement = BulkStatement {
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
    /// Finishes runs without a model as succeeded, at `at` or at the database's time. Runs are pairs of job and claim.
    /// Returns the jobs that succeeded, now or before; the claims of the others are no longer current.
    pub async fn succeed_without_model(
        &mut self,
        runs: &[(JobId, i64)],
        at: Option<DateTime<Utc>>,
    ) -> Result<HashSet<JobId>> {
        let at = self.0.statement_time(at);
        let common = common_claim(runs);
        let changed = execute_bulk!(self.0, SUCCEED_WITHOUT_MODEL, [at, common], runs, |run| [run.0.0, run.1])?;
        if usize::try_from(changed) == Ok(runs.len()) {
            return Ok(runs.iter().map(|(id, _)| *id).collect());
        }
        // Rare. Returning every row in the common case would be slow.
        let rows: Vec<(Uuid,)> = fetch_bulk!(self.0, SUCCEEDED, [common], runs, |run| [run.0.0, run.1])?;
        Ok(rows.into_iter().map(|(id,)| JobId(id)).collect())
    }
}
