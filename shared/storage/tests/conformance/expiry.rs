//! Expiry of finished jobs.

use trainyard_domain::{Job, JobId, JobStatus, ModelName};

use crate::fixture::Fixture;

on_both!(
    failed_and_cancelled_jobs_expire,
    a_batch_of_expiry_is_limited,
    a_job_that_is_retried_during_expiry_stays,
    a_succeeded_job_is_kept_with_its_version,
    the_expiry_of_succeeded_jobs_continues_at_its_cursor,
    the_expiry_continues_past_jobs_that_finished_late,
);

/// A job that finished `ago` seconds before `now`, one second after its submission.
async fn ended(fixture: &Fixture, status: JobStatus, ago: i64) -> JobId {
    fixture
        .queue_with(|job| {
            job.created_at = fixture.later(-ago - 1);
            (job.id, job.run_at) = (JobId::at(job.created_at), job.created_at);
            job.status = status;
            job.finished_at = Some(fixture.later(-ago));
        })
        .await
}

async fn there(fixture: &Fixture, id: JobId) -> bool {
    fixture.db.read().await.unwrap().jobs().get(id).await.unwrap().is_some()
}

async fn expire_unsuccessful(fixture: &Fixture, limit: i64) -> u64 {
    let mut tx = fixture.db.begin().await.unwrap();
    let removed = tx.jobs().expire_unsuccessful(fixture.later(-100), limit).await.unwrap();
    tx.commit().await.unwrap();
    removed.jobs
}

async fn failed_and_cancelled_jobs_expire(fixture: Fixture) {
    let (failed, cancelled) =
        (ended(&fixture, JobStatus::Failed, 101).await, ended(&fixture, JobStatus::Cancelled, 200).await);
    let young = ended(&fixture, JobStatus::Failed, 99).await;
    let (succeeded, queued) = (ended(&fixture, JobStatus::Succeeded, 500).await, fixture.queue().await);
    let mut tx = fixture.db.begin().await.unwrap();
    tx.idempotency().insert(fixture.user, "key", "body", &[failed], fixture.now, fixture.later(60)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(expire_unsuccessful(&fixture, 10).await, 2);
    assert!(!there(&fixture, failed).await && !there(&fixture, cancelled).await);
    fixture.queue_with(|job| job.id = cancelled).await;
    assert!(there(&fixture, young).await && there(&fixture, succeeded).await && there(&fixture, queued).await);
    let record = fixture.db.read().await.unwrap().idempotency().find(fixture.user, "key").await.unwrap();
    assert!(record.is_none(), "its idempotency key is deleted");
}

async fn a_batch_of_expiry_is_limited(fixture: Fixture) {
    let mut jobs = Vec::new();
    for ago in [400, 300, 200] {
        jobs.push(ended(&fixture, JobStatus::Failed, ago).await);
    }
    assert_eq!(expire_unsuccessful(&fixture, 2).await, 2);
    assert!(there(&fixture, jobs[2]).await, "the oldest jobs expire first");
    assert_eq!((expire_unsuccessful(&fixture, 2).await, expire_unsuccessful(&fixture, 2).await), (1, 0));
}

async fn a_job_that_is_retried_during_expiry_stays(fixture: Fixture) {
    let id = ended(&fixture, JobStatus::Failed, 500).await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().retry(id, fixture.now).await.unwrap());
    // The expiry begins before the commit of the retry, so it finds a failed job.
    let (db, before) = (fixture.db.clone(), fixture.later(-100));
    let expiry = tokio::spawn(async move {
        let mut tx = db.begin().await.unwrap();
        let removed = tx.jobs().expire_unsuccessful(before, 10).await.unwrap();
        tx.commit().await.unwrap();
        removed
    });
    fixture.until_one_waits().await;
    tx.commit().await.unwrap();
    assert_eq!(expiry.await.unwrap().jobs, 0);
    assert_eq!(fixture.job(id).await.status, JobStatus::Queued);
}

/// A succeeded job with a version of `demo`.
async fn published(fixture: &Fixture, ago: i64) -> JobId {
    let id = ended(fixture, JobStatus::Succeeded, ago).await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().publish(&fixture.version("demo", id)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn a_succeeded_job_is_kept_with_its_version(fixture: Fixture) {
    let (first, second) = (published(&fixture, 300).await, published(&fixture, 200).await);
    let walk = async || {
        let mut tx = fixture.db.begin().await.unwrap();
        let walked = tx.jobs().expire_succeeded(fixture.later(-100), None, 10).await.unwrap();
        tx.commit().await.unwrap();
        (walked.0.jobs, walked.1)
    };
    assert_eq!(walk().await, (0, None));
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().delete_version(&ModelName::parse("demo").unwrap(), 1, true, &fixture.cause()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(walk().await, (1, None));
    assert!(!there(&fixture, first).await && there(&fixture, second).await);
}

async fn the_expiry_of_succeeded_jobs_continues_at_its_cursor(fixture: Fixture) {
    let kept = [published(&fixture, 500).await, published(&fixture, 400).await];
    let gone = [ended(&fixture, JobStatus::Succeeded, 300).await, ended(&fixture, JobStatus::Succeeded, 300).await];
    let young = ended(&fixture, JobStatus::Succeeded, 50).await;
    assert_eq!(expire_in_pages(&fixture, 2).await, [0, 2, 0], "it continues past jobs that stay");
    for id in kept.into_iter().chain([young]) {
        assert!(there(&fixture, id).await);
    }
    for id in gone {
        assert!(!there(&fixture, id).await);
    }
}

/// Expires succeeded jobs in pages of `limit`. Returns the number of deleted jobs for each page.
async fn expire_in_pages(fixture: &Fixture, limit: i64) -> Vec<u64> {
    let (mut removed, mut mark) = (Vec::new(), None);
    loop {
        let mut tx = fixture.db.begin().await.unwrap();
        let (expired, reached) = tx.jobs().expire_succeeded(fixture.later(-100), mark, limit).await.unwrap();
        tx.commit().await.unwrap();
        removed.push(expired.jobs);
        mark = reached;
        if mark.is_none() {
            return removed;
        }
        assert!(removed.len() < 20, "the expiry does not end");
    }
}

async fn the_expiry_continues_past_jobs_that_finished_late(fixture: Fixture) {
    let mut long = Vec::new();
    for _ in 0..4 {
        let id = JobId::at(fixture.later(-900));
        let ended = |job: &mut Job| {
            job.id = id;
            job.status = JobStatus::Succeeded;
            job.finished_at = Some(fixture.later(-50));
        };
        long.push(fixture.queue_with(ended).await);
    }
    let short = ended(&fixture, JobStatus::Succeeded, 300).await;
    assert_eq!(expire_in_pages(&fixture, 2).await, [0, 0, 1], "a page without expired jobs is not the end");
    assert!(!there(&fixture, short).await);
    for id in long {
        assert!(there(&fixture, id).await);
    }
    // The deleted job's id can be inserted again, so both rows are deleted.
    fixture.queue_with(|job| job.id = short).await;
}
