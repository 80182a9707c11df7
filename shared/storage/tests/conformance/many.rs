//! Statements for many rows do what one for each would.

use std::collections::HashSet;

use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::{AuditEntry, StorageError};

use crate::bench::{Bench, LEASE};

on_both!(
    many_jobs_are_submitted_at_once,
    jobs_and_what_the_trail_says_of_them_are_stored_together,
    one_bad_job_keeps_all_of_them_out,
    two_workers_that_claim_the_same_ids_share_them,
    runs_end_together_if_their_claims_stand,
);

fn many(bench: &Bench, count: usize) -> Vec<Job> {
    let mut jobs: Vec<_> = (0..count).map(|_| bench.draft()).collect();
    jobs.sort_by_key(|job| job.id);
    jobs
}

async fn submit(bench: &Bench, jobs: &[Job]) -> Result<(), StorageError> {
    let mut tx = bench.db.begin().await?;
    tx.jobs().submit(jobs, &[]).await?;
    tx.commit().await
}

async fn many_jobs_are_submitted_at_once(bench: Bench) {
    let mut jobs = many(&bench, 150);
    jobs[3].spec.priority = 7;
    jobs[3].run_at = bench.later(60);
    submit(&bench, &jobs).await.unwrap();
    for job in &jobs {
        assert_eq!(format!("{:?}", bench.job(job.id).await), format!("{job:?}"));
    }
    assert_eq!(bench.db.read().await.unwrap().jobs().active_total().await.unwrap(), 150);
}

async fn jobs_and_what_the_trail_says_of_them_are_stored_together(bench: Bench) {
    let jobs = many(&bench, 3);
    let entry = |job: &Job| AuditEntry {
        id: job.id.0,
        at: job.created_at,
        actor: Some(bench.user),
        action: "training.submit".into(),
        subject: format!("job:{}", job.id),
        request_id: job.request_id.clone(),
        detail: serde_json::json!({"name": job.spec.name}),
    };
    // Fewer entries than jobs, as of jobs that came in one request.
    let trail: Vec<_> = jobs[..2].iter().map(entry).collect();
    let mut tx = bench.db.act().await.unwrap();
    tx.jobs().submit(&jobs, &trail).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.jobs().active_total().await.unwrap(), 3);
    let listed = tx.audit().list(None, 10).await.unwrap();
    assert_eq!(listed, trail.into_iter().rev().collect::<Vec<_>>());
}

async fn one_bad_job_keeps_all_of_them_out(bench: Bench) {
    let mut jobs = many(&bench, 20);
    jobs[11].id = jobs[3].id;
    assert!(matches!(submit(&bench, &jobs).await, Err(StorageError::Conflict)));
    assert_eq!(bench.db.read().await.unwrap().jobs().active_total().await.unwrap(), 0);
}

async fn two_workers_that_claim_the_same_ids_share_them(bench: Bench) {
    let jobs = many(&bench, 100);
    submit(&bench, &jobs).await.unwrap();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let claim = |worker: &'static str| {
        let (db, ids, now) = (bench.db.clone(), ids.clone(), bench.now);
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
    assert_eq!((claimed.len(), distinct), (100, ids.into_iter().collect()), "each is claimed, and once");
}

async fn runs_end_together_if_their_claims_stand(bench: Bench) {
    let jobs = many(&bench, 6);
    submit(&bench, &jobs).await.unwrap();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().claim_many(&ids[..5], "w", Some(bench.now), LEASE).await.unwrap();
    let mut runs: Vec<_> = ids.iter().map(|id| (*id, 1)).collect();
    runs[0].1 = 2;
    let ended = tx.jobs().succeed_bare(&runs, Some(bench.later(1))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ended, ids[1..5].iter().copied().collect(), "neither the wrong claim nor the one that waits");
    assert_eq!(bench.job(ids[0]).await.status, JobStatus::Running);
    let ended = bench.job(ids[1]).await;
    assert_eq!((ended.status, ended.finished_at), (JobStatus::Succeeded, Some(bench.later(1))));
}
