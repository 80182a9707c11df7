//! Ended jobs go when their time is up, and nothing else goes with them.

use trainyard_domain::{JobId, JobStatus, ModelName};

use crate::bench::Bench;

on_both!(
    dead_jobs_go_when_their_time_is_up,
    a_batch_takes_no_more_than_it_may,
    a_job_that_was_retried_meanwhile_stays,
    a_succeeded_job_stays_as_long_as_its_version,
    the_walk_over_succeeded_jobs_goes_on_where_it_was,
);

/// A job that ended so many seconds before the present.
async fn ended(bench: &Bench, status: JobStatus, ago: i64) -> JobId {
    bench
        .queue_with(|job| {
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
    tx.commit().await.unwrap();
    assert_eq!(expire_dead(&bench, 10).await, 0);
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
    tx.models().delete_version(&ModelName::parse("demo").unwrap(), 1).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!(walk().await, (1, None));
    assert!(!there(&bench, first).await && there(&bench, second).await);
}

async fn the_walk_over_succeeded_jobs_goes_on_where_it_was(bench: Bench) {
    let kept = [published(&bench, 500).await, published(&bench, 400).await];
    let gone = [ended(&bench, JobStatus::Succeeded, 300).await, ended(&bench, JobStatus::Succeeded, 300).await];
    let young = ended(&bench, JobStatus::Succeeded, 50).await;
    let mut mark = None;
    let mut removed = Vec::new();
    for _ in 0..3 {
        let mut tx = bench.db.begin().await.unwrap();
        let (count, reached) = tx.jobs().expire_succeeded(bench.later(-100), mark, 2).await.unwrap();
        tx.commit().await.unwrap();
        removed.push(count);
        mark = reached;
    }
    assert_eq!((removed, mark), (vec![0, 2, 0], None), "past those that stay, to the end");
    for id in kept.into_iter().chain([young]) {
        assert!(there(&bench, id).await);
    }
    for id in gone {
        assert!(!there(&bench, id).await);
    }
}
