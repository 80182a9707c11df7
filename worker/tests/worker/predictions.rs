//! Prediction jobs: parts, runs that continue after others, and fencing.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use trainyard_artifacts::Key;
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::outcome::{Counts, RunOutcome, next_state};
use trainyard_domain::{
    Dataset, DatasetId, DatasetName, FailureCode, Job, JobId, JobStatus, ModelName, MoveCause, MoveReason,
};
use trainyard_storage::PredictionPart;
use trainyard_testkit::eventually;
use trainyard_worker::{SandboxMode, SweepConfig, WorkerConfig};

use crate::harness::{Harness, quick_sweep, train_task};

const LIMIT: Duration = Duration::from_secs(60);

/// A script body that forwards the reports of the real process and runs `$1` after part `$2`.
fn after_part(part: u32, then: &str) -> String {
    format!(
        r#""$real" train-task | while IFS= read -r line; do
            printf '%s\n' "$line"
            case "$line" in *'"type":"part","number":{part},'*) {then};; esac
        done"#
    )
}

/// Kills the process in its first run when it has written four parts: at least two of them are stored then.
fn crash_once() -> String {
    let crash = after_part(3, r#"kill -KILL $$"#);
    format!("if [ -e \"$folder/crashed\" ]; then exec \"$real\" train-task; fi\ntouch \"$folder/crashed\"\n{crash}")
}

/// Waits for [`Harness::go`] after the first part.
fn wait_after_the_first_part() -> String {
    after_part(0, r#"echo waiting > "$folder/waiting"; while [ ! -e "$folder/go" ]; do sleep 0.02; done"#)
}

fn small_parts(harness: &Harness) -> WorkerConfig {
    WorkerConfig { prediction_part_rows: 100, ..harness.config() }
}

/// A harness with version 1 of the model `demo`.
async fn harness() -> Harness {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let (sweep, worker) = (harness.sweep("trainer"), harness.worker(train_task(), harness.config()));
    harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
    harness
}

async fn parts(harness: &Harness, id: JobId) -> Vec<PredictionPart> {
    harness.db.read().await.unwrap().predictions().parts(id).await.unwrap()
}

/// The bytes of a result, and the number of its parts.
async fn result(harness: &Harness, id: JobId) -> (String, usize) {
    let (mut bytes, parts) = (Vec::new(), parts(harness, id).await);
    for part in &parts {
        let key = Key::parse(&part.key).unwrap();
        bytes.extend_from_slice(&harness.store.get_bytes(&key, &part.sha256, 1 << 30).await.unwrap());
    }
    let metrics = harness.job(id).await.metrics.unwrap();
    assert_eq!(metrics["bytes"], bytes.len());
    assert_eq!(metrics["sha256"], hex::encode(Sha256::digest(&bytes)));
    (String::from_utf8(bytes).unwrap(), parts.len())
}

/// The result of an unbroken run with parts of the default size.
async fn unbroken(harness: &Harness) -> String {
    let id = harness.submit(harness.new_prediction("demo")).await;
    let worker = harness.worker(train_task(), harness.config());
    harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    let (text, parts) = result(harness, id).await;
    assert_eq!(parts, 1);
    text
}

async fn objects(harness: &Harness) -> usize {
    harness.store.list("predictions").await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prediction_publishes_its_result_in_the_sandbox() {
    let harness = harness().await;
    let sweep = harness.sweep("s");
    let id = harness.submit(harness.new_prediction("demo")).await;
    let config = WorkerConfig { sandbox: SandboxMode::Required, ..small_parts(&harness) };
    let worker = harness.worker(train_task(), config);
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    assert_eq!((job.model_version, job.progress, job.counts), (None, 1.0, Counts::default()));
    let metrics = job.metrics.unwrap();
    assert_eq!(metrics["rows"], 1_309);
    assert_eq!(metrics["missing_values"], serde_json::json!({"age": 263}));
    let (text, parts) = result(&harness, id).await;
    assert_eq!((text.lines().count(), parts), (1_310, 14));
    assert!(text.starts_with("pclass,name,sex,age,"), "{}", &text[..200]);
    assert!(text.lines().next().unwrap().ends_with(",survived,predicted_survived,probability_0,probability_1"));
    assert_eq!(text, unbroken(&harness).await, "the size of the parts does not matter");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_crashes_is_continued_to_the_same_bytes() {
    let harness = harness().await;
    let sweep = harness.sweep("s");
    let id = harness.submit(harness.new_prediction("demo")).await;
    let worker = harness.worker(&harness.script("crash", &crash_once()), small_parts(&harness));
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    assert_eq!((job.claim, job.counts), (2, Counts { crashes: 1, ..Counts::default() }));
    let (text, _) = result(&harness, id).await;
    assert_eq!(text, unbroken(&harness).await);
    let parts = parts(&harness, id).await;
    let of_claim = |claim: i64| parts.iter().filter(|part| part.key.contains(&format!("/{claim}/"))).count();
    assert!(of_claim(1) >= 2 && of_claim(2) >= 10, "{parts:?}");
    assert_eq!(job.metrics.unwrap()["missing_values"], serde_json::json!({"age": 263}), "each row is counted once");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_the_store_has_lost_are_predicted_again() {
    let harness = harness().await;
    let sweep = harness.sweep("s");
    let id = harness.submit(harness.new_prediction("demo")).await;
    let one_job = WorkerConfig { max_jobs: 1, ..small_parts(&harness) };
    harness.worker(&harness.script("crash", &crash_once()), one_job).ended().await;
    let before = parts(&harness, id).await;
    assert!(before.len() >= 2, "{before:?}");
    harness.store.delete(&Key::parse(&before[1].key).unwrap()).await.unwrap();
    let worker = harness.worker(train_task(), small_parts(&harness));
    harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    let (text, _) = result(&harness, id).await;
    assert_eq!(text, unbroken(&harness).await);
    let after = parts(&harness, id).await;
    assert_eq!(after[0], before[0]);
    assert!(after[1..].iter().all(|part| part.key.contains("/2/")), "{after:?}");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_worker_records_and_publishes_nothing() {
    let harness = harness().await;
    let sweep = harness.sweep("s");
    let id = harness.submit(harness.new_prediction("demo")).await;
    let blind = WorkerConfig { lease_s: 3_600, renew_every_s: 600, cancel_poll_ms: 600_000, ..small_parts(&harness) };
    let worker = harness.worker(&harness.script("wait", &wait_after_the_first_part()), blind);
    harness.written("waiting").await;
    let first = eventually("the first part is recorded", LIMIT, async || parts(&harness, id).await.pop()).await;
    let job = harness.job(id).await;
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let next = next_state(RunOutcome::Interrupted, job.counts, 3, false, now, 0.0);
    assert!(tx.jobs().finish_run(id, job.claim, &next, now).await.unwrap());
    tx.jobs().claim(id, "another", Some(now), chrono::Duration::hours(1)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    harness.go();
    worker.drain().await;
    let job = harness.job(id).await;
    assert_eq!((job.status, job.claim, job.worker.as_deref()), (JobStatus::Running, 2, Some("another")));
    assert_eq!(parts(&harness, id).await, [first], "the next run continues after it");
    assert_eq!(objects(&harness).await, 1, "the late run deletes what it can't record");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_run_keeps_its_parts_for_the_next_one() {
    let harness = harness().await;
    let sweep = harness.sweep("s");
    let id = harness.submit(harness.new_prediction("demo")).await;
    let config = WorkerConfig { grace_s: 0, ..small_parts(&harness) };
    let worker = harness.worker(&harness.script("wait", &wait_after_the_first_part()), config);
    harness.written("waiting").await;
    eventually("the first part is recorded", LIMIT, async || parts(&harness, id).await.pop()).await;
    worker.drain().await;
    assert_eq!(harness.job(id).await.counts, Counts { interruptions: 1, ..Counts::default() });
    let worker = harness.worker(train_task(), small_parts(&harness));
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    assert_eq!(job.attempt(), 1, "a drain is no attempt");
    let (text, _) = result(&harness, id).await;
    assert_eq!(text, unbroken(&harness).await);
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prediction_with_a_deleted_model_fails_without_a_retry() {
    let harness = harness().await;
    let mut tx = harness.db.begin().await.unwrap();
    let cause = MoveCause::new(MoveReason::VersionDeleted, harness.clock.now());
    tx.models().delete_version(&ModelName::parse("demo").unwrap(), 1, true, &cause).await.unwrap();
    tx.commit().await.unwrap();
    let id = harness.submit(harness.new_prediction("demo")).await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), harness.config()));
    let job = harness.until_status(id, JobStatus::Failed).await;
    let error = job.error.unwrap();
    assert_eq!((error.code, job.counts.attempts), (FailureCode::ModelMissing, 1));
    assert_eq!(error.message, "version 1 of the model 'demo' was deleted");
    worker.drain().await;
    sweep.stop().await;
}

/// Without Landlock, a process can create a link to a file that it can't read, and report the right digest.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_name_of_a_part_is_not_stored() {
    let harness = harness().await;
    std::fs::write(harness.folder.path().join("secret"), "secret").unwrap();
    let sha256 = hex::encode(Sha256::digest(b"secret"));
    let part = format!(r#"{{"type":"part","number":0,"rows":1,"size":6,"sha256":"{sha256}","counts":{{}}}}"#);
    let script = harness.script("link", &format!("ln -s \"$folder/secret\" part-0.csv; echo '{part}'; sleep 600"));
    let mut order = harness.new_prediction("demo");
    order.spec.max_attempts = 1;
    let id = harness.submit(order).await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&script, harness.config()));
    let job = harness.until_status(id, JobStatus::Failed).await;
    assert_eq!(job.error.unwrap().code, FailureCode::Internal);
    assert_eq!(objects(&harness).await, 0);
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_prediction_is_deleted_with_its_result() {
    let harness = harness().await;
    let mut order = harness.new_prediction("demo");
    order.created_at = harness.clock.now() - chrono::Duration::hours(2);
    (order.id, order.run_at) = (JobId::at(order.created_at), order.created_at);
    let id = harness.submit(order).await;
    let worker = harness.worker(train_task(), small_parts(&harness));
    let sweep = harness.sweep("s");
    harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
    assert_eq!(objects(&harness).await, 14);
    let expiry = SweepConfig { keep_finished_s: 1, cleanup_every_s: 1, orphans_every_s: 3_600, ..quick_sweep() };
    let sweep = harness.sweep_with("s", expiry);
    let gone = async || harness.db.read().await.unwrap().jobs().get(id).await.unwrap().is_none();
    eventually("the job is deleted", LIMIT, async || gone().await.then_some(())).await;
    eventually("its result is deleted", LIMIT, async || (objects(&harness).await == 0).then_some(())).await;
    sweep.stop().await;
}

/// A running prediction with a recorded part, and an object that is not recorded.
async fn running(harness: &Harness) -> Job {
    let lease = Some(harness.clock.now() + chrono::Duration::hours(1));
    let order = harness.new_prediction("demo");
    let (status, started_at) = (JobStatus::Running, Some(order.created_at));
    let worker = Some("busy".to_owned());
    let job = Job { status, claim: 2, worker, lease_expires_at: lease, started_at, ..order };
    harness.submit(job.clone()).await;
    for (claim, number) in [(1, 0), (1, 1), (2, 1)] {
        let key = Key::prediction_part(job.id, claim, number);
        harness.store.put_bytes(&key, Bytes::from_static(b"1\n")).await.unwrap();
    }
    let part = PredictionPart {
        number: 0,
        key: Key::prediction_part(job.id, 1, 0).as_str().to_owned(),
        rows: 1,
        bytes: 2,
        sha256: String::new(),
        counts: serde_json::json!({}),
    };
    let mut tx = harness.db.begin().await.unwrap();
    assert!(tx.predictions().record_part(job.id, 2, &part).await.unwrap());
    tx.commit().await.unwrap();
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_without_a_use_are_collected() {
    let harness = Harness::new().await;
    let job = running(&harness).await;
    let sweep = harness.sweep_with("s", SweepConfig { orphan_age_s: 0, orphans_every_s: 0, ..quick_sweep() });
    let left = async || {
        let keys = harness.store.list("predictions").await.unwrap().into_iter().map(|(key, ..)| key);
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        keys
    };
    // A part that is recorded, and one that the current run may record.
    let kept = [Key::prediction_part(job.id, 1, 0), Key::prediction_part(job.id, 2, 1)];
    eventually("the part of the earlier claim is deleted", LIMIT, async || (left().await == kept).then_some(())).await;
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let next = next_state(RunOutcome::Cancelled, job.counts, 3, false, now, 0.0);
    assert!(tx.jobs().finish_run(job.id, 2, &next, now).await.unwrap());
    tx.commit().await.unwrap();
    eventually("the parts of the cancelled job are deleted", LIMIT, async || left().await.is_empty().then_some(()))
        .await;
    sweep.stop().await;
}

/// A dataset with so many rows that they do not fit into the memory of the process.
async fn large(harness: &Harness, rows: usize) -> Dataset {
    let padding = "x".repeat(40);
    let csv: String = std::iter::once("pclass,sex,age,note\n".to_owned())
        .chain((0..rows).map(|row| format!("{},{},{},{padding}\n", 1 + row % 3, ["male", "female"][row % 2], row % 80)))
        .collect();
    let bytes = Bytes::from(csv);
    let profile = trainyard_csv::profile(&bytes[..], &ReadOptions::default(), &Limits::default()).unwrap();
    let id = DatasetId::at(harness.clock.now());
    let dataset = Dataset {
        id,
        name: DatasetName::parse("large").unwrap(),
        rows: rows as i64,
        bytes: bytes.len() as i64,
        columns: profile.columns,
        format: profile.format,
        sha256: hex::encode(Sha256::digest(&bytes)),
        storage_key: Key::dataset(id).as_str().to_owned(),
        ..harness.dataset.clone()
    };
    harness.store.put_bytes(&Key::dataset(id), bytes).await.unwrap();
    let mut tx = harness.db.begin().await.unwrap();
    tx.datasets().insert(&dataset).await.unwrap();
    tx.commit().await.unwrap();
    dataset
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_depend_on_the_number_of_rows() {
    let harness = harness().await;
    let dataset = large(&harness, 1_500_000).await;
    let mut order = harness.new_prediction("demo");
    (order.dataset_id, order.spec.dataset) = (dataset.id, dataset.name.clone());
    let id = harness.submit(order).await;
    // The table has 80 MB and its result 150 MB.
    let config = WorkerConfig { child_memory_mb: 256, child_threads: 2, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), config));
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    assert_eq!(job.metrics.unwrap()["rows"], 1_500_000);
    assert_eq!(parts(&harness, id).await.len(), 30);
    worker.drain().await;
    sweep.stop().await;
}
