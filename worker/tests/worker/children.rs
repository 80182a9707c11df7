//! Training processes that fail and are retried, their limits, and how they are stopped. For crashes see `deaths.rs`.

use std::time::{Duration, Instant};

use trainyard_domain::{FailureCode, JobStatus};
use trainyard_worker::WorkerConfig;

use crate::harness::{HANG, Harness, any_lives, train_task, training};

async fn fails_internally_then_trains(misbehaviour: &str) {
    fails_then_trains(misbehaviour, FailureCode::Internal).await;
}

/// Fails the first time and trains the second time, on the same worker.
async fn fails_then_trains(misbehaviour: &str, code: FailureCode) {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let script = harness.script(
        "once",
        &format!(
            "if [ ! -e \"$folder/marker\" ]; then touch \"$folder/marker\"; {misbehaviour}; fi; exec \"$real\" train-task"
        ),
    );
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&script, harness.config()));
    let waiting = harness.until(id, |job| job.counts.attempts == 1).await;
    let error = waiting.error.unwrap();
    assert_eq!(error.code, code);
    assert!(!error.message.contains('/'), "the message contains a path: {}", error.message);
    harness.until_status(id, JobStatus::Succeeded).await;
    assert_eq!(harness.versions("demo").await.len(), 1);
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_report_is_an_internal_error() {
    fails_internally_then_trains("exec yes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_digest_of_the_model_publishes_nothing() {
    let lie = r#"printf abc > model.tym; echo '{"type":"done","metrics":{},"size":3,"sha256":"00"}'; exit 0"#;
    fails_internally_then_trains(lie).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_retried() {
    fails_then_trains("ln -s /dev/full model.tym", FailureCode::DiskFull).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_out_of_memory_is_out_of_memory() {
    let harness = Harness::new().await;
    let mut order = harness.new_job("demo");
    training(&mut order).params["n_trees"] = 2_000.into();
    let id = harness.submit(order).await;
    // Enough memory to start and to read the data, and too little for the trees.
    let config = WorkerConfig { child_memory_mb: 40, child_threads: 2, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), config));
    let job = harness.until_status(id, JobStatus::Failed).await;
    let error = job.error.unwrap();
    assert_eq!(error.code, FailureCode::OutOfMemory, "{}", error.message);
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_has_limits_and_no_secrets() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let script = harness.script(
        "look",
        "{ env; echo \"AS=$(ulimit -v) CORE=$(ulimit -c) FILES=$(ulimit -n)\"; } > \"$folder/seen\"; kill -KILL $$",
    );
    let config = WorkerConfig { child_memory_mb: 1_000, child_open_files: 99, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&script, config));
    harness.until(id, |job| job.counts.crashes > 0).await;
    let seen = harness.written("seen").await;
    assert!(seen.contains("AS=1024000 CORE=0 FILES=99"), "{seen}");
    assert!(!seen.contains("CARGO"), "the worker's own environment leaks: {seen}");
    worker.drain().await;
    sweep.stop().await;
}

/// Cancels a running job, with or without the queue's message.
async fn cancel_ends_within_two_seconds(body: &str, push: bool) {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let config = WorkerConfig { cancel_poll_ms: 1_000, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&harness.script("hang", body), config));
    let pids = harness.written("pids").await;
    let asked = Instant::now();
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    tx.jobs().cancel(id, now).await.unwrap();
    tx.commit().await.unwrap();
    if push {
        harness.queue.request_cancel(id).await.unwrap();
    }
    harness.until_status(id, JobStatus::Cancelled).await;
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(2), "took {took:?}");
    assert!(!any_lives(&pids), "the process group still lives");
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_cancelled_within_two_seconds() {
    cancel_ends_within_two_seconds(HANG, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_is_not_lost_with_its_message() {
    cancel_ends_within_two_seconds(HANG, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_ignores_sigterm_is_killed() {
    let deaf = "trap '' TERM; echo $$ > \"$folder/pids\"; while :; do sleep 0.1; done";
    cancel_ends_within_two_seconds(deaf, true).await;
}
