//! What a worker and its training process say to each other: one JSON line down (the [`Task`]), JSON lines up
//! (the [`Report`]s). Pure data and its limits.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use trainyard_domain::{FailureCode, JobSpec};

/// Longest line either side sends, in bytes: room for the importances of 10,000 features.
pub(crate) const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// What a training process prints before a panic's message.
pub(crate) const PANIC_PREFIX: &str = "panicked: ";

/// What a training process is asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    /// The order.
    pub(crate) spec: JobSpec,
    /// The dataset's CSV, relative to the folder where the process starts: the folders above it may be closed to it.
    pub(crate) dataset_path: PathBuf,
    /// Its digest, for the model's manifest.
    pub(crate) dataset_sha256: String,
    /// Where to write the model, relative as well.
    pub(crate) artifact_path: PathBuf,
    /// Largest model that will be taken, in bytes.
    pub(crate) max_artifact_bytes: u64,
}

/// What a training process reports. `Done` or `Failed` is the last line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Report {
    /// The process runs and is ready for its task: the first line.
    Started,
    /// How far it is.
    Progress {
        /// What it is doing.
        phase: String,
        /// 0..1 over the whole run.
        fraction: f64,
    },
    /// A phase is over.
    Phase {
        /// What was done in it.
        name: String,
        /// How long it took.
        seconds: f64,
    },
    /// Something a person should know about the data.
    Warning {
        /// A sentence.
        message: String,
    },
    /// What goes on, for people who watch.
    Log {
        /// A sentence.
        message: String,
    },
    /// A figure.
    Metric {
        /// What was measured.
        name: String,
        /// The figure.
        value: f64,
        /// After how many steps (trees); absent for the finished model.
        step: Option<u64>,
    },
    /// The model lies at the task's `artifact_path`.
    Done(Done),
    /// There is no model.
    Failed {
        /// What kind of failure.
        code: FailureCode,
        /// What happened, for people.
        message: String,
    },
}

/// A finished model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Held-out metrics.
    pub(crate) metrics: serde_json::Value,
    /// The model's size in bytes.
    pub(crate) size: u64,
    /// The model's SHA-256, hexadecimal.
    pub(crate) sha256: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_read_back_and_anything_else_is_refused() {
        let report = Report::Progress { phase: "trees".into(), fraction: 0.5 };
        let line = serde_json::to_string(&report).unwrap();
        assert_eq!(line, r#"{"type":"progress","phase":"trees","fraction":0.5}"#);
        assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), report);
        for other in ["", "hello", "{}", r#"{"type":"dance"}"#, r#"{"type":"failed","code":"bad_luck","message":""}"#] {
            assert!(serde_json::from_str::<Report>(other).is_err(), "{other}");
        }
    }
}
