//! The sandbox of a training process: its own user, no file outside its folder, no network, no other process.
//!
//! The process enters the sandbox itself, after `exec`, when its libraries are loaded, and before it reads its task. The
//! worker passes the settings in two environment variables. `docs/sandbox.md` describes each layer for operators.

mod files;
mod system_calls;
mod user;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use user::can_change_user;

/// Environment variable that carries [`SandboxMode`] to the training process.
const MODE_VARIABLE: &str = "TRAIN_TASK_SANDBOX";
/// Environment variable that carries the user id to the training process.
const UID_VARIABLE: &str = "TRAIN_TASK_UID";

/// The dataset of a run, relative to the working directory of its training process.
pub(crate) const DATASET: &str = "../dataset.csv";
/// The model of a prediction, relative to the working directory of its process.
pub(crate) const MODEL: &str = "../model.tym";
/// The checkpoint from which a training continues, relative to the working directory of its process.
pub(crate) const CHECKPOINT: &str = "../checkpoint.tyc";

/// What to do if the kernel lacks a layer of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxMode {
    /// Enforce the available layers, and log the missing layers.
    #[default]
    BestEffort,
    /// Refuse to train unless every layer is enforced.
    Required,
    /// Enforce nothing.
    Off,
}

impl SandboxMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::BestEffort => "best_effort",
            Self::Required => "required",
            Self::Off => "off",
        }
    }
}

/// The sandbox settings of a training process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sandbox {
    /// Whether missing layers are an error.
    pub(crate) mode: SandboxMode,
    /// The user and group id to change to; `None` keeps the worker's.
    pub(crate) uid: Option<u32>,
}

/// A layer of the sandbox that is not enforced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MissingLayer {
    /// Landlock is missing or refused the rules.
    #[error("file access is not restricted: {0}")]
    Files(String),
    /// Seccomp is missing or refused the filter.
    #[error("system calls are not filtered: {0}")]
    SystemCalls(String),
    /// The process keeps the worker's user id.
    #[error("the user id is not changed: {0}")]
    User(String),
}

impl Sandbox {
    /// The environment variables that pass these settings to a training process.
    pub(crate) fn environment(self) -> Vec<(&'static str, String)> {
        let uid = self.uid.map(|uid| (UID_VARIABLE, uid.to_string()));
        uid.into_iter().chain([(MODE_VARIABLE, self.mode.as_str().to_owned())]).collect()
    }

    /// Reads the settings from the environment. An unknown mode counts as `required` and an invalid user id as `nobody`,
    /// so that a mistake never weakens the sandbox.
    fn from_environment() -> Self {
        let mode = match std::env::var(MODE_VARIABLE).as_deref() {
            Ok("best_effort") | Err(_) => SandboxMode::BestEffort,
            Ok("off") => SandboxMode::Off,
            Ok(_) => SandboxMode::Required,
        };
        let uid = std::env::var(UID_VARIABLE).ok().map(|uid| uid.parse().unwrap_or(user::NOBODY));
        Self { mode, uid }
    }
}

/// Puts the calling thread and its later threads into the sandbox that the environment describes. The working directory
/// becomes the only writable folder.
///
/// # Errors
/// The missing layers if the mode is [`SandboxMode::Required`], or the user id that could not be set.
pub fn enter() -> Result<(), Vec<MissingLayer>> {
    let sandbox = Sandbox::from_environment();
    if let Some(uid) = sandbox.uid {
        // The run's folder belongs to this user, so a failure is an error in every mode.
        user::change(uid).map_err(|error| vec![MissingLayer::User(error.to_string())])?;
    }
    if sandbox.mode == SandboxMode::Off {
        return Ok(());
    }
    let missing = restrict(Path::new("."), &[Path::new(DATASET), Path::new(MODEL), Path::new(CHECKPOINT)]);
    if sandbox.mode == SandboxMode::Required && !missing.is_empty() { Err(missing) } else { Ok(()) }
}

/// The layers that this system lacks. A thread enters all layers and ends.
pub(crate) fn missing_layers(folder: &Path) -> Vec<MissingLayer> {
    // Landlock and seccomp restrict the calling thread alone.
    std::thread::scope(|scope| {
        let probe = scope.spawn(|| restrict(folder, &[&folder.join("dataset.csv")]));
        probe.join().unwrap_or_else(|_| vec![MissingLayer::Files("the check stopped unexpectedly".to_owned())])
    })
}

/// Enters the layers that restrict the calling thread, and returns the missing layers.
fn restrict(folder: &Path, inputs: &[&Path]) -> Vec<MissingLayer> {
    // Seccomp comes last, because its filter denies calls that the other layers need.
    let files = files::restrict(folder, inputs).err().map(MissingLayer::Files);
    let system_calls = system_calls::filter().err().map(MissingLayer::SystemCalls);
    files.into_iter().chain(system_calls).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_layer_is_missing_and_the_check_restricts_only_its_own_thread() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(missing_layers(folder.path()), []);
        std::fs::read("/etc/passwd").unwrap();
        std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    }

    #[test]
    fn mode_names_match_the_settings() {
        for mode in [SandboxMode::BestEffort, SandboxMode::Required, SandboxMode::Off] {
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
    }
}
