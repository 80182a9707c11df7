//! Claims of jobs.

use chrono::TimeDelta;
use futures::future::join_all;
use trainyard_domain::{JobId, JobStatus};
use trainyard_storage::JobBatch;

use crate::fixture::{Fixture, LEASE};

on_both!(
    one_of_twenty_concurrent_claims_succeeds,
    a_job_reads_back_as_it_was_stored,
    a_claim_starts_a_run,
    a_claim_without_a_time_uses_the_databases_clock,
    a_job_is_not_claimed_before_run_at,
    a_paused_queue_refuses_claims,
);

async fn one_of_twenty_concurrent_claims_succeeds(fixture: Fixture) {
    for _ in 0..5 {
        let id = fixture.queue().await;
        let claim = |i: i64| {
            let (db, now) = (fixture.db.clone(), fixture.now);
            tokio::spawn(async move {
                let mut tx = db.begin().await.unwrap();
                let job = tx.jobs().claim(id, &format!("worker-{i}"), Some(now), LEASE).await.unwrap();
                tx.commit().await.unwrap();
                job
            })
        };
        let won: Vec<_> = join_all((0..20).map(claim)).await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(won.len(), 1, "exactly one worker runs the job");
        let stored = fixture.job(id).await;
        assert_eq!((stored.claim, stored.worker), (1, won[0].worker.clone()));
    }
}

async fn a_job_reads_back_as_it_was_stored(fixture: Fixture) {
    let job = fixture.draft();
    let id = fixture.queue_with(|stored| *stored = job.clone()).await;
    let read = fixture.job(id).await;
    assert_eq!(read.spec, job.spec, "also the largest seed");
    assert_eq!((read.created_by, read.dataset_id, read.status), (job.created_by, job.dataset_id, JobStatus::Queued));
    assert_eq!((read.run_at, read.created_at), (job.run_at, job.created_at), "with microseconds");
    assert_eq!((read.request_id.as_deref(), read.claim, read.revision), (Some("req-1"), 0, 1));
    assert!(fixture.db.read().await.unwrap().jobs().get(JobId::at(fixture.now)).await.unwrap().is_none());
}

async fn a_claim_starts_a_run(fixture: Fixture) {
    let id = fixture.queue().await;
    let job = fixture.claim(id, "w-1", fixture.later(5)).await.unwrap();
    assert_eq!((job.status, job.claim, job.worker.as_deref()), (JobStatus::Running, 1, Some("w-1")));
    assert_eq!((job.started_at, job.lease_expires_at), (Some(fixture.later(5)), Some(fixture.later(35))));
    assert_eq!(job.revision, 2);
    assert!(fixture.claim(id, "w-2", fixture.later(6)).await.is_none());
}

async fn a_claim_without_a_time_uses_the_databases_clock(fixture: Fixture) {
    let (id, bare) = (fixture.queue().await, fixture.queue().await);
    let tomorrow = fixture.queue_with(|job| job.run_at = chrono::Utc::now() + TimeDelta::days(1)).await;
    let mut tx = fixture.db.begin().await.unwrap();
    let before = tx.now().await.unwrap();
    let jobs = tx.jobs().claim_many(&[tomorrow, id, bare], "w", None, LEASE).await.unwrap();
    let JobBatch { at: read_at, jobs: again, .. } = tx.jobs().get_many_with_time(&[id]).await.unwrap();
    let ended = tx.jobs().succeed_without_model(&[(bare, 1)], None).await.unwrap();
    let after = tx.now().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((jobs.len(), ended.len()), (2, 1), "a job that is not due is not claimed");
    for job in &jobs {
        let started = job.started_at.unwrap();
        assert!(before <= started && started <= read_at && read_at <= after, "{before} {started} {read_at} {after}");
        assert_eq!(job.lease_expires_at, Some(started + LEASE), "the lease starts with the run");
    }
    let job = jobs.into_iter().find(|job| job.id == id).unwrap();
    assert_eq!(format!("{:?}", again[0]), format!("{job:?}"), "a claim returns the stored job");
    let ended_at = fixture.job(bare).await.finished_at.unwrap();
    assert!(read_at <= ended_at && ended_at <= after);
    let nobody = JobId::at(fixture.now);
    let none = fixture.db.read_autocommit().await.unwrap().jobs().get_many_with_time(&[nobody]).await.unwrap();
    assert!(none.jobs.is_empty() && none.at >= after, "the time is returned without a job");
}

async fn a_job_is_not_claimed_before_run_at(fixture: Fixture) {
    let due = fixture.later(60);
    let id = fixture.queue_with(|job| job.run_at = due).await;
    assert!(fixture.claim(id, "w", fixture.later(59)).await.is_none());
    assert!(fixture.claim(id, "w", due).await.is_some());
}

async fn a_paused_queue_refuses_claims(fixture: Fixture) {
    let running = fixture.queue().await;
    fixture.claim(running, "w", fixture.now).await.unwrap();
    let id = fixture.queue().await;
    let pause = async |paused| {
        let mut tx = fixture.db.begin().await.unwrap();
        tx.jobs().set_paused(paused).await.unwrap();
        assert_eq!(tx.jobs().paused().await.unwrap(), paused);
        tx.commit().await.unwrap();
    };
    pause(true).await;
    assert!(fixture.claim(id, "w", fixture.now).await.is_none());
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().set_progress(running, 1, 0.5, "fit").await.unwrap(), "a running job continues");
    tx.commit().await.unwrap();

    pause(false).await;
    assert!(fixture.claim(id, "w", fixture.now).await.is_some());
}
