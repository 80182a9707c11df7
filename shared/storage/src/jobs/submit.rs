//! Bulk submission of jobs.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use trainyard_domain::Job;
use uuid::Uuid;

use super::{JobLimits, Jobs};
use crate::audit::AuditEntry;
use crate::bulk::{BulkStatement, execute_bulk, for_ids};
use crate::error::{Result, StorageError};
use crate::parse;
use crate::session::Session;
use crate::sql::with_timeout;
use crate::sqlite_session::SqliteSession;
use crate::tx::Inner;

macro_rules! insert_orders {
    ($rows:literal) => {
        concat!(
            "INSERT INTO job_orders (id, spec, model_name, algorithm, created_by, dataset_id, created_at, request_id, \
             traceparent) ",
            $rows
        )
    };
}
macro_rules! insert_jobs {
    ($rows:literal) => {
        concat!(
            "INSERT INTO jobs (id, status, created_by, priority, created_at, due, run_at, attempts, crashes, \
             interruptions, claim, progress, revision) ",
            $rows
        )
    };
}
macro_rules! add_to_owners {
    ($rows:literal) => {
        concat!(
            "INSERT INTO job_quotas (owner, active, most, closed) ",
            $rows,
            " ON CONFLICT (owner) DO UPDATE SET active = job_quotas.active + excluded.active, most = excluded.most"
        )
    };
}
// One statement inserts jobs, audit entries (`$11` to `$17`) and quotas (`$19` to `$21`). No part of the statement reads
// `quota_total`, so Postgres executes it last, together with `quotas`, on which it depends. So their rows are locked only
// during the commit. CHECK constraints of the two quota tables fail the statement if a limit is exceeded. A division by
// zero fails it after the deadline (`$24`): Postgres evaluates RETURNING last, after all lock waits.
const POSTGRES: &str = concat!(
    "WITH new AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], \
     $7::timestamptz[], $8::text[], $9::bigint[], $10::timestamptz[], $18::text[]) AS new (id, spec, model_name, \
     algorithm, created_by, dataset_id, created_at, request_id, priority, run_at, traceparent)), orders AS (",
    insert_orders!(
        "SELECT id, spec, model_name, algorithm, created_by, dataset_id, created_at, request_id, traceparent FROM new"
    ),
    "), entries AS (INSERT INTO audit_entries (id, at, actor, action, subject, request_id, detail) SELECT * FROM \
     unnest($11::uuid[], $12::timestamptz[], $13::uuid[], $14::text[], $15::text[], $16::text[], $17::text[])), quotas AS (",
    add_to_owners!(
        "SELECT owner, added, most, FALSE FROM unnest($19::uuid[], $20::bigint[], $21::bigint[]) AS demand (owner, added, most) \
         ORDER BY owner"
    ),
    " RETURNING owner), quota_total AS (",
    "UPDATE job_quota_total SET active = active + $22::bigint, most = $23::bigint \
     WHERE id = 1 AND $22 > 0 AND (SELECT COUNT(*) FROM quotas) >= 0 \
     RETURNING 1 / (clock_timestamp() <= $24::timestamptz)::int) ",
    insert_jobs!(
        "SELECT id, 'queued', created_by, priority, created_at, run_at <= created_at, run_at, 0, 0, 0, 0, 0, 1 FROM new"
    )
);
const SQLITE: &str = concat!(
    insert_orders!("VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $11)"),
    "; ",
    insert_jobs!("VALUES ($1, 'queued', $5, $9, $7, $10 <= $7, $10, 0, 0, 0, 0, 0, 1)")
);
const SQLITE_OWNERS: &str = add_to_owners!("VALUES ($1, $2, $3, FALSE)");
const SQLITE_TOTAL: &str = "UPDATE job_quota_total SET active = active + $1, most = $2 WHERE id = 1";
const DELETE_ORDERS: BulkStatement = for_ids!("DELETE FROM job_orders WHERE id", "$1", "");

/// The result of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submission {
    /// The jobs are inserted; commit the transaction.
    Stored,
    /// A limit is exceeded or a dataset is deleted. Call [`Jobs::admit`] in a new transaction to find the refused jobs.
    LimitReached,
    /// The deadline has passed.
    Late,
}

/// The increase of the quota rows of the owners and of the total.
#[derive(Default)]
struct Demand {
    /// Owner, number of jobs and limit, sorted by owner.
    owners: Vec<(Uuid, i64, i64)>,
    total: i64,
    most: i64,
    deadline: DateTime<Utc>,
}

impl Demand {
    fn of<J: Borrow<Job>>(jobs: &[J], limits: JobLimits, deadline: DateTime<Utc>) -> Self {
        let mut owners = BTreeMap::new();
        for job in jobs {
            let job: &Job = job.borrow();
            owners.entry(job.created_by.0).or_insert((0, limits.per_user)).0 += 1;
            owners.entry(job.dataset_id.0).or_insert((0, i64::MAX)).0 += 1;
        }
        let owners = owners.into_iter().map(|(owner, (added, most))| (owner, added, most)).collect();
        Self { owners, total: i64::try_from(jobs.len()).unwrap_or(i64::MAX), most: limits.total, deadline }
    }
}

impl Jobs<'_> {
    /// Inserts jobs from [`Job::submitted`], with their audit entries. [`Jobs::admit`] must have reserved their quota, unless
    /// no limit applies.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if an id exists.
    pub async fn submit<J: Borrow<Job>>(&mut self, jobs: &[J], entries: &[AuditEntry]) -> Result<()> {
        self.store(jobs, entries, &Demand::default()).await
    }

    /// As [`Jobs::submit`], within the upper bounds of the quotas. Drop the transaction unless the result is
    /// [`Submission::Stored`]. On Postgres nothing is stored after `deadline`, by the database's clock, also after lock
    /// waits. SQLite waits for its only lock before the transaction begins.
    pub async fn submit_within<J: Borrow<Job>>(
        &mut self,
        jobs: &[J],
        entries: &[AuditEntry],
        limits: JobLimits,
        deadline: DateTime<Utc>,
    ) -> Result<Submission> {
        match self.store(jobs, entries, &Demand::of(jobs, limits, deadline)).await {
            Ok(()) => Ok(Submission::Stored),
            Err(error) => refusal(&error).ok_or(error),
        }
    }

    async fn store<J: Borrow<Job>>(&mut self, jobs: &[J], entries: &[AuditEntry], demand: &Demand) -> Result<()> {
        self.0.check_may_write()?;
        let jobs: Vec<&Job> = jobs.iter().map(Borrow::borrow).collect();
        let specs = jobs.iter().map(|job| parse::spec_json(&job.spec)).collect::<Result<Vec<_>>>()?;
        match &mut self.0.inner {
            Inner::Postgres(session) => submit_together(session, &jobs, specs, entries, demand).await,
            Inner::Sqlite(session) => {
                submit_each(session, &jobs, &specs, demand).await?;
                self.0.audit().insert_many(entries).await
            }
        }
    }

    /// Deletes the `job_orders` rows of deleted jobs.
    pub(super) async fn delete_orders(&mut self, deleted: &[(Uuid,)]) -> Result<()> {
        if !deleted.is_empty() {
            execute_bulk!(self.0, DELETE_ORDERS, [], deleted, |job| [job.0])?;
        }
        Ok(())
    }
}

/// SQLSTATE `division_by_zero`.
const DIVISION_BY_ZERO: &str = "22012";

/// The result, if a check of the statement refused the submission.
fn refusal(error: &StorageError) -> Option<Submission> {
    let StorageError::Other(cause) = error else { return None };
    let cause = cause.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error)?;
    if cause.is_check_violation() {
        return Some(Submission::LimitReached);
    }
    (cause.code().as_deref() == Some(DIVISION_BY_ZERO)).then_some(Submission::Late)
}

async fn submit_together(
    session: &mut Session,
    jobs: &[&Job],
    specs: Vec<String>,
    entries: &[AuditEntry],
    demand: &Demand,
) -> Result<()> {
    let query = sqlx::query(POSTGRES)
        .persistent(session.prepares())
        .bind(array(jobs, |job| job.id.0))
        .bind(specs)
        .bind(array(jobs, |job| job.spec.name.as_str()))
        .bind(array(jobs, |job| job.spec.algorithm.as_str()))
        .bind(array(jobs, |job| job.created_by.0))
        .bind(array(jobs, |job| job.dataset_id.0))
        .bind(array(jobs, |job| job.created_at))
        .bind(array(jobs, |job| job.request_id.as_deref()))
        .bind(array(jobs, |job| job.spec.priority))
        .bind(array(jobs, |job| job.run_at))
        .bind(array(entries, |entry| entry.id))
        .bind(array(entries, |entry| entry.at))
        .bind(array(entries, |entry| entry.actor.map(|id| id.0)))
        .bind(array(entries, |entry| entry.action.as_str()))
        .bind(array(entries, |entry| entry.subject.as_str()))
        .bind(array(entries, |entry| entry.request_id.as_deref()))
        .bind(array(entries, |entry| entry.detail.to_string()))
        .bind(array(jobs, |job| job.traceparent.as_deref()))
        .bind(array(&demand.owners, |owner| owner.0))
        .bind(array(&demand.owners, |owner| owner.1))
        .bind(array(&demand.owners, |owner| owner.2))
        .bind(demand.total)
        .bind(demand.most)
        .bind(demand.deadline);
    let outcome = with_timeout(query.execute(&mut **session)).await;
    session.note(outcome)?;
    Ok(())
}

/// An array with one field of all items.
fn array<'i, T, F>(items: &'i [T], field: impl Fn(&'i T) -> F) -> Vec<F> {
    items.iter().map(field).collect()
}

async fn submit_each(session: &mut SqliteSession, jobs: &[&Job], specs: &[String], demand: &Demand) -> Result<()> {
    for (owner, added, most) in &demand.owners {
        let query = sqlx::query(SQLITE_OWNERS).bind(owner).bind(added).bind(most);
        let outcome = with_timeout(query.execute(session.connection()?)).await;
        session.note(outcome)?;
    }
    if demand.total > 0 {
        let query = sqlx::query(SQLITE_TOTAL).bind(demand.total).bind(demand.most);
        let outcome = with_timeout(query.execute(session.connection()?)).await;
        session.note(outcome)?;
    }
    for (job, spec) in jobs.iter().zip(specs) {
        let query = sqlx::query(SQLITE)
            .bind(job.id.0)
            .bind(spec)
            .bind(job.spec.name.as_str())
            .bind(job.spec.algorithm.as_str())
            .bind(job.created_by.0)
            .bind(job.dataset_id.0)
            .bind(job.created_at)
            .bind(job.request_id.as_deref())
            .bind(job.spec.priority)
            .bind(job.run_at)
            .bind(job.traceparent.as_deref());
        let outcome = with_timeout(query.execute(session.connection()?)).await;
        session.note(outcome)?;
    }
    Ok(())
}
