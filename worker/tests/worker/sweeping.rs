//! The sweep: lost ids, lost workers, orphans; and two sweeps that do no more than one.

use std::time::Duration;

use bytes::Bytes;
use trainyard_artifacts::Key;
use trainyard_domain::outcome::Counts;
use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::WorkerRow;
use trainyard_testkit::eventually;
use trainyard_worker::SweepConfig;

use crate::yard::{Yard, quick_sweep, train_task};

const LIMIT: Duration = Duration::from_secs(30);

/// A running job whose lease ran out a minute ago.
fn expired(yard: &Yard, worker: &str) -> Job {
    let past = yard.clock.now() - chrono::Duration::minutes(1);
    let job = yard.new_job("demo");
    Job {
        status: JobStatus::Running,
        claim: 1,
        worker: Some(worker.to_owned()),
        lease_expires_at: Some(past),
        started_at: Some(past),
        ..job
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_the_queue_lost_is_sent_again() {
    let yard = Yard::new().await;
    let first = yard.submit_named("demo").await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    yard.until_status(first, JobStatus::Succeeded).await;
    // By now the sweep knows the queue, so only the empty queue can give this one away.
    let sent = yard.clock.now() - chrono::Duration::minutes(1);
    let lost = yard.submit(Job { dispatched_at: Some(sent), ..yard.new_job("demo") }).await;
    yard.until_status(lost, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_leader_sends_everything_again_and_nothing_runs_twice() {
    let yard = Yard::new().await;
    let mut jobs = vec![];
    for _ in 0..5 {
        let sent = Some(yard.clock.now());
        jobs.push(yard.submit(Job { dispatched_at: sent, ..yard.new_job("demo") }).await);
    }
    let twice: Vec<_> = jobs.iter().map(|id| (*id, trainyard_domain::PriorityClass::Normal)).collect();
    yard.queue.dispatch(&twice).await.unwrap();
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    for id in jobs {
        assert_eq!(yard.until_status(id, JobStatus::Succeeded).await.claim, 1);
    }
    worker.drain().await;
    sweep.stop().await;
    assert_eq!(yard.versions("demo").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_workers_job_comes_back_as_a_crash_and_a_living_ones_as_an_interruption() {
    let yard = Yard::new().await;
    let alive =
        WorkerRow { id: "alive".into(), busy: 1, capacity: 1, version: "0".into(), started_at: yard.clock.now() };
    let mut tx = yard.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    tx.workers().beat(&alive, now).await.unwrap();
    tx.commit().await.unwrap();
    let (dead, healthy) = (yard.submit(expired(&yard, "dead")).await, yard.submit(expired(&yard, "alive")).await);
    let sweep = yard.sweep("s");
    let dead = yard.until(dead, |job| job.status == JobStatus::Queued).await;
    assert_eq!(dead.counts, Counts { crashes: 1, ..Counts::default() });
    assert!(dead.error.unwrap().message.contains("worker lost"));
    let healthy = yard.until(healthy, |job| job.status == JobStatus::Queued).await;
    assert_eq!(healthy.counts, Counts { interruptions: 1, ..Counts::default() });
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sweeps_at_once_do_what_one_does() {
    let yard = Yard::new().await;
    let mut jobs: Vec<JobId> = vec![];
    for _ in 0..20 {
        jobs.push(yard.submit(expired(&yard, "dead")).await);
    }
    // A lease of no length: each round of either takes the lead, so both really work at once.
    let both = SweepConfig { lease_s: 0, every_ms: 1, ..quick_sweep() };
    let sweeps = [yard.sweep_with("one", both.clone()), yard.sweep_with("two", both)];
    for id in &jobs {
        yard.until(*id, |job| job.status == JobStatus::Queued && job.dispatched_at.is_some()).await;
    }
    for sweep in sweeps {
        sweep.stop().await;
    }
    for id in jobs {
        let job = yard.job(id).await;
        assert_eq!((job.counts.crashes, job.claim), (1, 1), "ended once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_user_fills_the_queue() {
    let yard = Yard::new().await;
    for _ in 0..10 {
        yard.submit_named("demo").await;
    }
    let sweep = yard.sweep_with("s", SweepConfig { dispatch_window: 3, ..quick_sweep() });
    let depth = async || yard.queue.depth().await.unwrap().iter().map(|(_, ids)| ids).sum::<u64>();
    eventually("three are sent", LIMIT, async || (depth().await >= 3).then_some(())).await;
    sweep.stop().await;
    assert_eq!(depth().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_was_lost_is_sent_again_though_others_wait_behind_it() {
    let yard = Yard::new().await;
    // Marked as sent a while ago, as by an API that was killed on its way to the queue; a younger one did get there.
    let long_ago = yard.clock.now() - chrono::Duration::hours(1);
    let lost = yard.submit(Job { dispatched_at: Some(long_ago), ..yard.new_job("lost") }).await;
    let sweep = yard.sweep_with("s", SweepConfig { redispatch_after_s: 1, ..quick_sweep() });
    // A new leader takes every id for lost; what counts is the one that it comes to lead with.
    yard.until(lost, |job| job.dispatched_at.is_some_and(|at| at > long_ago)).await;
    let younger = yard.submit_named("younger").await;
    yard.until(younger, |job| job.dispatched_at.is_some()).await;
    let mut tx = yard.db.begin().await.unwrap();
    tx.jobs().unmark_dispatched(&[lost]).await.unwrap();
    tx.jobs().mark_dispatched(&[lost], long_ago).await.unwrap();
    tx.commit().await.unwrap();
    yard.until(lost, |job| job.dispatched_at.is_some_and(|at| at > long_ago)).await;
    let depth: u64 = yard.queue.depth().await.unwrap().iter().map(|(_, ids)| ids).sum();
    assert!(depth >= 3, "the lost one again, beside those that waited all the while: {depth}");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_without_a_version_are_removed_and_others_stay() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    yard.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
    yard.store.put_bytes(&Key::artifact(id, 99), Bytes::from_static(b"left behind")).await.unwrap();
    assert_eq!(yard.artifacts().await, 2);
    let sweep = yard.sweep_with("s", SweepConfig { orphan_age_s: 0, orphans_every_s: 0, ..quick_sweep() });
    eventually("the orphan is gone", LIMIT, async || (yard.artifacts().await == 1).then_some(())).await;
    sweep.stop().await;
    let versions = yard.versions("demo").await;
    let key = Key::parse(&versions[0].artifact_key).unwrap();
    yard.store.get_bytes(&key, &versions[0].sha256, 1 << 30).await.unwrap();
}
