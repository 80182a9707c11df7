//! A run whose job went to somebody else writes nothing and leaves nothing; a run whose database is away keeps its job.

use chrono::Duration;
use trainyard_domain::Clock;
use trainyard_domain::JobId;
use trainyard_domain::JobStatus;
use trainyard_domain::outcome::{Counts, Ending, after};
use trainyard_testkit::eventually;
use trainyard_worker::{SweepConfig, WorkerConfig};

use crate::yard::{HANG, WAIT_THEN_TRAIN, Yard, any_lives, quick_sweep};

/// What the sweep and another worker do when they take a run for lost.
async fn claim_underneath(yard: &Yard, id: JobId) {
    let job = yard.job(id).await;
    let mut tx = yard.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let next = after(Ending::Interrupted, job.counts, 3, false, now, 0.0);
    assert!(tx.jobs().end_run(id, job.claim, &next, now).await.unwrap());
    tx.jobs().claim(id, "another", Some(now), Duration::hours(1)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_worker_publishes_nothing_and_removes_its_artifact() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    // As if the worker had been stopped: it does not look at its lease while the job changes hands.
    let blind = WorkerConfig { lease_s: 3_600, renew_every_s: 600, cancel_poll_ms: 600_000, ..yard.config() };
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&yard.script("wait", WAIT_THEN_TRAIN), blind));
    yard.written("waiting").await;
    claim_underneath(&yard, id).await;
    yard.go();
    worker.drain().await;
    sweep.stop().await;
    let job = yard.job(id).await;
    assert_eq!((job.status, job.claim, job.worker.as_deref()), (JobStatus::Running, 2, Some("another")));
    assert_eq!(yard.versions("demo").await.len(), 0);
    assert_eq!(yard.artifacts().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_learns_of_another_claim_kills_its_child() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&yard.script("hang", HANG), yard.config()));
    let pids = yard.written("pids").await;
    claim_underneath(&yard, id).await;
    // With an endless child and an hour's grace, only the lost lease can end the run.
    let limit = std::time::Duration::from_secs(30);
    eventually("the child is dead", limit, async || (!any_lives(&pids)).then_some(())).await;
    worker.drain().await;
    sweep.stop().await;
    let job = yard.job(id).await;
    assert_eq!((job.status, job.claim), (JobStatus::Running, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_on_one_worker_loses_no_lease() {
    let mut yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let sweep = yard.sweep("s");
    yard.clock = Clock::manual(yard.clock.now() - Duration::days(1));
    let worker = yard.worker(&yard.script("wait", WAIT_THEN_TRAIN), yard.config());
    yard.written("waiting").await;
    yard.clock.advance(Duration::days(400));
    // The database's time decides: the next renewal is as good as the last one.
    let before = yard.job(id).await.lease_expires_at;
    let job = yard.until(id, |job| job.lease_expires_at > before).await;
    assert!(job.lease_expires_at.unwrap() < chrono::Utc::now() + Duration::days(1));
    yard.go();
    let job = yard.until_status(id, JobStatus::Succeeded).await;
    assert_eq!((job.claim, job.counts), (1, Counts::default()));
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_for_longer_than_a_lease_ends_no_run() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let config = WorkerConfig { lease_s: 1, storage_patience_s: 60, ..yard.config() };
    let settles = SweepConfig { settle_ms: 2_000, ..quick_sweep() };
    let sweep = yard.sweep_with("s", settles);
    let worker = yard.worker(&yard.script("wait", WAIT_THEN_TRAIN), config);
    yard.written("waiting").await;
    // Nobody else can write for as long as this transaction is open.
    let away = yard.db.begin().await.unwrap();
    // Long enough that the sweep, which waited just as long, knows that it was not the worker's fault.
    yard.until(id, |job| job.lease_expires_at.unwrap() < chrono::Utc::now() - Duration::seconds(3)).await;
    yard.go();
    drop(away);
    let job = yard.until_status(id, JobStatus::Succeeded).await;
    assert_eq!((job.claim, job.counts), (1, Counts::default()));
    worker.drain().await;
    sweep.stop().await;
    assert_eq!(yard.versions("demo").await.len(), 1);
}
