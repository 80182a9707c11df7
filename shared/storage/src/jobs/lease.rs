//! Keeping the leases of runs, and hearing what was asked of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use trainyard_domain::JobId;
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::rows::{Each, among_runs, common_claim, for_ids, read_each, write_each};

/// What a worker hears of a lease it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The job.
    pub id: JobId,
    /// The claim that was named.
    pub claim: i64,
    /// Whether the claim still stands. If not, another run may have begun: stop this one at once.
    pub stands: bool,
    /// Whether somebody asked for the job to stop.
    pub cancel_requested: bool,
}

// No index names the lease and nothing else changes: to Postgres this is a change within the page.
macro_rules! renew {
    ($run:expr) => {
        concat!(
            "UPDATE jobs SET lease_expires_at = $2 WHERE ",
            $run,
            " AND worker = $1 AND status = 'running' RETURNING id, claim, cancel_requested_at IS NOT NULL"
        )
    };
}
const RENEW: Each = Each { postgres: renew!(among_runs!("$3", "$4", "$5")), sqlite: renew!("id = $4 AND claim = $5") };
// Whether the claim is the one that was named is seen when these are put in order.
const MARKS: Each =
    for_ids!("SELECT id, claim, cancel_requested_at IS NOT NULL FROM jobs WHERE id", "$1", " AND status = 'running'");

impl Jobs<'_> {
    /// Renews the leases `worker` holds, each named by job and claim; answers in the order given.
    ///
    /// # Errors
    /// As every query.
    pub async fn renew(
        &mut self,
        worker: &str,
        held: &[(JobId, i64)],
        lease_until: DateTime<Utc>,
    ) -> Result<Vec<Renewal>> {
        let common = common_claim(held);
        let rows: Vec<News> = write_each!(self.0, RENEW, [worker, lease_until, common], held, |run| [run.0.0, run.1])?;
        Ok(in_order(held, &rows))
    }

    /// What [`Jobs::renew`] would answer, by reading alone.
    ///
    /// # Errors
    /// As every query.
    pub async fn marks(&mut self, held: &[(JobId, i64)]) -> Result<Vec<Renewal>> {
        let rows: Vec<News> = read_each!(self.0, MARKS, [], held, |run| [run.0.0])?;
        Ok(in_order(held, &rows))
    }
}

/// A run that stands, by job and claim, and whether it was asked to stop.
type News = (Uuid, i64, bool);

fn in_order(held: &[(JobId, i64)], rows: &[News]) -> Vec<Renewal> {
    let standing: HashMap<_, _> = rows.iter().map(|(id, claim, cancel)| ((JobId(*id), *claim), *cancel)).collect();
    let renewal = |run: &(JobId, i64)| {
        let news = standing.get(run);
        Renewal {
            id: run.0,
            claim: run.1,
            stands: news.is_some(),
            cancel_requested: news.is_some_and(|cancel| *cancel),
        }
    };
    held.iter().map(renewal).collect()
}
