//! Training processes that misbehave and may be tried again, their limits, and how they are stopped. Deaths: `deaths.rs`.

use std::time::{Duration, Instant};

use trainyard_domain::{FailureCode, JobStatus};
use trainyard_worker::WorkerConfig;

use crate::yard::{HANG, Yard, any_lives, train_task};

async fn fails_internally_then_trains(misbehaviour: &str) {
    fails_then_trains(misbehaviour, FailureCode::Internal).await;
}

/// Misbehaves the first time and trains the second: the retry on the same worker shows that it is unharmed.
async fn fails_then_trains(misbehaviour: &str, code: FailureCode) {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let script = yard.script(
        "once",
        &format!(
            "if [ ! -e \"$yard/marker\" ]; then touch \"$yard/marker\"; {misbehaviour}; fi; exec \"$real\" train-task"
        ),
    );
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&script, yard.config()));
    let waiting = yard.until(id, |job| job.counts.attempts == 1).await;
    let error = waiting.error.unwrap();
    assert_eq!(error.code, code);
    assert!(!error.message.contains('/'), "no paths for people: {}", error.message);
    yard.until_status(id, JobStatus::Succeeded).await;
    assert_eq!(yard.versions("demo").await.len(), 1);
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_talks_nonsense_is_stopped() {
    fails_internally_then_trains("exec yes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_lies_about_its_model_publishes_nothing() {
    let lie = r#"printf abc > model.tym; echo '{"type":"done","metrics":{},"size":3,"sha256":"00"}'; exit 0"#;
    fails_internally_then_trains(lie).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_waited_out() {
    fails_then_trains("ln -s /dev/full model.tym", FailureCode::DiskFull).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_out_of_memory_is_an_error_of_its_own() {
    let yard = Yard::new().await;
    let mut order = yard.new_job("demo");
    order.spec.params["n_trees"] = 2_000.into();
    let id = yard.submit(order).await;
    // Enough to start and to read the data, not enough for so many trees.
    let config = WorkerConfig { child_memory_mb: 40, child_threads: 2, ..yard.config() };
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), config));
    let job = yard.until_status(id, JobStatus::Failed).await;
    let error = job.error.unwrap();
    assert_eq!(error.code, FailureCode::OutOfMemory, "{}", error.message);
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_knows_its_limits_and_no_secrets() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let script = yard.script(
        "look",
        "{ env; echo \"AS=$(ulimit -v) CORE=$(ulimit -c) FILES=$(ulimit -n)\"; } > \"$yard/seen\"; kill -KILL $$",
    );
    let config = WorkerConfig { child_memory_mb: 1_000, child_open_files: 99, ..yard.config() };
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&script, config));
    yard.until(id, |job| job.counts.crashes > 0).await;
    let seen = yard.written("seen").await;
    assert!(seen.contains("AS=1024000 CORE=0 FILES=99"), "{seen}");
    assert!(!seen.contains("CARGO"), "the worker's own environment leaks: {seen}");
    worker.drain().await;
    sweep.stop().await;
}

/// A cancel of a running job, with and without the queue's push.
async fn cancel_ends_within_two_seconds(body: &str, push: bool) {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let config = WorkerConfig { cancel_poll_ms: 1_000, ..yard.config() };
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&yard.script("hang", body), config));
    let pids = yard.written("pids").await;
    let asked = Instant::now();
    let mut tx = yard.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    tx.jobs().cancel(id, now).await.unwrap();
    tx.commit().await.unwrap();
    if push {
        yard.queue.request_cancel(id).await.unwrap();
    }
    yard.until_status(id, JobStatus::Cancelled).await;
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(2), "took {took:?}");
    assert!(!any_lives(&pids), "the process, and what it started, are gone");
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_cancelled_within_two_seconds() {
    cancel_ends_within_two_seconds(HANG, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_is_not_lost_with_its_message() {
    cancel_ends_within_two_seconds(HANG, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_ignores_the_request_to_end_is_killed() {
    let deaf = "trap '' TERM; echo $$ > \"$yard/pids\"; while :; do sleep 0.1; done";
    cancel_ends_within_two_seconds(deaf, true).await;
}
