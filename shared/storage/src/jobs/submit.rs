//! Bulk submission of jobs.
//!
//! On Postgres there are two statements. [`RESERVING`] adds to the quota rows, which locks them exclusively until the
//! commit. [`WITHIN_CREDIT`] needs a reservation of this process and only takes shared locks. See [`super::quota_credit`].

use std::borrow::Borrow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use trainyard_domain::Job;
use uuid::Uuid;

use super::quota_credit::{QuotaCredit, Reservation, Reserved, TOTAL};
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
             traceparent, kind) ",
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
macro_rules! insert_audit_entries {
    ($rows:literal) => {
        concat!(
            "INSERT INTO audit_entries (id, at, actor, action, subject, request_id, detail) ",
            $rows,
            "unnest($11::uuid[], $12::timestamptz[], $13::uuid[], $14::text[], $15::text[], $16::text[], $17::text[]) \
             AS entry (id, at, actor, action, subject, request_id, detail)"
        )
    };
}
macro_rules! new_jobs {
    () => {
        "unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::text[], \
         $9::bigint[], $10::timestamptz[], $18::text[], $19::text[]) AS new (id, spec, model_name, algorithm, created_by, \
         dataset_id, created_at, request_id, priority, run_at, traceparent, kind)"
    };
}
macro_rules! insert_new_orders {
    () => {
        insert_orders!(
            "SELECT id, spec, model_name, algorithm, created_by, dataset_id, created_at, request_id, traceparent, kind \
             FROM new"
        )
    };
}
macro_rules! insert_new_jobs {
    () => {
        insert_jobs!(
            "SELECT id, 'queued', created_by, priority, created_at, run_at <= created_at, run_at, 0, 0, 0, 0, 0, 1 FROM new"
        )
    };
}
// One statement locks the quota rows (`$20` to `$24`) and inserts jobs and audit entries (`$11` to `$17`). CHECK constraints
// of the two quota tables fail the statement if a limit is exceeded. A division by zero fails it after the deadline (`$25`):
// Postgres evaluates RETURNING after the lock wait.
const RESERVING: &str = concat!(
    "WITH new AS (SELECT * FROM ",
    new_jobs!(),
    "), orders AS (",
    insert_new_orders!(),
    "), entries AS (",
    insert_audit_entries!("SELECT entry.* FROM "),
    "), jobs AS (",
    insert_new_jobs!(),
    "), quotas AS (",
    add_to_owners!(
        "SELECT owner, added, most, FALSE FROM unnest($20::uuid[], $21::bigint[], $22::bigint[]) AS demand (owner, added, most) \
         ORDER BY owner"
    ),
    " RETURNING owner, active, epoch), quota_total AS (",
    "UPDATE job_quota_total SET active = active + $23::bigint, most = $24::bigint \
     WHERE id = 1 AND $23 > 0 AND (SELECT COUNT(*) FROM quotas) >= 0 \
     RETURNING active, epoch, 1 / (clock_timestamp() <= $25::timestamptz)::int) ",
    "SELECT owner, active, epoch FROM quotas \
     UNION ALL SELECT '00000000-0000-0000-0000-000000000000'::uuid, active, epoch FROM quota_total"
);
// Inserts nothing if a quota row has another epoch or is closed. A NULL epoch matches any: dataset versions have no limit.
// Shared locks are taken before the inserts, in the same order as exclusive ones. `in_time` is evaluated after the locks.
const WITHIN_CREDIT: &str = concat!(
    "WITH locked AS (SELECT quota.owner FROM job_quotas quota \
     JOIN unnest($20::uuid[], $21::bigint[]) AS credit (owner, epoch) ON quota.owner = credit.owner \
     WHERE NOT quota.closed AND (credit.epoch IS NULL OR quota.epoch = credit.epoch) ORDER BY quota.owner FOR SHARE OF quota), \
     total AS (SELECT id FROM job_quota_total WHERE id = 1 AND epoch = $22::bigint \
     AND (SELECT COUNT(*) FROM locked) = CARDINALITY($20::uuid[]) FOR SHARE), \
     admitted AS (SELECT 1 / (clock_timestamp() <= $23::timestamptz)::int AS in_time FROM total), \
     new AS (SELECT new.* FROM admitted, ",
    new_jobs!(),
    " WHERE in_time = 1), orders AS (",
    insert_new_orders!(),
    "), entries AS (",
    insert_audit_entries!("SELECT entry.* FROM admitted, "),
    ") ",
    insert_new_jobs!(),
);
const SQLITE: &str = concat!(
    insert_orders!("VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $11, $12)"),
    "; ",
    insert_jobs!("VALUES ($1, 'queued', $5, $9, $7, $10 <= $7, $10, 0, 0, 0, 0, 0, 1)")
);
const SQLITE_OWNERS: &str = add_to_owners!("VALUES ($1, $2, $3, FALSE)");
const SQLITE_TOTAL: &str = "UPDATE job_quota_total SET active = active + $1, most = $2 WHERE id = 1";
const DELETE_ORDERS: BulkStatement = for_ids!("DELETE FROM job_orders WHERE id", "$1", "");

/// The result of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// The jobs are inserted. Commit the transaction, then add the reservation to the credit.
    Stored(Reservation),
    /// Another process has counted the active jobs since the credit was reserved, or a dataset is deleted. Submit again in a
    /// new transaction.
    CreditExpired,
    /// A limit is exceeded or a dataset is deleted. Call [`Jobs::admit`] in a new transaction to find the refused jobs.
    LimitReached,
    /// The deadline has passed.
    Late,
}

/// The jobs of a submission by quota row.
#[derive(Default)]
struct Demand {
    /// User and number of jobs, sorted by user.
    users: Vec<(Uuid, i64)>,
    /// Dataset version and number of jobs, sorted by version.
    datasets: Vec<(Uuid, i64)>,
    total: i64,
    limits: Option<JobLimits>,
    deadline: DateTime<Utc>,
}

impl Demand {
    fn of<J: Borrow<Job>>(jobs: &[J], limits: JobLimits, deadline: DateTime<Utc>) -> Self {
        let (mut users, mut datasets) = (BTreeMap::new(), BTreeMap::new());
        for job in jobs {
            let job: &Job = job.borrow();
            *users.entry(job.created_by.0).or_insert(0) += 1;
            *datasets.entry(job.dataset_id.0).or_insert(0) += 1;
        }
        let total = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
        let (users, datasets) = (users.into_iter().collect(), datasets.into_iter().collect());
        Self { users, datasets, total, limits: Some(limits), deadline }
    }

    /// The increase of each quota row: owner, number of jobs, limit.
    fn owners(&self) -> Vec<(Uuid, i64, i64)> {
        let per_user = self.limits.map_or(i64::MAX, |limits| limits.per_user);
        let users = self.users.iter().map(|(user, jobs)| (*user, *jobs, per_user));
        users.chain(self.datasets.iter().map(|(dataset, jobs)| (*dataset, *jobs, i64::MAX))).collect()
    }

    /// The rows with a limit.
    fn limited(&self) -> Vec<(Uuid, i64)> {
        self.users.iter().copied().chain([(TOTAL, self.total)]).collect()
    }
}

impl Jobs<'_> {
    /// Inserts jobs from [`Job::submitted`], with their audit entries. [`Jobs::admit`] must have reserved their quota, unless
    /// no limit applies.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if an id exists.
    pub async fn submit<J: Borrow<Job>>(&mut self, jobs: &[J], entries: &[AuditEntry]) -> Result<()> {
        let _ = self.store(jobs, entries, &Demand::default(), &QuotaCredit::default()).await?;
        Ok(())
    }

    /// As [`Jobs::submit`], within `credit` or within the upper bounds of the quotas. Drop the transaction unless the result
    /// is [`Submission::Stored`]. On Postgres nothing is stored after `deadline`, by the database's clock, also after lock
    /// waits. SQLite waits for its only lock before the transaction begins, and needs no credit.
    pub async fn submit_within<J: Borrow<Job>>(
        &mut self,
        jobs: &[J],
        entries: &[AuditEntry],
        limits: JobLimits,
        deadline: DateTime<Utc>,
        credit: &QuotaCredit,
    ) -> Result<Submission> {
        let demand = Demand::of(jobs, limits, deadline);
        let outcome = self.store(jobs, entries, &demand, credit).await;
        let submission = outcome.or_else(|error| refusal(&error).ok_or(error))?;
        if matches!(submission, Submission::CreditExpired | Submission::LimitReached) {
            credit.drop_credit(demand.limited().into_iter().map(|(owner, _)| owner));
        }
        Ok(submission)
    }

    async fn store<J: Borrow<Job>>(
        &mut self,
        jobs: &[J],
        entries: &[AuditEntry],
        demand: &Demand,
        credit: &QuotaCredit,
    ) -> Result<Submission> {
        self.0.check_may_write()?;
        let jobs: Vec<&Job> = jobs.iter().map(Borrow::borrow).collect();
        let specs = jobs.iter().map(|job| parse::spec_json(&job.spec)).collect::<Result<Vec<_>>>()?;
        match &mut self.0.inner {
            Inner::Postgres(session) => match credit.take(&demand.limited()) {
                Some(epochs) => submit_within_credit(session, &jobs, specs, entries, demand, &epochs).await,
                None => submit_reserving(session, &jobs, specs, entries, demand, credit).await,
            },
            Inner::Sqlite(session) => {
                submit_each(session, &jobs, &specs, demand).await?;
                self.0.audit().insert_many(entries).await?;
                Ok(Submission::Stored(Reservation::default()))
            }
        }
    }

    /// Deletes the rows of deleted jobs in the other tables. Returns the keys of the objects that the jobs had.
    pub(super) async fn delete_orders(&mut self, deleted: &[(Uuid,)]) -> Result<Vec<String>> {
        if !deleted.is_empty() {
            execute_bulk!(self.0, DELETE_ORDERS, [], deleted, |job| [job.0])?;
        }
        let ids: Vec<Uuid> = deleted.iter().map(|(id,)| *id).collect();
        self.delete_failures(&ids).await?;
        let mut objects = self.0.predictions().delete(&ids).await?;
        objects.extend(self.0.checkpoints().delete(&ids).await?);
        Ok(objects)
    }
}

type PostgresQuery<'q> = Query<'q, sqlx::Postgres, PgArguments>;

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

/// Binds `$1` to `$19`: the jobs and the audit entries.
fn bind_rows<'q>(
    query: PostgresQuery<'q>,
    jobs: &[&'q Job],
    specs: Vec<String>,
    entries: &'q [AuditEntry],
) -> PostgresQuery<'q> {
    query
        .bind(array(jobs, |job| job.id.0))
        .bind(specs)
        .bind(array(jobs, |job| job.spec.name.as_str()))
        .bind(array(jobs, |job| job.spec.algorithm().as_str()))
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
        .bind(array(jobs, |job| job.spec.kind().as_str()))
}

/// Adds the jobs, and a reservation ahead, to the quota rows.
async fn submit_reserving(
    session: &mut Session,
    jobs: &[&Job],
    specs: Vec<String>,
    entries: &[AuditEntry],
    demand: &Demand,
    credit: &QuotaCredit,
) -> Result<Submission> {
    let owners = demand.owners();
    let limited: BTreeMap<Uuid, i64> =
        demand.limited().into_iter().map(|(owner, _)| (owner, credit.ahead(owner))).collect();
    let ahead = |owner: &Uuid| limited.get(owner).copied().unwrap_or(0);
    let most_in_total = demand.limits.map_or(i64::MAX, |limits| limits.total);
    let total = if demand.total == 0 { 0 } else { demand.total + ahead(&TOTAL) };
    let query = bind_rows(sqlx::query(RESERVING).persistent(session.prepares()), jobs, specs, entries)
        .bind(array(&owners, |owner| owner.0))
        .bind(array(&owners, |owner| owner.1 + ahead(&owner.0)))
        .bind(array(&owners, |owner| owner.2))
        .bind(total)
        .bind(most_in_total)
        .bind(demand.deadline);
    let outcome = with_timeout(query.fetch_all(&mut **session)).await;
    let mut reserved = Vec::with_capacity(limited.len());
    for row in session.note(outcome)? {
        let (owner, active, epoch) = <(Uuid, i64, i64)>::from_row(&row)?;
        if let Some(ahead) = limited.get(&owner) {
            let most = if owner == TOTAL { most_in_total } else { demand.limits.map_or(i64::MAX, |l| l.per_user) };
            reserved.push(Reserved { owner, epoch, ahead: *ahead, free: most.saturating_sub(active) });
        }
    }
    Ok(Submission::Stored(Reservation(reserved)))
}

/// `epochs` belong to [`Demand::limited`].
async fn submit_within_credit(
    session: &mut Session,
    jobs: &[&Job],
    specs: Vec<String>,
    entries: &[AuditEntry],
    demand: &Demand,
    epochs: &[i64],
) -> Result<Submission> {
    let (of_users, of_total) = epochs.split_at(demand.users.len());
    let users = demand.users.iter().zip(of_users).map(|((user, _), epoch)| (*user, Some(*epoch)));
    let owners: Vec<_> = users.chain(demand.datasets.iter().map(|(dataset, _)| (*dataset, None))).collect();
    let query = bind_rows(sqlx::query(WITHIN_CREDIT).persistent(session.prepares()), jobs, specs, entries)
        .bind(array(&owners, |owner| owner.0))
        .bind(array(&owners, |owner| owner.1))
        .bind(of_total.first().copied())
        .bind(demand.deadline);
    let outcome = with_timeout(query.execute(&mut **session)).await;
    let stored = session.note(outcome)?.rows_affected() > 0;
    Ok(if stored { Submission::Stored(Reservation::default()) } else { Submission::CreditExpired })
}

/// An array with one field of all items.
fn array<'i, T, F>(items: &'i [T], field: impl Fn(&'i T) -> F) -> Vec<F> {
    items.iter().map(field).collect()
}

async fn submit_each(session: &mut SqliteSession, jobs: &[&Job], specs: &[String], demand: &Demand) -> Result<()> {
    for (owner, added, most) in demand.owners() {
        let query = sqlx::query(SQLITE_OWNERS).bind(owner).bind(added).bind(most);
        let outcome = with_timeout(query.execute(session.connection()?)).await;
        session.note(outcome)?;
    }
    if demand.total > 0 {
        let query =
            sqlx::query(SQLITE_TOTAL).bind(demand.total).bind(demand.limits.map_or(i64::MAX, |limits| limits.total));
        let outcome = with_timeout(query.execute(session.connection()?)).await;
        session.note(outcome)?;
    }
    for (job, spec) in jobs.iter().zip(specs) {
        let query = sqlx::query(SQLITE)
            .bind(job.id.0)
            .bind(spec)
            .bind(job.spec.name.as_str())
            .bind(job.spec.algorithm().as_str())
            .bind(job.created_by.0)
            .bind(job.dataset_id.0)
            .bind(job.created_at)
            .bind(job.request_id.as_deref())
            .bind(job.spec.priority)
            .bind(job.run_at)
            .bind(job.traceparent.as_deref())
            .bind(job.spec.kind().as_str());
        let outcome = with_timeout(query.execute(session.connection()?)).await;
        session.note(outcome)?;
    }
    Ok(())
}
