//! Ended jobs go when their time is up, and nothing else goes with them.

use trainyard_domain::{Job, JobId, JobStatus, ModelName};

use crate::bench::Bench;

on_both!(
    dead_jobs_go_when_their_time_is_up,
    a_batch_takes_no_more_than_it_may,
    a_job_that_was_retried_meanwhile_stays,
    a_succeeded_job_stays_as_long_as_its_version,
    the_walk_over_succeeded_jobs_goes_on_where_it_was,
    the_walk_gets_past_jobs_that_ended_late,
);

/// A job that ended so many seconds before the present, and was submitted a second before that.
async fn ended(bench: &Bench, status: JobStatus, ago: i64) -> JobId {
    bench
        .queue_with(|job| {
            job.created_at = bench.later(-ago - 1);
            (job.id, job.run_at) = (JobId::at(job.created_at), job.created_at);
            job.status = status;
            job.finished_at = Some(bench.later(-ago));
        })
        .await
}

async fn there(bench: &Bench, id: JobId) -> bool {
    bench.db.read().await.unwrap().jobs().get(id).await.unwrap().is_some()
}

async fn expire_dead(bench: &Bench, limit: i64) -> u64 {
    let mut tx = bench.db.begin().await.unwrap();
    let removed = tx.jobs().expire_dead(bench.later(-100), limit).await.unwrap();
    tx.commit().await.unwrap();
    removed
}

async fn dead_jobs_go_when_their_time_is_up(bench: Bench) {
    let (failed, cancelled) =
        (ended(&bench, JobStatus::Failed, 101).await, ended(&bench, JobStatus::Cancelled, 200).await);
    let young = ended(&bench, JobStatus::Failed, 99).await;
    let (succeeded, queued) = (ended(&bench, JobStatus::Succeeded, 500).await, bench.queue().await);
    let mut tx = bench.db.begin().await.unwrap();
    tx.idempotency().insert(bench.user, "key", "body", &[failed], bench.now, bench.later(60)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(expire_dead(&bench, 10).await, 2);
    assert!(!there(&bench, failed).await && !there(&bench, cancelled).await);
    bench.queue_with(|job| job.id = cancelled).await;
    assert!(there(&bench, young).await && there(&bench, succeeded).await && there(&bench, queued).await);
    let record = bench.db.read().await.unwrap().idempotency().find(bench.user, "key").await.unwrap();
    assert!(record.is_none(), "its key goes with it");
}

async fn a_batch_takes_no_more_than_it_may(bench: Bench) {
    let mut jobs = Vec::new();
    for ago in [400, 300, 200] {
        jobs.push(ended(&bench, JobStatus::Failed, ago).await);
    }
    assert_eq!(expire_dead(&bench, 2).await, 2);
    assert!(there(&bench, jobs[2]).await, "the oldest go first");
    assert_eq!((expire_dead(&bench, 2).await, expire_dead(&bench, 2).await), (1, 0));
}

async fn a_job_that_was_retried_meanwhile_stays(bench: Bench) {
    let id = ended(&bench, JobStatus::Failed, 500).await;
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.jobs().retry(id, bench.now).await.unwrap());
    // It begins before the retry is committed, and finds the job failed.
    let (db, before) = (bench.db.clone(), bench.later(-100));
    let expiry = tokio::spawn(async move {
        let mut tx = db.begin().await.unwrap();
        let removed = tx.jobs().expire_dead(before, 10).await.unwrap();
        tx.commit().await.unwrap();
        removed
    });
    bench.until_one_waits().await;
    tx.commit().await.unwrap();
    assert_eq!(expiry.await.unwrap(), 0);
    assert_eq!(bench.job(id).await.status, JobStatus::Queued);
}

/// A succeeded job with its version of `demo`.
async fn published(bench: &Bench, ago: i64) -> JobId {
    let id = ended(bench, JobStatus::Succeeded, ago).await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.models().publish(&bench.version("demo", id)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn a_succeeded_job_stays_as_long_as_its_version(bench: Bench) {
    let (first, second) = (published(&bench, 300).await, published(&bench, 200).await);
    let walk = async || {
        let mut tx = bench.db.begin().await.unwrap();
        let walked = tx.jobs().expire_succeeded(bench.later(-100), None, 10).await.unwrap();
        tx.commit().await.unwrap();
        walked
    };
    assert_eq!(walk().await, (0, None));
    let mut tx = bench.db.begin().await.unwrap();
    tx.models().delete_version(&ModelName::parse("demo").unwrap(), 1, true).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(walk().await, (1, None));
    assert!(!there(&bench, first).await && there(&bench, second).await);
}

async fn the_walk_over_succeeded_jobs_goes_on_where_it_was(bench: Bench) {
    let kept = [published(&bench, 500).await, published(&bench, 400).await];
    let gone = [ended(&bench, JobStatus::Succeeded, 300).await, ended(&bench, JobStatus::Succeeded, 300).await];
    let young = ended(&bench, JobStatus::Succeeded, 50).await;
    assert_eq!(walk(&bench, 2).await, [0, 2, 0], "past those that stay, to the end");
    for id in kept.into_iter().chain([young]) {
        assert!(there(&bench, id).await);
    }
    for id in gone {
        assert!(!there(&bench, id).await);
    }
}

/// Walks over all succeeded jobs in pages of `limit`; answers what each page removed.
async fn walk(bench: &Bench, limit: i64) -> Vec<u64> {
    let (mut removed, mut mark) = (Vec::new(), None);
    loop {
        let mut tx = bench.db.begin().await.unwrap();
        let (count, reached) = tx.jobs().expire_succeeded(bench.later(-100), mark, limit).await.unwrap();
        tx.commit().await.unwrap();
        removed.push(count);
        mark = reached;
        if mark.is_none() {
            return removed;
        }
        assert!(removed.len() < 20, "the walk does not end");
    }
}

async fn the_walk_gets_past_jobs_that_ended_late(bench: Bench) {
    let mut long = Vec::new();
    for _ in 0..4 {
        let id = JobId::at(bench.later(-900));
        let ended = |job: &mut Job| {
            job.id = id;
            job.status = JobStatus::Succeeded;
            job.finished_at = Some(bench.later(-50));
        };
        long.push(bench.queue_with(ended).await);
    }
    let short = ended(&bench, JobStatus::Succeeded, 300).await;
    assert_eq!(walk(&bench, 2).await, [0, 0, 1], "a page of jobs that are too young is not the end");
    assert!(!there(&bench, short).await);
    for id in long {
        assert!(there(&bench, id).await);
    }
    // Whoever was removed left nothing behind that would keep the id taken.
    bench.queue_with(|job| job.id = short).await;
}
