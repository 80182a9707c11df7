//! Claims of jobs.

use chrono::{DateTime, Duration, Utc};
use trainyard_domain::{Job, JobId};

use super::Jobs;
use super::rows::{JobRow, all_columns, job_columns};
use crate::bulk::{BulkStatement, execute_bulk, for_ids, write_bulk};
use crate::error::Result;
use crate::stored::{Id, Split, Stored, split};

macro_rules! claim {
    ($at:literal, $until:literal, $which:literal, $answer:expr) => {
        concat!(
            "UPDATE jobs SET status = 'running', due = TRUE, claim = claim + 1, worker = $1, started_at = ",
            $at,
            ", lease_expires_at = ",
            $until,
            ", finished_at = NULL, progress = 0, phase = NULL, revision = revision + 1 ",
            $which,
            " AND status = 'queued' AND run_at <= ",
            $at,
            " AND cancel_requested_at IS NULL AND NOT EXISTS (SELECT 1 FROM queue_state WHERE paused) RETURNING ",
            $answer
        )
    };
}
// On SQLite RETURNING needs subqueries for another table. SQLite always gets the time, so `$4` is unused.
const CLAIM: BulkStatement = BulkStatement {
    postgres: claim!(
        "COALESCE($2, statement_timestamp())",
        "COALESCE($3, statement_timestamp() + $4::bigint * interval '1 microsecond')",
        "FROM job_orders WHERE jobs.id = ANY ($5) AND job_orders.id = jobs.id",
        all_columns!()
    ),
    sqlite: claim!(
        "$2",
        "$3",
        "WHERE id = $5",
        concat!(
            job_columns!(),
            ", (SELECT spec FROM job_orders WHERE id = jobs.id) AS spec, \
             (SELECT dataset_id FROM job_orders WHERE id = jobs.id) AS dataset_id, \
             (SELECT request_id FROM job_orders WHERE id = jobs.id) AS request_id, \
             (SELECT traceparent FROM job_orders WHERE id = jobs.id) AS traceparent"
        )
    ),
};

/// Delay before an unreadable job is claimed again.
const RETRY_UNREADABLE: Duration = Duration::minutes(1);

const PUT_BACK: BulkStatement = for_ids!(
    "UPDATE jobs SET status = CASE WHEN cancel_requested_at IS NULL THEN 'queued' ELSE 'cancelled' END, \
     finished_at = CASE WHEN cancel_requested_at IS NULL THEN NULL ELSE $2 END, \
     run_at = $3, due = $3 <= created_at, started_at = NULL, lease_expires_at = NULL, revision = revision + 1 \
     WHERE worker = $1 AND status = 'running' AND id",
    "$4",
    ""
);

impl Jobs<'_> {
    /// Claims one job, as [`Jobs::claim_many`].
    pub async fn claim(
        &mut self,
        id: JobId,
        worker: &str,
        at: Option<DateTime<Utc>>,
        lease: Duration,
    ) -> Result<Option<Job>> {
        Ok(self.claim_many(&[id], worker, at, lease).await?.pop())
    }

    /// Claims jobs for `worker` (`queued → running`), each with a new claim and a lease. The runs start at `at`, or at the
    /// database's time. Returns the claimed jobs, in no order. A job is not claimed if another worker has it, if it is not
    /// due or not queued, or if the queue is paused.
    ///
    /// An unreadable job returns to the queue for a minute, because a worker of another version may be able to read it.
    pub async fn claim_many(
        &mut self,
        ids: &[JobId],
        worker: &str,
        at: Option<DateTime<Utc>>,
        lease: Duration,
    ) -> Result<Vec<Job>> {
        let at = self.0.statement_time(at);
        // An overflow means no expiry.
        let until = at.map(|at| at.checked_add_signed(lease).unwrap_or(DateTime::<Utc>::MAX_UTC));
        let micros = lease.num_microseconds().unwrap_or(i64::MAX);
        let rows: Vec<Stored<JobRow>> = write_bulk!(self.0, CLAIM, [worker, at, until, micros], ids, |id| [id.0])?;
        let Split { values: jobs, unreadable } = split(rows);
        if !unreadable.is_empty() {
            let ids: Vec<Id> = unreadable.into_iter().map(|(id, _)| id).collect();
            self.put_back(&ids, worker, at).await?;
        }
        Ok(jobs)
    }

    /// Returns unreadable jobs to the queue. A job with a requested cancellation is cancelled.
    async fn put_back(&mut self, ids: &[Id], worker: &str, at: Option<DateTime<Utc>>) -> Result<()> {
        let now = match at {
            Some(at) => at,
            None => self.0.now().await?,
        };
        execute_bulk!(self.0, PUT_BACK, [worker, now, now + RETRY_UNREADABLE], ids, |id| [id.0])?;
        Ok(())
    }
}
