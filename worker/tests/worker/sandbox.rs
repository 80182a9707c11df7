//! The sandbox of training processes, seen from inside by a program that tries to leave it (`examples/sandbox_probe.rs`).

use std::io::Write;

use sha2::{Digest, Sha256};
use trainyard_domain::{FailureCode, JobStatus};
use trainyard_worker::{SandboxMode, WorkerConfig};

use crate::yard::{Yard, example, train_task};

const NOBODY: u32 = 65_534;

/// What the probe reports: `entered …, user …, allowed [names], broken [names]`.
async fn probe(sandbox: SandboxMode, child_uid: u32) -> String {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let config = WorkerConfig { sandbox, child_uid, ..yard.config() };
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&example("sandbox_probe"), config));
    let job = yard.until_status(id, JobStatus::Failed).await;
    worker.drain().await;
    sweep.stop().await;
    let error = job.error.unwrap();
    assert_eq!(error.code, FailureCode::BadData, "{error:?}");
    error.message
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user that a training process has when the worker is told to use `child_uid`.
fn expected_user(child_uid: u32) -> u32 {
    let own = rustix::process::geteuid().as_raw();
    if own == 0 { child_uid } else { own }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_process_reaches_nothing_outside_its_folder_whoever_it_is() {
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
async fn another_user_alone_keeps_other_runs_and_the_worker_apart() {
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
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let config = WorkerConfig { sandbox: SandboxMode::Required, ..yard.config() };
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), config));
    yard.until_status(id, JobStatus::Succeeded).await;
    // The second run reads the dataset that the first one left in the cache.
    let second = yard.submit_named("demo").await;
    yard.until_status(second, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
}

/// What a process without Landlock could do, with the right digest of a file that it can't read.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_models_name_is_not_published() {
    let yard = Yard::new().await;
    let secret = yard.folder.path().join("secret");
    std::fs::File::create(&secret).unwrap().write_all(b"secret").unwrap();
    let sha256 = hex::encode(Sha256::digest(b"secret"));
    let done = format!(r#"{{"type":"done","metrics":{{}},"size":6,"sha256":"{sha256}"}}"#);
    let script = yard.script("link", &format!("ln -s \"$yard/secret\" model.tym; echo '{done}'; exit 0"));
    let mut order = yard.new_job("demo");
    order.spec.max_attempts = 1;
    let id = yard.submit(order).await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&script, yard.config()));
    let job = yard.until_status(id, JobStatus::Failed).await;
    assert_eq!(job.error.unwrap().code, FailureCode::Internal);
    assert_eq!(yard.versions("demo").await.len(), 0);
    assert_eq!(yard.artifacts().await, 0);
    worker.drain().await;
    sweep.stop().await;
}
