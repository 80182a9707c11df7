//! Workers that stop: nothing is lost, nothing is spent.

use trainyard_domain::JobStatus;
use trainyard_domain::outcome::Counts;
use trainyard_worker::WorkerConfig;

use crate::yard::{HANG, WAIT_THEN_TRAIN, Yard, any_lives, train_task};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_outlasts_the_grace_goes_back_unspent() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let config = WorkerConfig { grace_s: 0, ..yard.config() };
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&yard.script("hang", HANG), config));
    let pids = yard.written("pids").await;
    worker.drain().await;
    sweep.stop().await;
    let job = yard.job(id).await;
    assert_eq!(job.status, JobStatus::Queued);
    assert_eq!(job.counts, Counts { attempts: 0, crashes: 0, interruptions: 1 });
    assert!(!any_lives(&pids));
    let mut tx = yard.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let workers = tx.workers().list(now - chrono::Duration::hours(1)).await.unwrap();
    assert!(workers.is_empty(), "a drained worker is not shown any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_within_the_grace_is_published() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&yard.script("wait", WAIT_THEN_TRAIN), yard.config()));
    yard.written("waiting").await;
    let later = yard.submit_named("later").await;
    worker.drain.cancel();
    yard.go();
    worker.ended().await;
    sweep.stop().await;
    assert_eq!(yard.job(id).await.status, JobStatus::Succeeded);
    assert_eq!(yard.job(later).await.status, JobStatus::Queued, "a draining worker takes no new job");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_for_one_job_stops_after_it() {
    let yard = Yard::new().await;
    let jobs = [yard.submit_named("demo").await, yard.submit_named("demo").await];
    let sweep = yard.sweep("s");
    let config = WorkerConfig { max_jobs: Some(1), concurrency: 4, ..yard.config() };
    yard.worker(train_task(), config).ended().await;
    sweep.stop().await;
    let mut statuses = vec![];
    for id in jobs {
        statuses.push(yard.job(id).await.status);
    }
    statuses.sort_by_key(|status| status.is_final());
    assert_eq!(statuses, [JobStatus::Queued, JobStatus::Succeeded]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_takes_up_what_its_predecessor_left_running() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let mut tx = yard.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    tx.jobs().claim(id, "predecessor", Some(now), chrono::Duration::hours(1)).await.unwrap().unwrap();
    // Without the lead, the new sweep would not send the job.
    let leads = tx.leaders().acquire("sweep", "predecessor", now, now + chrono::Duration::hours(1)).await.unwrap();
    assert!(leads, "nobody swept before");
    tx.commit().await.unwrap();
    assert_eq!(trainyard_worker::reclaim_orphans(&yard.db).await.unwrap(), 1);
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    let job = yard.until_status(id, JobStatus::Succeeded).await;
    assert_eq!(job.counts, Counts { attempts: 0, crashes: 0, interruptions: 1 });
    worker.drain().await;
    sweep.stop().await;
}
