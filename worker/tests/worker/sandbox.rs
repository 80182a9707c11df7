//! The sandbox of training processes, tested by a program that tries to leave it (`examples/sandbox_probe.rs`).

use std::io::Write;

use sha2::{Digest, Sha256};
use trainyard_domain::{FailureCode, JobStatus};
use trainyard_worker::{SandboxMode, WorkerConfig};

use crate::harness::{Harness, example, train_task};

const NOBODY: u32 = 65_534;

/// The report of the probe: `entered …, user …, allowed [names], broken [names]`.
async fn probe(sandbox: SandboxMode, child_uid: u32) -> String {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let config = WorkerConfig { sandbox, child_uid, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&example("sandbox_probe"), config));
    let job = harness.until_status(id, JobStatus::Failed).await;
    worker.drain().await;
    sweep.stop().await;
    let error = job.error.unwrap();
    assert_eq!(error.code, FailureCode::BadData, "{error:?}");
    error.message
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user of a training process for this `child_uid`.
fn expected_user(child_uid: u32) -> u32 {
    let own = rustix::process::geteuid().as_raw();
    if own == 0 { child_uid } else { own }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_process_is_confined_to_its_folder_with_any_user() {
    for child_uid in [0, NOBODY] {
        let report = probe(SandboxMode::Required, child_uid).await;
        let user = expected_user(child_uid);
        assert_eq!(report, format!("entered Ok(()), user {user}, allowed [], broken []"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sandbox_the_same_attempts_succeed() {
    let report = probe(SandboxMode::Off, 0).await;
    for name in [
        "tcp connect",
        "tcp listen",
        "udp",
        "unix connect",
        "socket pair",
        "read system file",
        "read sibling",
        "change sibling",
        "write outside",
        "change dataset",
        "symbolic link",
        "exec",
        "fork",
        "signal parent",
        "parent's limits",
        "outlive parent",
        "memory file",
    ] {
        assert!(report.contains(&format!("{name:?}")), "{name} in {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_protects_other_runs_and_the_worker() {
    if !is_root() {
        return;
    }
    let report = probe(SandboxMode::Off, NOBODY).await;
    assert!(report.contains("user 65534,") && report.contains("broken []"), "{report}");
    for name in ["read sibling", "change dataset", "write outside", "signal parent", "parent's environment"] {
        assert!(!report.contains(&format!("{name:?}")), "{name} in {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn training_works_in_the_sandbox() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let config = WorkerConfig { sandbox: SandboxMode::Required, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), config));
    harness.until_status(id, JobStatus::Succeeded).await;
    // The second run reads the dataset that the first one left in the cache.
    let second = harness.submit_named("demo").await;
    harness.until_status(second, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
}

/// Without Landlock, a process can create a link to a file that it can't read, and report the right digest.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_models_name_is_not_published() {
    let harness = Harness::new().await;
    let secret = harness.folder.path().join("secret");
    std::fs::File::create(&secret).unwrap().write_all(b"secret").unwrap();
    let sha256 = hex::encode(Sha256::digest(b"secret"));
    let done = format!(r#"{{"type":"done","metrics":{{}},"size":6,"sha256":"{sha256}"}}"#);
    let script = harness.script("link", &format!("ln -s \"$folder/secret\" model.tym; echo '{done}'; exit 0"));
    let mut order = harness.new_job("demo");
    order.spec.max_attempts = 1;
    let id = harness.submit(order).await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&script, harness.config()));
    let job = harness.until_status(id, JobStatus::Failed).await;
    assert_eq!(job.error.unwrap().code, FailureCode::Internal);
    assert_eq!(harness.versions("demo").await.len(), 0);
    assert_eq!(harness.artifacts().await, 0);
    worker.drain().await;
    sweep.stop().await;
}
