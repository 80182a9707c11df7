//! Bulk statements.

use std::collections::HashSet;

use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::{AuditEntry, StorageError};

use crate::fixture::{Fixture, LEASE, prediction};

on_both!(
    many_jobs_are_submitted_together,
    jobs_and_their_audit_entries_are_stored_together,
    one_invalid_job_rolls_back_the_batch,
    two_workers_that_claim_the_same_ids_get_disjoint_jobs,
    runs_with_current_claims_finish_together,
);

fn many(fixture: &Fixture, count: usize) -> Vec<Job> {
    let mut jobs: Vec<_> = (0..count).map(|_| fixture.draft()).collect();
    jobs.sort_by_key(|job| job.id);
    jobs
}

async fn submit(fixture: &Fixture, jobs: &[Job]) -> Result<(), StorageError> {
    let mut tx = fixture.db.begin().await?;
    tx.jobs().submit(jobs, &[]).await?;
    tx.commit().await
}

async fn many_jobs_are_submitted_together(fixture: Fixture) {
    let mut jobs = many(&fixture, 150);
    jobs[3].spec.priority = 7;
    jobs[3].run_at = fixture.later(60);
    jobs[4].spec.work = prediction();
    submit(&fixture, &jobs).await.unwrap();
    for job in &jobs {
        assert_eq!(format!("{:?}", fixture.job(job.id).await), format!("{job:?}"));
    }
    assert_eq!(fixture.db.read().await.unwrap().jobs().active_total().await.unwrap(), 150);
}

async fn jobs_and_their_audit_entries_are_stored_together(fixture: Fixture) {
    let jobs = many(&fixture, 3);
    let entry = |job: &Job| AuditEntry {
        id: job.id.0,
        at: job.created_at,
        actor: Some(fixture.user),
        action: "training.submit".into(),
        subject: format!("job:{}", job.id),
        request_id: job.request_id.clone(),
        detail: serde_json::json!({"name": job.spec.name}),
    };
    // Fewer audit entries than jobs, as in a bulk request.
    let entries: Vec<_> = jobs[..2].iter().map(entry).collect();
    let mut tx = fixture.db.write_autocommit().await.unwrap();
    tx.jobs().submit(&jobs, &entries).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.jobs().active_total().await.unwrap(), 3);
    let listed = tx.audit().list(None, 10).await.unwrap();
    assert_eq!(listed, entries.into_iter().rev().collect::<Vec<_>>());
}

async fn one_invalid_job_rolls_back_the_batch(fixture: Fixture) {
    let mut jobs = many(&fixture, 20);
    jobs[11].id = jobs[3].id;
    assert!(matches!(submit(&fixture, &jobs).await, Err(StorageError::Conflict)));
    assert_eq!(fixture.db.read().await.unwrap().jobs().active_total().await.unwrap(), 0);
}

async fn two_workers_that_claim_the_same_ids_get_disjoint_jobs(fixture: Fixture) {
    let jobs = many(&fixture, 100);
    submit(&fixture, &jobs).await.unwrap();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let claim = |worker: &'static str| {
        let (db, ids, now) = (fixture.db.clone(), ids.clone(), fixture.now);
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let jobs = tx.jobs().claim_many(&ids, worker, Some(now), LEASE).await.unwrap();
            tx.commit().await.unwrap();
            jobs
        })
    };
    let (one, two) = (claim("one"), claim("two"));
    let claimed: Vec<_> = one.await.unwrap().into_iter().chain(two.await.unwrap()).collect();
    assert!(claimed.iter().all(|job| job.status == JobStatus::Running && job.claim == 1));
    let distinct: HashSet<_> = claimed.iter().map(|job| job.id).collect();
    assert_eq!((claimed.len(), distinct), (100, ids.into_iter().collect()), "each job is claimed once");
}

async fn runs_with_current_claims_finish_together(fixture: Fixture) {
    let jobs = many(&fixture, 6);
    submit(&fixture, &jobs).await.unwrap();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().claim_many(&ids[..5], "w", Some(fixture.now), LEASE).await.unwrap();
    let mut runs: Vec<_> = ids.iter().map(|id| (*id, 1)).collect();
    runs[0].1 = 2;
    let ended = tx.jobs().succeed_without_model(&runs, Some(fixture.later(1))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ended, ids[1..5].iter().copied().collect(), "neither a run with an old claim nor a queued job");
    assert_eq!(fixture.job(ids[0]).await.status, JobStatus::Running);
    let ended = fixture.job(ids[1]).await;
    assert_eq!((ended.status, ended.finished_at), (JobStatus::Succeeded, Some(fixture.later(1))));
}
