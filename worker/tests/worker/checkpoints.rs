//! Trainings that continue from checkpoints: after a drain, a crash and a lost lease, and with lost or damaged checkpoints.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use trainyard_artifacts::Key;
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::outcome::{Counts, RunOutcome, next_state};
use trainyard_domain::{Dataset, DatasetId, DatasetName, Job, JobId, JobStatus, LogEntry};
use trainyard_storage::{Checkpoint, RecordOutcome};
use trainyard_testkit::eventually;
use trainyard_worker::{SandboxMode, SweepConfig, WorkerConfig};

use crate::harness::{Harness, quick_sweep, train_task, training};

const LIMIT: Duration = Duration::from_secs(60);

/// A script body that forwards the reports of the real process and runs `then` after the first checkpoint.
fn after_the_first_checkpoint(then: &str) -> String {
    format!(
        r#""$real" train-task | while IFS= read -r line; do
            printf '%s\n' "$line"
            case "$line" in *'"type":"checkpoint","number":0,'*) {then};; esac
        done"#
    )
}

const WAIT: &str = r#"echo waiting > "$folder/waiting"; while [ ! -e "$folder/go" ]; do sleep 0.02; done"#;

/// Frequent checkpoints, a short grace period, and one thread, so that trainings are long.
fn config(harness: &Harness) -> WorkerConfig {
    WorkerConfig { checkpoint_interval_s: 1, grace_s: 0, child_threads: 1, ..harness.config() }
}

/// A forest of small trees that grows for many seconds on one thread.
async fn long_forest(harness: &Harness) -> Job {
    let cell = |row: u64, column: u64| ((row * 7_919 + column * 104_729).wrapping_mul(2_654_435_761) >> 9) & 1_023;
    let row = |row: u64| {
        let cells: Vec<String> = (0..8).map(|column| cell(row, column).to_string()).collect();
        format!("{},{}\n", cells.join(","), u8::from(cell(row, 0) + cell(row, 9) / 4 > 600))
    };
    let csv: String = std::iter::once("a,b,c,d,e,f,g,h,y\n".to_owned()).chain((0..30_000).map(row)).collect();
    let bytes = Bytes::from(csv);
    let profile = trainyard_csv::profile(&bytes[..], &ReadOptions::default(), &Limits::default()).unwrap();
    let id = DatasetId::at(harness.clock.now());
    let dataset = Dataset {
        id,
        name: DatasetName::parse("long").unwrap(),
        rows: 30_000,
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
    job_on(harness, &dataset)
}

fn job_on(harness: &Harness, dataset: &Dataset) -> Job {
    let mut job = harness.new_job("demo");
    (job.dataset_id, job.spec.dataset) = (dataset.id, dataset.name.clone());
    let work = training(&mut job);
    work.features = ["a", "b", "c", "d", "e", "f", "g", "h"].map(String::from).to_vec();
    work.target = "y".into();
    for (name, value) in [("n_trees", 2_000.into()), ("max_depth", 6.into()), ("max_features", "all".into())] {
        work.params.insert(name.into(), value);
    }
    job
}

async fn last(harness: &Harness, id: JobId) -> Option<Checkpoint> {
    harness.db.read().await.unwrap().checkpoints().last(id).await.unwrap()
}

async fn until_checkpoint(harness: &Harness, id: JobId) -> Checkpoint {
    eventually("a checkpoint is recorded", LIMIT, async || last(harness, id).await).await
}

async fn objects(harness: &Harness) -> Vec<Key> {
    let mut keys: Vec<Key> =
        harness.store.list("checkpoints").await.unwrap().into_iter().map(|(key, ..)| key).collect();
    keys.sort();
    keys
}

async fn log(harness: &Harness, id: JobId) -> Vec<String> {
    let page = harness.db.read().await.unwrap().logs().after(id, 0, 10_000).await.unwrap();
    let message = |entry| if let LogEntry::Log { message, .. } = entry { Some(message) } else { None };
    page.lines.into_iter().filter_map(|line| message(line.line.entry)).collect()
}

/// Trains the job again, without an interruption, and compares the model files of both versions.
async fn same_as_unbroken(harness: &Harness, job: &Job) {
    let again = Job { id: JobId::at(harness.clock.now()), ..job.clone() };
    let id = harness.submit(again).await;
    let worker = harness.worker(train_task(), WorkerConfig { checkpoint_interval_s: 0, ..harness.config() });
    harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    let versions = harness.versions("demo").await;
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0].sha256, versions[1].sha256);
}

/// Submits a long forest, and drains its worker after the first checkpoint.
async fn drained(harness: &Harness) -> Job {
    let job = long_forest(harness).await;
    harness.submit(job.clone()).await;
    let worker = harness.worker(train_task(), config(harness));
    let first = until_checkpoint(harness, job.id).await;
    worker.drain().await;
    let waiting = harness.job(job.id).await;
    assert_eq!(waiting.status, JobStatus::Queued);
    assert_eq!(waiting.counts, Counts { interruptions: 1, ..Counts::default() });
    assert_ne!(last(harness, job.id).await, Some(first), "the drained run writes a last checkpoint");
    assert_eq!(objects(harness).await.len(), 1, "the objects before are deleted");
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_training_continues_to_the_same_bytes() {
    let harness = Harness::new().await;
    let sweep = harness.sweep("s");
    let job = drained(&harness).await;
    let config = WorkerConfig { sandbox: SandboxMode::Required, ..config(&harness) };
    let worker = harness.worker(train_task(), config);
    let done = harness.until_status(job.id, JobStatus::Succeeded).await;
    worker.drain().await;
    assert_eq!(done.attempt(), 1, "a drain is no attempt");
    let log = log(&harness, job.id).await;
    let resumed = |line: &&String| line.starts_with("resumed from checkpoint: ") && line.ends_with(" of 2000 trees");
    assert_eq!(log.iter().filter(resumed).count(), 1, "{log:?}");
    assert!(log.iter().any(|line| line.starts_with("the last checkpoint of this run: ")), "{log:?}");
    assert_eq!((last(&harness, job.id).await, objects(&harness).await.len()), (None, 0), "nothing is left");
    same_as_unbroken(&harness, &job).await;
    sweep.stop().await;
}

/// The process reports its model only after the worker has asked it to stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_finished_while_the_worker_stops_is_published() {
    let harness = Harness::new().await;
    let sweep = harness.sweep("s");
    let id = harness.submit(harness.new_job("demo")).await;
    let late = r#"exec 3<&0
        printf '{"type":"started"}\n'
        reports=$("$real" train-task <&3)
        echo waiting > "$folder/waiting"
        signal=$(head -c 1 <&3)
        echo "$signal" > "$folder/signal"
        printf '%s\n' "$reports" | tail -n +2"#;
    let worker = harness.worker(&harness.script("late", late), config(&harness));
    harness.written("waiting").await;
    worker.drain().await;
    let job = harness.job(id).await;
    assert_eq!((job.status, job.claim, job.counts), (JobStatus::Succeeded, 1, Counts::default()));
    assert_eq!(harness.written("signal").await, "!\n");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_that_crashes_continues_to_the_same_bytes() {
    let harness = Harness::new().await;
    let sweep = harness.sweep("s");
    let job = long_forest(&harness).await;
    harness.submit(job.clone()).await;
    let crash = after_the_first_checkpoint(&format!("{WAIT}; kill -KILL $$"));
    let once = format!(
        "if [ -e \"$folder/crashed\" ]; then exec \"$real\" train-task; fi\ntouch \"$folder/crashed\"\n{crash}"
    );
    let worker = harness.worker(&harness.script("crash", &once), config(&harness));
    harness.written("waiting").await;
    until_checkpoint(&harness, job.id).await;
    harness.go();
    let done = harness.until_status(job.id, JobStatus::Succeeded).await;
    worker.drain().await;
    assert_eq!((done.claim, done.counts), (2, Counts { crashes: 1, ..Counts::default() }));
    assert!(log(&harness, job.id).await.iter().any(|line| line.starts_with("resumed from checkpoint: ")));
    same_as_unbroken(&harness, &job).await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_damaged_checkpoint_is_ignored() {
    for is_lost in [true, false] {
        let harness = Harness::new().await;
        let sweep = harness.sweep("s");
        let job = drained(&harness).await;
        let checkpoint = last(&harness, job.id).await.unwrap();
        let key = Key::parse(&checkpoint.key).unwrap();
        if is_lost {
            harness.store.delete(&key).await.unwrap();
        } else {
            let bytes = harness.store.get_bytes(&key, &checkpoint.sha256, 1 << 30).await.unwrap();
            let mut bytes = bytes.to_vec();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            harness.store.put_bytes(&key, bytes.into()).await.unwrap();
        }
        let worker = harness.worker(train_task(), config(&harness));
        harness.until_status(job.id, JobStatus::Succeeded).await;
        worker.drain().await;
        let log = log(&harness, job.id).await;
        assert!(log.iter().any(|line| line.ends_with("training starts from the beginning")), "{log:?}");
        assert!(!log.iter().any(|line| line.starts_with("resumed from checkpoint: ")), "{log:?}");
        same_as_unbroken(&harness, &job).await;
        sweep.stop().await;
    }
}

/// Its digest is that of the database, but it belongs to a training with another seed.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_training_is_ignored() {
    let harness = Harness::new().await;
    let sweep = harness.sweep("s");
    let job = drained(&harness).await;
    let mut other = Job { id: JobId::at(harness.clock.now()), ..job.clone() };
    training(&mut other).seed += 1;
    let (id, lease) = (harness.submit(other.clone()).await, chrono::Duration::hours(1));
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    tx.jobs().claim(id, "gone", Some(now), lease).await.unwrap().unwrap();
    let checkpoint = tx.checkpoints().last(job.id).await.unwrap().unwrap();
    tx.checkpoints().remove(job.id).await.unwrap();
    let recorded = tx.checkpoints().record(id, 1, &checkpoint).await.unwrap();
    assert!(matches!(recorded, RecordOutcome::Stored { .. }));
    let next = next_state(RunOutcome::Interrupted, Counts::default(), 3, false, now, 0.0);
    assert!(tx.jobs().finish_run(id, 1, &next, now).await.unwrap());
    tx.commit().await.unwrap();
    let worker = harness.worker(train_task(), config(&harness));
    harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    let log = log(&harness, id).await;
    let reason = "the checkpoint of an earlier run is ignored: it belongs to another dataset, to other parameters";
    assert!(log.iter().any(|line| line.starts_with(reason)), "{log:?}");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_worker_records_no_checkpoint() {
    let harness = Harness::new().await;
    let sweep = harness.sweep("s");
    let job = long_forest(&harness).await;
    harness.submit(job.clone()).await;
    let blind =
        WorkerConfig { lease_s: 3_600, renew_every_s: 600, cancel_poll_ms: 60_000, grace_s: 600, ..config(&harness) };
    let worker = harness.worker(&harness.script("wait", &after_the_first_checkpoint(WAIT)), blind);
    harness.written("waiting").await;
    let first = until_checkpoint(&harness, job.id).await;
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let next = next_state(RunOutcome::Interrupted, job.counts, 3, false, now, 0.0);
    assert!(tx.jobs().finish_run(job.id, 1, &next, now).await.unwrap());
    tx.jobs().claim(job.id, "another", Some(now), chrono::Duration::hours(1)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    harness.go();
    worker.drain().await;
    assert_eq!(last(&harness, job.id).await, Some(first.clone()), "the next run continues from it");
    assert_eq!(objects(&harness).await, [Key::parse(&first.key).unwrap()], "the late run deletes what it can't record");
    assert_eq!(harness.job(job.id).await.worker.as_deref(), Some("another"));
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_above_the_limit_is_not_saved() {
    let harness = Harness::new().await;
    let sweep = harness.sweep("s");
    let job = long_forest(&harness).await;
    harness.submit(job.clone()).await;
    let worker = harness.worker(train_task(), WorkerConfig { checkpoint_max_bytes: 1_000, ..config(&harness) });
    harness.until_status(job.id, JobStatus::Succeeded).await;
    worker.drain().await;
    let log = log(&harness, job.id).await;
    let lines = log.iter().filter(|line| line.contains("more than the 1000 bytes of worker.checkpoint_max_bytes"));
    assert_eq!(lines.count(), 1, "{log:?}");
    assert!(last(&harness, job.id).await.is_none() && objects(&harness).await.is_empty());
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_without_a_use_are_collected() {
    let harness = Harness::new().await;
    let order = harness.new_job("demo");
    let lease = Some(harness.clock.now() + chrono::Duration::hours(1));
    let (status, started_at) = (JobStatus::Running, Some(order.created_at));
    let worker = Some("busy".to_owned());
    let job = Job { status, claim: 2, worker, lease_expires_at: lease, started_at, ..order };
    harness.submit(job.clone()).await;
    for (claim, number) in [(1, 0), (1, 1), (2, 0)] {
        let key = Key::checkpoint(job.id, claim, number);
        harness.store.put_bytes(&key, Bytes::from_static(b"1")).await.unwrap();
    }
    let recorded = Checkpoint {
        key: Key::checkpoint(job.id, 1, 1).as_str().to_owned(),
        bytes: 1,
        sha256: hex::encode(Sha256::digest(b"1")),
    };
    let mut tx = harness.db.begin().await.unwrap();
    tx.checkpoints().record(job.id, 2, &recorded).await.unwrap();
    tx.commit().await.unwrap();
    let sweep = harness.sweep_with("s", SweepConfig { orphan_age_s: 0, orphans_every_s: 0, ..quick_sweep() });
    // The recorded one, and one that the current run may record.
    let kept = [Key::checkpoint(job.id, 1, 1), Key::checkpoint(job.id, 2, 0)];
    eventually("the other one is deleted", LIMIT, async || (objects(&harness).await == kept).then_some(())).await;
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let next = next_state(RunOutcome::Cancelled, job.counts, 3, false, now, 0.0);
    assert!(tx.jobs().finish_run(job.id, 2, &next, now).await.unwrap());
    tx.commit().await.unwrap();
    let gone = async || objects(&harness).await.is_empty().then_some(());
    eventually("those of the cancelled job are deleted", LIMIT, gone).await;
    sweep.stop().await;
}
