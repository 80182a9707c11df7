//! Decides at the start of a worker how its training processes are sandboxed, and logs which layers are missing.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::Path;

use anyhow::bail;
use rustix::process::geteuid;

use crate::config::WorkerConfig;
use crate::sandbox::{MissingLayer, Sandbox, SandboxMode, can_change_user, missing_layers};

/// The sandbox for the training processes of this worker, whose work folder exists.
///
/// # Errors
/// When `worker.sandbox` is `required` and a layer is missing.
pub(crate) fn decide(config: &WorkerConfig) -> anyhow::Result<Sandbox> {
    let mode = config.sandbox;
    let (uid, refused) = match other_user(config) {
        Ok(uid) => (uid, None),
        Err(why) => (None, Some(MissingLayer::User(why))),
    };
    let layers = if mode == SandboxMode::Off { Vec::new() } else { missing_layers(&config.work_dir) };
    let missing: Vec<_> = refused.into_iter().chain(layers).map(|layer| layer.to_string()).collect();
    if mode == SandboxMode::Required && !missing.is_empty() {
        bail!(
            "worker.sandbox is required, but {}; set worker.sandbox to best_effort to train without these layers",
            missing.join("; ")
        );
    }
    if mode == SandboxMode::Off {
        tracing::warn!(
            "worker.sandbox is off: training processes may use the network and read every file that the worker can read"
        );
    }
    match missing.as_slice() {
        [] if mode == SandboxMode::Off => {}
        [] => tracing::info!(uid, "training processes are sandboxed"),
        missing => tracing::warn!(uid, missing = missing.join("; "), "training processes are not fully sandboxed"),
    }
    Ok(Sandbox { mode, uid })
}

/// The user id of training processes; `None` if the worker is not root or `worker.child_uid` is 0.
fn other_user(config: &WorkerConfig) -> Result<Option<u32>, String> {
    if config.child_uid == 0 || !geteuid().is_root() {
        return Ok(None);
    }
    if !can_change_user() {
        return Err(
            "the worker lacks one of the capabilities CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID and SETUID".into()
        );
    }
    let uid = config.child_uid;
    check_chown(&config.work_dir, uid)
        .map(|()| Some(uid))
        .map_err(|error| format!("the owner of a folder can't be changed to worker.child_uid {uid}: {error}"))
}

/// Checks that folders can be given to user `uid`. A user namespace without that user or a network file system may refuse.
fn check_chown(work_dir: &Path, uid: u32) -> io::Result<()> {
    let folder = work_dir.join(format!("owner-check-{}", rand::random::<u64>()));
    fs::create_dir(&folder)?;
    let changed = chown(&folder, Some(uid), Some(uid));
    fs::remove_dir(&folder)?;
    changed
}
