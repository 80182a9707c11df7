//! Each kind of failure of a training process has its own error code. A job in another slot is not affected.

use trainyard_domain::outcome::Counts;
use trainyard_domain::{FailureCode, Job, JobError, JobStatus};
use trainyard_worker::WorkerConfig;

use crate::harness::{HANG, Harness, WAIT_THEN_TRAIN, any_lives};

/// Runs a job with `misbehaviour` beside a good job, and returns the ended job.
async fn beside_a_good_job(misbehaviour: &str, config: impl FnOnce(WorkerConfig) -> WorkerConfig) -> (Harness, Job) {
    let harness = Harness::new().await;
    let mut order = harness.new_job("bad");
    order.spec.timeout_s = 2;
    let bad = harness.submit(order).await;
    let good = harness.submit_named("good").await;
    // The folder of a run contains the id of its job.
    let script =
        harness.script("both", &format!("case \"$PWD\" in *{bad}*) {misbehaviour} ;; esac\n{WAIT_THEN_TRAIN}"));
    let config = config(WorkerConfig { concurrency: 2, ..harness.config() });
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&script, config));
    harness.written("waiting").await;
    let failed = harness.until_status(bad, JobStatus::Failed).await;
    assert_eq!(harness.job(good).await.status, JobStatus::Running, "the job in the other slot");
    harness.go();
    let trained = harness.until_status(good, JobStatus::Succeeded).await;
    assert_eq!((trained.claim, trained.counts), (1, Counts::default()), "not disturbed");
    worker.drain().await;
    sweep.stop().await;
    (harness, failed)
}

fn same(config: WorkerConfig) -> WorkerConfig {
    config
}

/// The error, after checks of its code and text, and that it contains no path.
fn checked_error(job: &Job, code: FailureCode, words: &str) -> JobError {
    let error = job.error.clone().unwrap();
    assert_eq!(error.code, code, "{error:?}");
    assert!(error.message.contains(words), "{error:?}");
    assert!(!error.retryable, "{error:?}");
    assert!(!error.message.contains('/') && !error.log_tail.iter().any(|log| log.contains('/')), "{error:?}");
    error
}

const POISON: Counts = Counts { attempts: 0, crashes: 3, interruptions: 0 };
const ONE_FAILURE: Counts = Counts { attempts: 1, crashes: 0, interruptions: 0 };

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_panicked_with_its_message() {
    // As the panic hook of the training program writes it.
    let panic = "echo \"reading $PWD\" >&2; echo 'panicked: index out of bounds' >&2; exit 101";
    let (_harness, job) = beside_a_good_job(panic, same).await;
    let error = checked_error(&job, FailureCode::Panicked, "panic: index out of bounds");
    assert_eq!(error.log_tail.unwrap(), "reading …\npanicked: index out of bounds");
    assert_eq!(job.counts, POISON);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segfault_is_crashed() {
    let (_harness, job) = beside_a_good_job("kill -SEGV $$", same).await;
    assert_eq!(checked_error(&job, FailureCode::Crashed, "signal 11 (SIGSEGV)").log_tail, None);
    assert_eq!(job.counts, POISON);
}

/// Runs a job whose process ends by SIGSEGV before its first report whenever `condition` holds, up to its first error.
async fn faults_at_start(condition: &str) -> (Harness, Job) {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let script =
        harness.script("faults", &format!("if {condition}; then kill -SEGV $$; fi\nexec \"$real\" train-task"));
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&script, harness.config()));
    let job = harness.until(id, |job| job.error.is_some()).await;
    worker.drain().await;
    sweep.stop().await;
    (harness, job)
}

/// It starts under the same limit the second time, so the first death was a kill.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_first_report_is_crashed() {
    let (_harness, job) = faults_at_start("mkdir \"$folder/killed\" 2>/dev/null").await;
    assert_eq!(job.error.unwrap().code, FailureCode::Crashed);
    assert_eq!(job.counts, Counts { attempts: 0, crashes: 1, interruptions: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_too_small_to_start_is_out_of_memory() {
    let (_harness, job) = faults_at_start("[ \"$(ulimit -v)\" != unlimited ]").await;
    assert_eq!(job.status, JobStatus::Failed);
    checked_error(&job, FailureCode::OutOfMemory, "the 4096 MB of worker.child_memory_mb");
    assert_eq!(job.counts, ONE_FAILURE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_allocation_is_out_of_memory() {
    // As Rust aborts at its limit. `children.rs` tests the real program.
    let (_harness, job) =
        beside_a_good_job("echo 'memory allocation of 80 bytes failed' >&2; kill -ABRT $$", same).await;
    checked_error(&job, FailureCode::OutOfMemory, "more than the 4096 MB of worker.child_memory_mb");
    assert_eq!(job.counts, ONE_FAILURE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_is_a_timeout_and_its_process_group_is_killed() {
    let (harness, job) = beside_a_good_job(HANG, |config| WorkerConfig { child_memory_mb: 0, ..config }).await;
    checked_error(&job, FailureCode::Timeout, "timeout_s of 2");
    assert_eq!(job.counts, ONE_FAILURE);
    assert!(!any_lives(&harness.written("pids").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_output_is_output_limit() {
    for flood in ["exec cat /dev/zero", "exec cat /dev/zero >&2"] {
        let (_harness, job) = beside_a_good_job(flood, |config| WorkerConfig { child_output_mb: 1, ..config }).await;
        checked_error(&job, FailureCode::OutputLimit, "more than 1 MB");
        assert_eq!(job.counts, ONE_FAILURE, "{flood}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_folder_is_disk_limit() {
    let fill = "for i in 1 2 3 4; do head -c 1048576 /dev/urandom > file$i; done; exec sleep 600";
    let (_harness, job) = beside_a_good_job(fill, |config| WorkerConfig { child_folder_mb: 2, ..config }).await;
    checked_error(&job, FailureCode::DiskLimit, "more than 2 MB");
    assert_eq!(job.counts, ONE_FAILURE);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_has_an_excerpt_of_the_log() {
    let failed = r#"{"type":"failed","code":"bad_data","message":"one class"}"#;
    let (_harness, job) =
        beside_a_good_job(&format!("echo 'looked at 3 rows' >&2; echo '{failed}'; exit 0"), same).await;
    let error = checked_error(&job, FailureCode::BadData, "one class");
    assert_eq!(error.log_tail.unwrap(), "looked at 3 rows");
}
