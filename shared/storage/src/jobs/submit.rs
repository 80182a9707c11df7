//! Adding many jobs at once, and removing jobs whole.

use trainyard_domain::Job;
use uuid::Uuid;

use super::Jobs;
use crate::audit::AuditEntry;
use crate::error::Result;
use crate::read_back;
use crate::rows::{Each, execute_each, for_ids};
use crate::session::Session;
use crate::sql::answered;
use crate::sqlite_session::SqliteSession;
use crate::tx::Inner;

macro_rules! orders {
    ($rows:literal) => {
        concat!(
            "INSERT INTO job_orders (id, spec, model_name, algorithm, created_by, dataset_id, created_at, request_id, \
             traceparent) ",
            $rows
        )
    };
}
macro_rules! queued {
    ($rows:literal) => {
        concat!(
            "INSERT INTO jobs (id, status, created_by, priority, created_at, due, run_at, attempts, crashes, \
             interruptions, claim, progress, revision) ",
            $rows
        )
    };
}
// All that is stored of submissions, in one statement: the seven arrays from `$11` on are the audit trail's.
const POSTGRES: &str = concat!(
    "WITH new AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], \
     $7::timestamptz[], $8::text[], $9::bigint[], $10::timestamptz[], $18::text[]) AS new (id, spec, model_name, \
     algorithm, created_by, dataset_id, created_at, request_id, priority, run_at, traceparent)), orders AS (",
    orders!(
        "SELECT id, spec, model_name, algorithm, created_by, dataset_id, created_at, request_id, traceparent FROM new"
    ),
    "), trail AS (INSERT INTO audit_entries (id, at, actor, action, subject, request_id, detail) SELECT * FROM \
     unnest($11::uuid[], $12::timestamptz[], $13::uuid[], $14::text[], $15::text[], $16::text[], $17::text[])) ",
    queued!(
        "SELECT id, 'queued', created_by, priority, created_at, run_at <= created_at, run_at, 0, 0, 0, 0, 0, 1 FROM new"
    )
);
const SQLITE: &str = concat!(
    orders!("VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $11)"),
    "; ",
    queued!("VALUES ($1, 'queued', $5, $9, $7, $10 <= $7, $10, 0, 0, 0, 0, 0, 1)")
);
const FORGET: Each = for_ids!("DELETE FROM job_orders WHERE id", "$1", "");

impl Jobs<'_> {
    /// Adds jobs as [`Job::submitted`] makes them, of each only what a submission can set, and what the audit trail says
    /// of them.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when there is a job with the id of one of them.
    pub async fn submit(&mut self, jobs: &[Job], trail: &[AuditEntry]) -> Result<()> {
        self.0.check_may_write()?;
        let specs = jobs.iter().map(|job| read_back::text(&job.spec)).collect::<Result<Vec<_>>>()?;
        match &mut self.0.inner {
            Inner::Postgres(session) => submit_together(session, jobs, specs, trail).await,
            Inner::Sqlite(session) => {
                submit_each(session, jobs, &specs).await?;
                self.0.audit().insert_many(trail).await
            }
        }
    }

    /// Removes the orders of jobs that this very transaction removed.
    pub(super) async fn forget_orders(&mut self, gone: &[(Uuid,)]) -> Result<()> {
        if !gone.is_empty() {
            execute_each!(self.0, FORGET, [], gone, |job| [job.0])?;
        }
        Ok(())
    }
}

async fn submit_together(session: &mut Session, jobs: &[Job], specs: Vec<String>, trail: &[AuditEntry]) -> Result<()> {
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
        .bind(array(trail, |entry| entry.id))
        .bind(array(trail, |entry| entry.at))
        .bind(array(trail, |entry| entry.actor.map(|id| id.0)))
        .bind(array(trail, |entry| entry.action.as_str()))
        .bind(array(trail, |entry| entry.subject.as_str()))
        .bind(array(trail, |entry| entry.request_id.as_deref()))
        .bind(array(trail, |entry| entry.detail.to_string()))
        .bind(array(jobs, |job| job.traceparent.as_deref()));
    let outcome = answered(query.execute(&mut **session)).await;
    session.note(outcome)?;
    Ok(())
}

/// One field of all items.
fn array<'i, T, F>(items: &'i [T], field: impl Fn(&'i T) -> F) -> Vec<F> {
    items.iter().map(field).collect()
}

async fn submit_each(session: &mut SqliteSession, jobs: &[Job], specs: &[String]) -> Result<()> {
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
        let outcome = answered(query.execute(session.connection()?)).await;
        session.note(outcome)?;
    }
    Ok(())
}
