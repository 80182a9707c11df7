//! Leases of runs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use trainyard_domain::JobId;
use uuid::Uuid;

use super::Jobs;
use crate::bulk::{BulkStatement, common_claim, fetch_bulk, for_ids, is_run_in, write_bulk};
use crate::error::Result;
use crate::sql::execute;

/// The state of a worker's lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The job.
    pub id: JobId,
    /// The claim of the run.
    pub claim: i64,
    /// Whether the claim is current. If not, stop the run: another run may have started.
    pub is_current: bool,
    /// Whether a user requested the cancellation.
    pub cancel_requested: bool,
}

// No index contains the lease, so Postgres performs a HOT update.
macro_rules! renew {
    ($run:expr) => {
        concat!(
            "UPDATE jobs SET lease_expires_at = $2 WHERE ",
            $run,
            " AND worker = $1 AND status = 'running' RETURNING id, claim, cancel_requested_at IS NOT NULL"
        )
    };
}
const RENEW: BulkStatement =
    BulkStatement { postgres: renew!(is_run_in!("$3", "$4", "$5")), sqlite: renew!("id = $4 AND claim = $5") };
// `in_order` compares the claims.
const CHECK: BulkStatement =
    for_ids!("SELECT id, claim, cancel_requested_at IS NOT NULL FROM jobs WHERE id", "$1", " AND status = 'running'");

impl Jobs<'_> {
    /// Renews the leases of a worker's runs, which are pairs of job and claim. Returns the state of each, in order.
    pub async fn renew(
        &mut self,
        worker: &str,
        runs: &[(JobId, i64)],
        lease_until: DateTime<Utc>,
    ) -> Result<Vec<Renewal>> {
        let common = common_claim(runs);
        let rows: Vec<LeaseRow> =
            write_bulk!(self.0, RENEW, [worker, lease_until, common], runs, |run| [run.0.0, run.1])?;
        Ok(in_order(runs, &rows))
    }

    /// The result of [`Jobs::renew`], without a renewal.
    pub async fn check_leases(&mut self, runs: &[(JobId, i64)]) -> Result<Vec<Renewal>> {
        let rows: Vec<LeaseRow> = fetch_bulk!(self.0, CHECK, [], runs, |run| [run.0.0])?;
        Ok(in_order(runs, &rows))
    }

    /// Locks the row of a job, so that no other run can start before the commit. Returns `false` if the claim is no longer
    /// current.
    pub(crate) async fn hold(&mut self, job: JobId, claim: i64) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE jobs SET claim = claim WHERE id = $1 AND claim = $2 AND status = 'running'",
            job.0,
            claim,
        )?;
        Ok(changed == 1)
    }
}

/// Job and claim of a current run, and whether its cancellation was requested.
type LeaseRow = (Uuid, i64, bool);

fn in_order(runs: &[(JobId, i64)], rows: &[LeaseRow]) -> Vec<Renewal> {
    let current: HashMap<_, _> = rows.iter().map(|(id, claim, cancel)| ((JobId(*id), *claim), *cancel)).collect();
    let renewal = |run: &(JobId, i64)| {
        let row = current.get(run);
        Renewal {
            id: run.0,
            claim: run.1,
            is_current: row.is_some(),
            cancel_requested: row.is_some_and(|cancel| *cancel),
        }
    };
    runs.iter().map(renewal).collect()
}
