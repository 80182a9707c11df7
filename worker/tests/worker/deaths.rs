//! Every way a training process can die or go astray ends as an error of its own, in one slot, while the job in the
//! other slot runs on as if nothing had happened.

use trainyard_domain::outcome::Counts;
use trainyard_domain::{FailureCode, Job, JobError, JobStatus};
use trainyard_worker::WorkerConfig;

use crate::yard::{HANG, WAIT_THEN_TRAIN, Yard, any_lives};

/// Runs a job that does `misbehaviour` beside a good one, and returns how it ended.
async fn beside_a_good_job(misbehaviour: &str, config: impl FnOnce(WorkerConfig) -> WorkerConfig) -> (Yard, Job) {
    let yard = Yard::new().await;
    let mut order = yard.new_job("bad");
    order.spec.timeout_s = 2;
    let bad = yard.submit(order).await;
    let good = yard.submit_named("good").await;
    // A run's folder is named after its job.
    let script = yard.script("both", &format!("case \"$PWD\" in *{bad}*) {misbehaviour} ;; esac\n{WAIT_THEN_TRAIN}"));
    let config = config(WorkerConfig { concurrency: 2, ..yard.config() });
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&script, config));
    yard.written("waiting").await;
    let failed = yard.until_status(bad, JobStatus::Failed).await;
    assert_eq!(yard.job(good).await.status, JobStatus::Running, "the other slot works on");
    yard.go();
    let trained = yard.until_status(good, JobStatus::Succeeded).await;
    assert_eq!((trained.claim, trained.counts), (1, Counts::default()), "in one go");
    worker.drain().await;
    sweep.stop().await;
    (yard, failed)
}

fn same(config: WorkerConfig) -> WorkerConfig {
    config
}

/// The error, after checking that it says how it came about and shows nobody a path.
fn told(job: &Job, code: FailureCode, words: &str) -> JobError {
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
async fn a_panic_is_panicked_and_shows_its_last_log_line() {
    // What the training program's own hook writes, and how Rust ends.
    let panic = "echo \"reading $PWD\" >&2; echo 'panicked: index out of bounds' >&2; exit 101";
    let (_yard, job) = beside_a_good_job(panic, same).await;
    let error = told(&job, FailureCode::Panicked, "panic: index out of bounds");
    assert_eq!(error.log_tail.unwrap(), "reading …\npanicked: index out of bounds");
    assert_eq!(job.counts, POISON);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segfault_is_crashed() {
    let (_yard, job) = beside_a_good_job("kill -SEGV $$", same).await;
    assert_eq!(told(&job, FailureCode::Crashed, "signal 11 (SIGSEGV)").log_tail, None);
    assert_eq!(job.counts, POISON);
}

/// Runs a job whose process ends by SIGSEGV before its first report whenever `condition` holds, up to its first error.
async fn faults_at_start(condition: &str) -> (Yard, Job) {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let script = yard.script("faults", &format!("if {condition}; then kill -SEGV $$; fi\nexec \"$real\" train-task"));
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&script, yard.config()));
    let job = yard.until(id, |job| job.error.is_some()).await;
    worker.drain().await;
    sweep.stop().await;
    (yard, job)
}

/// Somebody killed it: under the same limit it starts the next time.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_first_report_is_crashed() {
    let (_yard, job) = faults_at_start("mkdir \"$yard/killed\" 2>/dev/null").await;
    assert_eq!(job.error.unwrap().code, FailureCode::Crashed);
    assert_eq!(job.counts, Counts { attempts: 0, crashes: 1, interruptions: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_too_small_to_start_is_out_of_memory() {
    let (_yard, job) = faults_at_start("[ \"$(ulimit -v)\" != unlimited ]").await;
    assert_eq!(job.status, JobStatus::Failed);
    told(&job, FailureCode::OutOfMemory, "the 4096 MB of worker.child_memory_mb");
    assert_eq!(job.counts, ONE_FAILURE);
}

#[tokio::test(flavor = "multi_thread")]
async fn want_of_memory_is_out_of_memory() {
    // How Rust ends at its limit; that the real program does is seen in `children.rs`.
    let (_yard, job) = beside_a_good_job("echo 'memory allocation of 80 bytes failed' >&2; kill -ABRT $$", same).await;
    told(&job, FailureCode::OutOfMemory, "more than the 4096 MB of worker.child_memory_mb");
    assert_eq!(job.counts, ONE_FAILURE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_is_a_timeout_and_nothing_of_it_lives_on() {
    let (yard, job) = beside_a_good_job(HANG, |config| WorkerConfig { child_memory_mb: 0, ..config }).await;
    told(&job, FailureCode::Timeout, "timeout_s of 2");
    assert_eq!(job.counts, ONE_FAILURE);
    assert!(!any_lives(&yard.written("pids").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_output_limit() {
    for flood in ["exec cat /dev/zero", "exec cat /dev/zero >&2"] {
        let (_yard, job) = beside_a_good_job(flood, |config| WorkerConfig { child_output_mb: 1, ..config }).await;
        told(&job, FailureCode::OutputLimit, "its 1 MB");
        assert_eq!(job.counts, ONE_FAILURE, "{flood}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_folder_is_disk_limit() {
    let hoard = "for i in 1 2 3 4; do head -c 1048576 /dev/urandom > hoard$i; done; exec sleep 600";
    let (_yard, job) = beside_a_good_job(hoard, |config| WorkerConfig { child_folder_mb: 2, ..config }).await;
    told(&job, FailureCode::DiskLimit, "its 2 MB");
    assert_eq!(job.counts, ONE_FAILURE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_shown_with_the_error_that_ended_the_run() {
    let failed = r#"{"type":"failed","code":"bad_data","message":"one class"}"#;
    let (_yard, job) = beside_a_good_job(&format!("echo 'looked at 3 rows' >&2; echo '{failed}'; exit 0"), same).await;
    let error = told(&job, FailureCode::BadData, "one class");
    assert_eq!(error.log_tail.unwrap(), "looked at 3 rows");
}
