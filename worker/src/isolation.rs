//! Decides at the start of a worker how its training processes are confined, and logs what this system does not offer.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::Path;

use anyhow::bail;
use rustix::process::geteuid;

use crate::config::WorkerConfig;
use crate::sandbox::{MissingLayer, Sandbox, SandboxMode, can_change_user, missing_layers};

/// What confines the training processes of this worker, whose work folder exists.
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
        bail!("worker.sandbox is required, but {}; best_effort would train without", missing.join("; "));
    }
    if mode == SandboxMode::Off {
        tracing::warn!("worker.sandbox is off: training processes may use the network and read what the worker can");
    }
    match missing.as_slice() {
        [] if mode == SandboxMode::Off => {}
        [] => tracing::info!(uid, "training processes are confined to their own folder"),
        missing => tracing::warn!(uid, missing = missing.join("; "), "training processes are not fully confined"),
    }
    Ok(Sandbox { mode, uid })
}

/// The user id that training processes change to; none where the worker is not root or is told to stay root.
fn other_user(config: &WorkerConfig) -> Result<Option<u32>, String> {
    if config.child_uid == 0 || !geteuid().is_root() {
        return Ok(None);
    }
    if !can_change_user() {
        return Err("this root has not the capabilities CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID and SETUID".into());
    }
    let uid = config.child_uid;
    give_away(&config.work_dir, uid)
        .map(|()| Some(uid))
        .map_err(|error| format!("a folder can't be given to worker.child_uid {uid}: {error}"))
}

/// Gives a folder to user `uid`: a user namespace may not have that user, a network file system may refuse.
fn give_away(work_dir: &Path, uid: u32) -> io::Result<()> {
    let folder = work_dir.join(format!("owner-check-{}", rand::random::<u64>()));
    fs::create_dir(&folder)?;
    let given = chown(&folder, Some(uid), Some(uid));
    fs::remove_dir(&folder)?;
    given
}
