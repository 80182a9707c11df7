//! The sweep: lost ids, lost workers, orphans; and two sweeps that do no more than one.

use std::time::Duration;

use bytes::Bytes;
use trainyard_artifacts::Key;
use trainyard_domain::outcome::{Counts, Ending, after};
use trainyard_domain::{Dataset, DatasetId, DatasetName, Job, JobId, JobStatus, UserId};
use trainyard_queue::{Queue, RedisOptions};
use trainyard_storage::WorkerRow;
use trainyard_testkit::{eventually, redis, unique};
use trainyard_worker::{SweepConfig, WorkerConfig};

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

/// A yard whose queue is in Redis, and the keys of that queue's normal class.
async fn over_redis() -> (Yard, impl Fn(&str) -> String) {
    let prefix = unique("yard");
    let queue = Queue::redis(&redis().url(), &prefix, RedisOptions::default()).unwrap();
    let mut yard = Yard::new().await;
    yard.queue = queue;
    (yard, move |kind| format!("{{{prefix}}}:{kind}:normal"))
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_the_queue_lost_are_sent_again() {
    let (yard, key) = over_redis().await;
    let jobs = [yard.submit_named("lost").await, yard.submit_named("kept").await];
    let sweep = yard.sweep("s");
    yard.until_sent(2).await;
    let first = redis().cli(&["XRANGE", &key("jobs"), "-", "+", "COUNT", "1"]);
    let first = first.lines().next().unwrap().to_owned();
    // One of two, as by somebody who tidies up; then all there is, as by a flush.
    redis().cli(&["XDEL", &key("jobs"), &first]);
    eventually("the lost one is there again", LIMIT, async || {
        redis().cli(&["XRANGE", &key("jobs"), "-", "+"]).contains(&jobs[0].to_string()).then_some(())
    })
    .await;
    redis().cli(&["DEL", &key("jobs"), &key("sent"), &key("held"), &key("refused")]);
    yard.until_sent(2).await;
    let worker = yard.worker(train_task(), yard.config());
    for id in jobs {
        assert_eq!(yard.until_status(id, JobStatus::Succeeded).await.claim, 1);
    }
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_in_the_queue_twice_run_once() {
    let (yard, key) = over_redis().await;
    let mut jobs = vec![];
    for _ in 0..5 {
        jobs.push(yard.submit_named("demo").await);
    }
    let sweep = yard.sweep("s");
    yard.until_sent(5).await;
    for id in &jobs {
        redis().cli(&["XADD", &key("jobs"), "*", "job", &id.to_string()]);
    }
    let worker = yard.worker(train_task(), yard.config());
    for id in jobs {
        assert_eq!(yard.until_status(id, JobStatus::Succeeded).await.claim, 1);
    }
    yard.until_sent(0).await;
    worker.drain().await;
    sweep.stop().await;
    assert_eq!(yard.versions("demo").await.len(), 5);
}

/// As after an outage in which the claim was committed, its answer was lost, and the id was delivered again. On one thread,
/// both deliveries ask the database before either has its answer.
#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_run_once_by_two_deliveries() {
    let (yard, key) = over_redis().await;
    let worker = yard.worker(train_task(), WorkerConfig { concurrency: 2, ..yard.config() });
    let since = yard.clock.now() - chrono::Duration::hours(1);
    let workers = async || yard.db.read().await.unwrap().workers().list(since).await.unwrap();
    let owner = eventually("the worker is registered", LIMIT, async || workers().await.pop()).await.id;
    let id = yard.submit_named("demo").await;
    let mut tx = yard.db.begin().await.unwrap();
    tx.jobs().claim(id, &owner, None, chrono::Duration::hours(1)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    // Both entries in one step, so that one read brings both.
    let twice = "for _ = 1, 2 do redis.call('XADD', KEYS[1], '*', 'job', ARGV[1]) end";
    redis().cli(&["EVAL", twice, "1", &key("jobs"), &id.to_string()]);
    yard.until_status(id, JobStatus::Succeeded).await;
    yard.until_sent(0).await;
    worker.drain().await;
    let log = yard.db.read().await.unwrap().logs().after(id, 0, 1_000).await.unwrap();
    let starts = log.iter().filter(|line| format!("{line:?}").contains("runs on worker")).count();
    assert_eq!((starts, yard.versions("demo").await.len()), (1, 1), "{log:?}");
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
        yard.until(*id, |job| job.status == JobStatus::Queued).await;
    }
    yard.until_sent(20).await;
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
    yard.until_sent(3).await;
    sweep.stop().await;
    yard.until_sent(3).await;
    // As soon as a worker has taken some, others follow.
    let sweep = yard.sweep_with("t", SweepConfig { dispatch_window: 3, ..quick_sweep() });
    let worker = yard.worker(train_task(), yard.config());
    eventually("all ran", LIMIT, async || (yard.versions("demo").await.len() == 10).then_some(())).await;
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_few_jobs_does_not_wait_for_whoever_has_many() {
    for yard in [Yard::new().await, over_redis().await.0] {
        let (mut many, mut few) = (vec![], vec![]);
        for _ in 0..30 {
            many.push(yard.submit_named("many").await);
        }
        let sweep = yard.sweep_with("s", SweepConfig { dispatch_window: 2, ..quick_sweep() });
        yard.until_sent(2).await;
        let late = UserId::at(yard.clock.now());
        for _ in 0..5 {
            few.push(yard.submit(Job { created_by: late, ..yard.new_job("few") }).await);
        }
        yard.until_sent(4).await;
        let worker = yard.worker(train_task(), yard.config());
        for id in &few {
            yard.until_status(*id, JobStatus::Succeeded).await;
        }
        let last = yard.job(few[4]).await.started_at;
        worker.drain().await;
        sweep.stop().await;
        let mut before = 0;
        for id in many {
            let started = yard.job(id).await.started_at;
            before += u32::from(started.is_some() && started < last);
        }
        // Two were there before the first. After that a pair of the few waits for at most two pairs of the many: one that
        // was in the queue when room was made for it, and one that was sent together with it.
        assert!((2..=10).contains(&before), "{before} of the many ran first, over {:?}", yard.queue);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_time_has_come_is_sent() {
    let yard = Yard::new().await;
    let job = yard.new_job("later");
    let soon = Job { run_at: job.created_at + chrono::Duration::milliseconds(300), ..job };
    let far = Job { run_at: soon.created_at + chrono::Duration::days(1), ..yard.new_job("much-later") };
    let (soon, far) = (yard.submit(soon).await, yard.submit(far).await);
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    let ran = yard.until_status(soon, JobStatus::Succeeded).await;
    assert!(ran.started_at.unwrap() >= ran.run_at);
    assert_eq!(yard.job(far).await.status, JobStatus::Queued);
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_no_row_names_are_removed_and_others_stay() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    yard.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
    yard.store.put_bytes(&Key::artifact(id, 99), Bytes::from_static(b"left behind")).await.unwrap();
    // As of an upload whose row was never committed, and of a data set whose object outlived its deletion.
    yard.store.put_bytes(&Key::dataset(DatasetId::at(yard.clock.now())), Bytes::from_static(b"x,y")).await.unwrap();
    let deleted = Key::dataset(DatasetId::at(yard.clock.now()));
    yard.store.put_bytes(&deleted, Bytes::from_static(b"x,y")).await.unwrap();
    let mut tx = yard.db.begin().await.unwrap();
    let gone = DatasetName::parse("gone").unwrap();
    let storage_key = deleted.as_str().to_owned();
    let row = Dataset { id: DatasetId::at(yard.clock.now()), name: gone.clone(), storage_key, ..yard.dataset.clone() };
    tx.datasets().insert(&row).await.unwrap();
    tx.datasets().delete(&gone).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((yard.artifacts().await, yard.store.list("datasets").await.unwrap().len()), (2, 3));
    let sweep = yard.sweep_with("s", SweepConfig { orphan_age_s: 0, orphans_every_s: 0, ..quick_sweep() });
    eventually("the orphans are gone", LIMIT, async || {
        (yard.artifacts().await == 1 && yard.store.list("datasets").await.unwrap().len() == 1).then_some(())
    })
    .await;
    sweep.stop().await;
    let versions = yard.versions("demo").await;
    let key = Key::parse(&versions[0].artifact_key).unwrap();
    yard.store.get_bytes(&key, &versions[0].sha256, 1 << 30).await.unwrap();
    let key = Key::parse(&yard.dataset.storage_key).unwrap();
    yard.store.get_bytes(&key, &yard.dataset.sha256, 1 << 30).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_artifact_stays_for_as_long_as_its_run_holds_the_job() {
    let yard = Yard::new().await;
    let lease_expires_at = Some(yard.clock.now() + chrono::Duration::hours(1));
    let id = yard.submit(Job { lease_expires_at, ..expired(&yard, "busy") }).await;
    for claim in [0, 1] {
        yard.store.put_bytes(&Key::artifact(id, claim), Bytes::from_static(b"a model")).await.unwrap();
    }
    let sweep = yard.sweep_with("s", SweepConfig { orphan_age_s: 0, orphans_every_s: 0, ..quick_sweep() });
    eventually("the artifact of the earlier claim is gone", LIMIT, async || (yard.artifacts().await < 2).then_some(()))
        .await;
    // Two whole searches later: the second one began after the artifact of the earlier claim was gone.
    for _ in 0..2 {
        let probe = Key::artifact(JobId::at(yard.clock.now()), 1);
        yard.store.put_bytes(&probe, Bytes::from_static(b"an orphan")).await.unwrap();
        eventually("a search has ended", LIMIT, async || (yard.artifacts().await == 1).then_some(())).await;
    }
    let left = yard.store.list("artifacts").await.unwrap();
    assert_eq!(left[0].0, Key::artifact(id, 1));
    let mut tx = yard.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let next = after(Ending::Interrupted, Counts::default(), 3, false, now, 0.0);
    assert!(tx.jobs().end_run(id, 1, &next, now).await.unwrap());
    tx.commit().await.unwrap();
    eventually("nothing is left", LIMIT, async || (yard.artifacts().await == 0).then_some(())).await;
    sweep.stop().await;
}
