//! A run whose claim is lost writes nothing. A run whose database is away keeps its job.

use chrono::Duration;
use trainyard_domain::Clock;
use trainyard_domain::JobId;
use trainyard_domain::JobStatus;
use trainyard_domain::outcome::{Counts, RunOutcome, next_state};
use trainyard_testkit::eventually;
use trainyard_worker::{SweepConfig, WorkerConfig};

use crate::harness::{HANG, Harness, WAIT_THEN_TRAIN, any_lives, quick_sweep};

/// Ends the run as the sweep does, and claims the job for another worker.
async fn claim_for_another_worker(harness: &Harness, id: JobId) {
    let job = harness.job(id).await;
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let next = next_state(RunOutcome::Interrupted, job.counts, 3, false, now, 0.0);
    assert!(tx.jobs().finish_run(id, job.claim, &next, now).await.unwrap());
    tx.jobs().claim(id, "another", Some(now), Duration::hours(1)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_worker_publishes_nothing_and_deletes_its_artifact() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    // The worker does not renew its lease in the meantime, like a paused process.
    let blind = WorkerConfig { lease_s: 3_600, renew_every_s: 600, cancel_poll_ms: 600_000, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&harness.script("wait", WAIT_THEN_TRAIN), blind));
    harness.written("waiting").await;
    claim_for_another_worker(&harness, id).await;
    harness.go();
    worker.drain().await;
    sweep.stop().await;
    let job = harness.job(id).await;
    assert_eq!((job.status, job.claim, job.worker.as_deref()), (JobStatus::Running, 2, Some("another")));
    assert_eq!(harness.versions("demo").await.len(), 0);
    assert_eq!(harness.artifacts().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_learns_of_another_claim_kills_its_child() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&harness.script("hang", HANG), harness.config()));
    let pids = harness.written("pids").await;
    claim_for_another_worker(&harness, id).await;
    // The child never ends by itself, so only the lost lease can end the run.
    let limit = std::time::Duration::from_secs(30);
    eventually("the child is dead", limit, async || (!any_lives(&pids)).then_some(())).await;
    worker.drain().await;
    sweep.stop().await;
    let job = harness.job(id).await;
    assert_eq!((job.status, job.claim), (JobStatus::Running, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_on_one_worker_loses_no_lease() {
    let mut harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let sweep = harness.sweep("s");
    harness.clock = Clock::manual(harness.clock.now() - Duration::days(1));
    let worker = harness.worker(&harness.script("wait", WAIT_THEN_TRAIN), harness.config());
    harness.written("waiting").await;
    harness.clock.advance(Duration::days(400));
    // Leases use the database's time, so the clock of the worker does not matter.
    let before = harness.job(id).await.lease_expires_at;
    let job = harness.until(id, |job| job.lease_expires_at > before).await;
    assert!(job.lease_expires_at.unwrap() < chrono::Utc::now() + Duration::days(1));
    harness.go();
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    assert_eq!((job.claim, job.counts), (1, Counts::default()));
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_for_longer_than_a_lease_ends_no_run() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let config = WorkerConfig { lease_s: 1, storage_patience_s: 60, ..harness.config() };
    let batching = SweepConfig { settle_ms: 2_000, ..quick_sweep() };
    let sweep = harness.sweep_with("s", batching);
    let worker = harness.worker(&harness.script("wait", WAIT_THEN_TRAIN), config);
    harness.written("waiting").await;
    // Other writes wait while this transaction is open.
    let blocking = harness.db.begin().await.unwrap();
    // Long enough that the sweep, which waited too, starts its grace period.
    harness.until(id, |job| job.lease_expires_at.unwrap() < chrono::Utc::now() - Duration::seconds(3)).await;
    harness.go();
    drop(blocking);
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    assert_eq!((job.claim, job.counts), (1, Counts::default()));
    worker.drain().await;
    sweep.stop().await;
    assert_eq!(harness.versions("demo").await.len(), 1);
}
