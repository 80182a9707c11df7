//! Draining workers lose no job and count no attempt.

use trainyard_domain::JobStatus;
use trainyard_domain::outcome::Counts;
use trainyard_worker::WorkerConfig;

use crate::harness::{HANG, Harness, WAIT_THEN_TRAIN, any_lives, train_task};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_exceeds_the_grace_period_returns_without_an_attempt() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let config = WorkerConfig { grace_s: 0, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&harness.script("hang", HANG), config));
    let pids = harness.written("pids").await;
    worker.drain().await;
    sweep.stop().await;
    let job = harness.job(id).await;
    assert_eq!(job.status, JobStatus::Queued);
    assert_eq!(job.counts, Counts { attempts: 0, crashes: 0, interruptions: 1 });
    assert!(!any_lives(&pids));
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let workers = tx.workers().list(now - chrono::Duration::hours(1)).await.unwrap();
    assert!(workers.is_empty(), "the row of a drained worker is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_within_the_grace_period_is_published() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let (sweep, worker) =
        (harness.sweep("s"), harness.worker(&harness.script("wait", WAIT_THEN_TRAIN), harness.config()));
    harness.written("waiting").await;
    let later = harness.submit_named("later").await;
    worker.drain.cancel();
    harness.go();
    worker.ended().await;
    sweep.stop().await;
    assert_eq!(harness.job(id).await.status, JobStatus::Succeeded);
    assert_eq!(harness.job(later).await.status, JobStatus::Queued, "a draining worker claims no job");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_for_one_job_stops_after_it() {
    let harness = Harness::new().await;
    let jobs = [harness.submit_named("demo").await, harness.submit_named("demo").await];
    let sweep = harness.sweep("s");
    let config = WorkerConfig { max_jobs: 1, concurrency: 4, ..harness.config() };
    harness.worker(train_task(), config).ended().await;
    sweep.stop().await;
    let mut statuses = vec![];
    for id in jobs {
        statuses.push(harness.job(id).await.status);
    }
    statuses.sort_by_key(|status| status.is_final());
    assert_eq!(statuses, [JobStatus::Queued, JobStatus::Succeeded]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_runs_the_jobs_of_its_predecessor() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    tx.jobs().claim(id, "predecessor", Some(now), chrono::Duration::hours(1)).await.unwrap().unwrap();
    // Without the lead, the new sweep would not enqueue the job.
    let leads = tx.leaders().acquire("sweep", "predecessor", now, now + chrono::Duration::hours(1)).await.unwrap();
    assert!(leads, "the lead was free");
    tx.commit().await.unwrap();
    assert_eq!(trainyard_worker::reclaim_orphans(&harness.db).await.unwrap(), 1);
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), harness.config()));
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    assert_eq!(job.counts, Counts { attempts: 0, crashes: 0, interruptions: 1 });
    worker.drain().await;
    sweep.stop().await;
}
