//! Claiming a job and keeping its lease.

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId};

use super::Jobs;
use super::rows::JobRow;
use crate::error::Result;
use crate::rows::{Each, for_ids, write_each};
use crate::sql::{answered, execute, one, write_optional};
use crate::tx::Inner;

/// What a worker hears of a lease it tried to renew.
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

const CLAIM: Each = for_ids!(
    "UPDATE jobs SET status = 'running', claim = claim + 1, worker = $1, lease_expires_at = $3, \
     started_at = $2, finished_at = NULL, progress = 0, phase = NULL, revision = revision + 1 \
     WHERE id",
    "$4",
    " AND status = 'queued' AND run_at <= $2 AND cancel_requested_at IS NULL \
     AND NOT EXISTS (SELECT 1 FROM queue_state WHERE paused) RETURNING *"
);

impl Jobs<'_> {
    /// Starts one run, as [`Jobs::claim_many`]; `None` when the job is not there to claim.
    ///
    /// # Errors
    /// As every query.
    pub async fn claim(
        &mut self,
        id: JobId,
        worker: &str,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<Job>> {
        Ok(self.claim_many(&[id], worker, now, lease_until).await?.pop())
    }

    /// Starts runs: `queued → running` for `worker`, each under a new claim and a lease until `lease_until`. Answers those
    /// that were there to claim, in no order; the others were somebody else's, are not due, cancelled or ended, or the
    /// queue is paused.
    ///
    /// # Errors
    /// As every query.
    pub async fn claim_many(
        &mut self,
        ids: &[JobId],
        worker: &str,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Vec<Job>> {
        let rows: Vec<JobRow> = write_each!(self.0, CLAIM, [worker, now, lease_until], ids, |id| [id.0])?;
        rows.into_iter().map(JobRow::read).collect()
    }

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
        let mut renewals = Vec::with_capacity(held.len());
        for (id, claim) in held.iter().copied() {
            let row: Option<(Option<DateTime<Utc>>,)> = write_optional!(
                self.0,
                "UPDATE jobs SET lease_expires_at = $4 WHERE id = $1 AND claim = $2 AND worker = $3 \
                 AND status = 'running' RETURNING cancel_requested_at",
                id.0,
                claim,
                worker,
                lease_until,
            )?;
            let cancel_requested = matches!(row, Some((Some(_),)));
            renewals.push(Renewal { id, claim, stands: row.is_some(), cancel_requested });
        }
        Ok(renewals)
    }

    /// Whether claims are refused.
    ///
    /// # Errors
    /// As every query.
    pub async fn paused(&mut self) -> Result<bool> {
        let (paused,): (bool,) = one!(self.0, "SELECT paused FROM queue_state WHERE id = 1")?;
        Ok(paused)
    }

    /// The time as [`crate::Tx::now`] has it, and whether claims are refused: what every submission begins with.
    ///
    /// # Errors
    /// As every query.
    pub async fn now_and_paused(&mut self) -> Result<(DateTime<Utc>, bool)> {
        match &mut self.0.inner {
            Inner::Postgres(session) => {
                let both = sqlx::query_as("SELECT clock_timestamp(), paused FROM queue_state WHERE id = 1");
                answered(both.fetch_one(&mut **session)).await
            }
            Inner::Sqlite(..) => Ok((self.0.now().await?, self.paused().await?)),
        }
    }

    /// Stops or resumes claiming; running jobs go on. Ids that workers dropped while the queue was paused are sent
    /// again on resuming.
    ///
    /// # Errors
    /// As every query.
    pub async fn set_paused(&mut self, paused: bool) -> Result<()> {
        execute!(self.0, "UPDATE queue_state SET paused = $1 WHERE id = 1", paused)?;
        if !paused {
            execute!(
                self.0,
                "UPDATE jobs SET dispatched_at = NULL WHERE status = 'queued' AND dispatched_at IS NOT NULL",
            )?;
        }
        Ok(())
    }
}
