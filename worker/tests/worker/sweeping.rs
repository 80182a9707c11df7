//! The sweep: lost ids, dead workers, orphans, and two sweeps at once.

use std::time::Duration;

use bytes::Bytes;
use trainyard_artifacts::Key;
use trainyard_domain::outcome::{Counts, RunOutcome, next_state};
use trainyard_domain::{Dataset, DatasetId, DatasetName, Job, JobId, JobStatus, UserId};
use trainyard_queue::{Queue, RedisOptions};
use trainyard_storage::WorkerRow;
use trainyard_testkit::{eventually, redis, unique};
use trainyard_worker::{SweepConfig, WorkerConfig};

use crate::harness::{Harness, quick_sweep, train_task};

const LIMIT: Duration = Duration::from_secs(30);

/// A running job whose lease expired a minute ago.
fn expired(harness: &Harness, worker: &str) -> Job {
    let past = harness.clock.now() - chrono::Duration::minutes(1);
    let job = harness.new_job("demo");
    Job {
        status: JobStatus::Running,
        claim: 1,
        worker: Some(worker.to_owned()),
        lease_expires_at: Some(past),
        started_at: Some(past),
        ..job
    }
}

/// A harness with a queue in Redis, and the keys of its normal class.
async fn over_redis() -> (Harness, impl Fn(&str) -> String) {
    let prefix = unique("harness");
    let queue = Queue::redis(&redis().url(), &prefix, RedisOptions::default()).unwrap();
    let mut harness = Harness::new().await;
    harness.queue = queue;
    (harness, move |kind| format!("{{{prefix}}}:{kind}:normal"))
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_the_queue_lost_are_enqueued_again() {
    let (harness, key) = over_redis().await;
    let jobs = [harness.submit_named("lost").await, harness.submit_named("kept").await];
    let sweep = harness.sweep("s");
    harness.until_enqueued(2).await;
    let first = redis().cli(&["XRANGE", &key("jobs"), "-", "+", "COUNT", "1"]);
    let first = first.lines().next().unwrap().to_owned();
    // First one of two entries is deleted, then all keys, as by a flush.
    redis().cli(&["XDEL", &key("jobs"), &first]);
    eventually("the lost id is enqueued again", LIMIT, async || {
        redis().cli(&["XRANGE", &key("jobs"), "-", "+"]).contains(&jobs[0].to_string()).then_some(())
    })
    .await;
    redis().cli(&["DEL", &key("jobs"), &key("sent"), &key("held"), &key("refused")]);
    harness.until_enqueued(2).await;
    let worker = harness.worker(train_task(), harness.config());
    for id in jobs {
        assert_eq!(harness.until_status(id, JobStatus::Succeeded).await.claim, 1);
    }
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_enqueued_twice_runs_once() {
    let (harness, key) = over_redis().await;
    let mut jobs = vec![];
    for _ in 0..5 {
        jobs.push(harness.submit_named("demo").await);
    }
    let sweep = harness.sweep("s");
    harness.until_enqueued(5).await;
    for id in &jobs {
        redis().cli(&["XADD", &key("jobs"), "*", "job", &id.to_string()]);
    }
    let worker = harness.worker(train_task(), harness.config());
    for id in jobs {
        assert_eq!(harness.until_status(id, JobStatus::Succeeded).await.claim, 1);
    }
    harness.until_enqueued(0).await;
    worker.drain().await;
    sweep.stop().await;
    assert_eq!(harness.versions("demo").await.len(), 5);
}

/// As after an outage in which the claim was committed, its answer was lost, and the id was delivered again. On one thread,
/// both deliveries ask the database before either has its answer.
#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_run_once_by_two_deliveries() {
    let (harness, key) = over_redis().await;
    let script = harness.script("count", "echo started >> \"$folder/starts\"\nexec \"$real\" train-task");
    let worker = harness.worker(&script, WorkerConfig { concurrency: 2, ..harness.config() });
    let since = harness.clock.now() - chrono::Duration::hours(1);
    let workers = async || harness.db.read().await.unwrap().workers().list(since).await.unwrap();
    let owner = eventually("the worker is registered", LIMIT, async || workers().await.pop()).await.id;
    let id = harness.submit_named("demo").await;
    let mut tx = harness.db.begin().await.unwrap();
    tx.jobs().claim(id, &owner, None, chrono::Duration::hours(1)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    // Both entries in one step, so that one read brings both.
    let twice = "for _ = 1, 2 do redis.call('XADD', KEYS[1], '*', 'job', ARGV[1]) end";
    redis().cli(&["EVAL", twice, "1", &key("jobs"), &id.to_string()]);
    harness.until_status(id, JobStatus::Succeeded).await;
    harness.until_enqueued(0).await;
    worker.drain().await;
    let starts = harness.written("starts").await;
    assert_eq!((starts.as_str(), harness.versions("demo").await.len()), ("started\n", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_lease_is_a_crash_of_a_dead_worker_and_an_interruption_of_a_live_one() {
    let harness = Harness::new().await;
    let alive = WorkerRow {
        id: "alive".into(),
        busy: 1,
        capacity: 1,
        version: "0".into(),
        started_at: harness.clock.now(),
        memory_limit_mb: 0,
    };
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    tx.workers().heartbeat(&alive, now).await.unwrap();
    tx.commit().await.unwrap();
    let (dead, healthy) =
        (harness.submit(expired(&harness, "dead")).await, harness.submit(expired(&harness, "alive")).await);
    let sweep = harness.sweep("s");
    let dead = harness.until(dead, |job| job.status == JobStatus::Queued).await;
    assert_eq!(dead.counts, Counts { crashes: 1, ..Counts::default() });
    assert!(dead.error.unwrap().message.contains("worker lost"));
    let healthy = harness.until(healthy, |job| job.status == JobStatus::Queued).await;
    assert_eq!(healthy.counts, Counts { interruptions: 1, ..Counts::default() });
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sweeps_at_once_do_what_one_does() {
    let harness = Harness::new().await;
    let mut jobs: Vec<JobId> = vec![];
    for _ in 0..20 {
        jobs.push(harness.submit(expired(&harness, "dead")).await);
    }
    // With a lease of zero length, each round of either sweep acquires the lead, so both work at once.
    let both = SweepConfig { lease_s: 0, every_ms: 1, ..quick_sweep() };
    let sweeps = [harness.sweep_with("one", both.clone()), harness.sweep_with("two", both)];
    for id in &jobs {
        harness.until(*id, |job| job.status == JobStatus::Queued).await;
    }
    harness.until_enqueued(20).await;
    for sweep in sweeps {
        sweep.stop().await;
    }
    for id in jobs {
        let job = harness.job(id).await;
        assert_eq!((job.counts.crashes, job.claim), (1, 1), "ended once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_fills_only_their_window() {
    let harness = Harness::new().await;
    for _ in 0..10 {
        harness.submit_named("demo").await;
    }
    let sweep = harness.sweep_with("s", SweepConfig { dispatch_window: 3, ..quick_sweep() });
    harness.until_enqueued(3).await;
    sweep.stop().await;
    harness.until_enqueued(3).await;
    // The sweep enqueues more as a worker claims jobs.
    let sweep = harness.sweep_with("t", SweepConfig { dispatch_window: 3, ..quick_sweep() });
    let worker = harness.worker(train_task(), harness.config());
    eventually("all ran", LIMIT, async || (harness.versions("demo").await.len() == 10).then_some(())).await;
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_few_jobs_does_not_wait_for_a_user_with_many() {
    for harness in [Harness::new().await, over_redis().await.0] {
        let (mut many, mut few) = (vec![], vec![]);
        for _ in 0..30 {
            many.push(harness.submit_named("many").await);
        }
        let sweep = harness.sweep_with("s", SweepConfig { dispatch_window: 2, ..quick_sweep() });
        harness.until_enqueued(2).await;
        let late = UserId::at(harness.clock.now());
        for _ in 0..5 {
            few.push(harness.submit(Job { created_by: late, ..harness.new_job("few") }).await);
        }
        harness.until_enqueued(4).await;
        let worker = harness.worker(train_task(), harness.config());
        for id in &few {
            harness.until_status(*id, JobStatus::Succeeded).await;
        }
        let last = harness.job(few[4]).await.started_at;
        worker.drain().await;
        sweep.stop().await;
        let mut before = 0;
        for id in many {
            let started = harness.job(id).await.started_at;
            before += u32::from(started.is_some() && started < last);
        }
        // Two jobs of the many were enqueued first. After that, each pair of the few waits for at most two pairs of the many:
        // a pair that was already enqueued, and a pair that was enqueued with it.
        assert!((2..=10).contains(&before), "{before} of the many ran first, over {:?}", harness.queue);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_job_is_enqueued() {
    let harness = Harness::new().await;
    let job = harness.new_job("later");
    let soon = Job { run_at: job.created_at + chrono::Duration::milliseconds(300), ..job };
    let far = Job { run_at: soon.created_at + chrono::Duration::days(1), ..harness.new_job("much-later") };
    let (soon, far) = (harness.submit(soon).await, harness.submit(far).await);
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), harness.config()));
    let ran = harness.until_status(soon, JobStatus::Succeeded).await;
    assert!(ran.started_at.unwrap() >= ran.run_at);
    assert_eq!(harness.job(far).await.status, JobStatus::Queued);
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_without_a_row_are_deleted() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), harness.config()));
    harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
    harness.store.put_bytes(&Key::artifact(id, 99), Bytes::from_static(b"left behind")).await.unwrap();
    // An upload whose row was not committed, and a deleted dataset whose object was not deleted.
    harness
        .store
        .put_bytes(&Key::dataset(DatasetId::at(harness.clock.now())), Bytes::from_static(b"x,y"))
        .await
        .unwrap();
    let deleted = Key::dataset(DatasetId::at(harness.clock.now()));
    harness.store.put_bytes(&deleted, Bytes::from_static(b"x,y")).await.unwrap();
    let mut tx = harness.db.begin().await.unwrap();
    let gone = DatasetName::parse("gone").unwrap();
    let storage_key = deleted.as_str().to_owned();
    let row =
        Dataset { id: DatasetId::at(harness.clock.now()), name: gone.clone(), storage_key, ..harness.dataset.clone() };
    tx.datasets().insert(&row).await.unwrap();
    tx.datasets().delete(&gone).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((harness.artifacts().await, harness.store.list("datasets").await.unwrap().len()), (2, 3));
    let sweep = harness.sweep_with("s", SweepConfig { orphan_age_s: 0, orphans_every_s: 0, ..quick_sweep() });
    eventually("the orphans are deleted", LIMIT, async || {
        (harness.artifacts().await == 1 && harness.store.list("datasets").await.unwrap().len() == 1).then_some(())
    })
    .await;
    sweep.stop().await;
    let versions = harness.versions("demo").await;
    let key = Key::parse(&versions[0].artifact_key).unwrap();
    harness.store.get_bytes(&key, &versions[0].sha256, 1 << 30).await.unwrap();
    let key = Key::parse(&harness.dataset.storage_key).unwrap();
    harness.store.get_bytes(&key, &harness.dataset.sha256, 1 << 30).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_log_is_deleted_after_its_retention_time() {
    let harness = Harness::new().await;
    let log = Key::request_log(harness.clock.now(), JobId::at(harness.clock.now()).0);
    harness.store.put_bytes(&log, Bytes::from_static(b"lines")).await.unwrap();
    let quick = SweepConfig { orphan_age_s: 0, orphans_every_s: 0, ..quick_sweep() };
    let logged = async || harness.store.list(Key::REQUEST_LOG).await.unwrap().len();
    let sweep = harness.sweep_with("s", SweepConfig { keep_request_log_s: 0, ..quick.clone() });
    // The second search begins after the first one has ended.
    for _ in 0..3 {
        let probe = Key::artifact(JobId::at(harness.clock.now()), 1);
        harness.store.put_bytes(&probe, Bytes::from_static(b"an orphan")).await.unwrap();
        eventually("a search has found the orphan", LIMIT, async || (harness.artifacts().await == 0).then_some(()))
            .await;
    }
    assert_eq!(logged().await, 1, "0 keeps the log");
    sweep.stop().await;
    let sweep = harness.sweep_with("t", SweepConfig { keep_request_log_s: 1, ..quick });
    eventually("the log is deleted", LIMIT, async || (logged().await == 0).then_some(())).await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_artifact_of_an_active_run_is_kept() {
    let harness = Harness::new().await;
    let lease_expires_at = Some(harness.clock.now() + chrono::Duration::hours(1));
    let id = harness.submit(Job { lease_expires_at, ..expired(&harness, "busy") }).await;
    for claim in [0, 1] {
        harness.store.put_bytes(&Key::artifact(id, claim), Bytes::from_static(b"a model")).await.unwrap();
    }
    let sweep = harness.sweep_with("s", SweepConfig { orphan_age_s: 0, orphans_every_s: 0, ..quick_sweep() });
    eventually("the artifact of the earlier claim is deleted", LIMIT, async || {
        (harness.artifacts().await < 2).then_some(())
    })
    .await;
    // After two more searches, of which the second began after the first probe.
    for _ in 0..2 {
        let probe = Key::artifact(JobId::at(harness.clock.now()), 1);
        harness.store.put_bytes(&probe, Bytes::from_static(b"an orphan")).await.unwrap();
        eventually("a search has ended", LIMIT, async || (harness.artifacts().await == 1).then_some(())).await;
    }
    let left = harness.store.list("artifacts").await.unwrap();
    assert_eq!(left[0].0, Key::artifact(id, 1));
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let next = next_state(RunOutcome::Interrupted, Counts::default(), 3, false, now, 0.0);
    assert!(tx.jobs().finish_run(id, 1, &next, now).await.unwrap());
    tx.commit().await.unwrap();
    eventually("the artifact is deleted", LIMIT, async || (harness.artifacts().await == 0).then_some(())).await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_samples_the_queue() {
    let harness = Harness::new().await;
    let start = harness.clock.now();
    harness.submit_named("demo").await;
    let sweep = harness.sweep("s");
    let samples = eventually("the queue is sampled", LIMIT, async || {
        let mut tx = harness.db.read().await.unwrap();
        let samples = tx.queue_history().since(start - chrono::Duration::minutes(1)).await.unwrap();
        (!samples.is_empty()).then_some(samples)
    })
    .await;
    assert_eq!((samples[0].queued, samples[0].running), (1, 0));
    sweep.stop().await;
}
