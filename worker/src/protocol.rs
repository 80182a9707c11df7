//! The protocol between a worker and its training process, which also predicts: one JSON line to the process (the [`Task`]),
//! and JSON lines from the process (the [`Report`]s). Then the worker sends single bytes: [`STORED`] for each part or checkpoint
//! that it has handled, and [`INTERRUPT`] when the run must stop.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use trainyard_domain::spec::OutputColumns;
use trainyard_domain::{FailureCode, TableSchema, Training};
use trainyard_ml::batch::Counts;

/// Longest line of either side, in bytes: enough for the schema and the features of 10,000 columns with the longest names,
/// and for the importances of as many features.
pub(crate) const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// Most parts that a process has written and the worker has not stored. The process waits at this limit, so its folder stays
/// small, however slow the object store is.
pub(crate) const MAX_WAITING_PARTS: u64 = 2;

/// Confirms a file of the process: a stored part, or a checkpoint that is stored or can't be stored.
pub(crate) const STORED: u8 = b'.';
/// Stops a training after a last checkpoint.
pub(crate) const INTERRUPT: u8 = b'!';

/// The prefix of a panic's message in the log of a training process.
pub(crate) const PANIC_PREFIX: &str = "panicked: ";

/// The task of a training process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// Train a model.
    Train(Box<TrainTask>),
    /// Predict a dataset.
    Predict(Box<PredictTask>),
}

/// What to train.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainTask {
    /// The work of the job.
    pub(crate) spec: Training,
    /// The dataset's file, relative to the working directory, because the process may not read the parent folders.
    pub(crate) dataset_path: PathBuf,
    /// The dataset's digest, for the model's manifest.
    pub(crate) dataset_sha256: String,
    /// How the dataset's file is read.
    pub(crate) schema: TableSchema,
    /// The path for the model, relative to the working directory.
    pub(crate) artifact_path: PathBuf,
    /// Largest accepted model, in bytes.
    pub(crate) max_artifact_bytes: u64,
    /// The memory limit of the process, in megabytes; 0 is none.
    pub(crate) memory_mb: u64,
    /// How checkpoints are written; `None` writes none.
    pub(crate) checkpoints: Option<CheckpointTask>,
}

/// The checkpoints of a training.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckpointTask {
    /// Shortest time between two checkpoints, in seconds.
    pub(crate) interval_s: u64,
    /// Largest checkpoint, in bytes.
    pub(crate) max_bytes: u64,
    /// The last checkpoint of an earlier run, relative to the working directory.
    pub(crate) earlier: Option<PathBuf>,
}

/// What to predict.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PredictTask {
    /// The dataset's file, relative to the working directory.
    pub(crate) dataset_path: PathBuf,
    /// How the dataset's file is read.
    pub(crate) schema: TableSchema,
    /// Number of rows of the dataset.
    pub(crate) rows: u64,
    /// The model's file, relative to the working directory.
    pub(crate) model_path: PathBuf,
    /// The columns of the dataset in the result.
    pub(crate) columns: OutputColumns,
    /// Most rows of a part.
    pub(crate) part_rows: u64,
    /// Number of the first part to write: that of the parts of earlier runs. Part 0 begins with the header.
    pub(crate) first_part: u64,
    /// Number of rows in the parts of earlier runs.
    pub(crate) done_rows: u64,
}

/// A report of a training process. `Done`, `Predicted`, `Interrupted` or `Failed` is the last line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Report {
    /// The first line: the process is ready for its task.
    Started,
    /// Progress.
    Progress {
        /// The current phase.
        phase: String,
        /// From 0 to 1 over the whole run.
        fraction: f64,
    },
    /// A phase ended.
    Phase {
        /// Its name.
        name: String,
        /// Its duration.
        seconds: f64,
    },
    /// A warning about the data.
    Warning {
        /// A sentence.
        message: String,
    },
    /// A log line.
    Log {
        /// A sentence.
        message: String,
    },
    /// A metric.
    Metric {
        /// Its name.
        name: String,
        /// Its value.
        value: f64,
        /// The number of steps (trees) so far; absent for the finished model.
        step: Option<u64>,
    },
    /// The model is at the task's `artifact_path`.
    Done(Done),
    /// A part of a prediction's result is in the working directory.
    Part(PartDone),
    /// All rows are predicted, and all parts are stored.
    Predicted {
        /// Number of rows of the dataset.
        rows: u64,
        /// Warnings that concern every row.
        warnings: Vec<String>,
    },
    /// A checkpoint is in the working directory.
    Checkpoint(CheckpointDone),
    /// The run continues after a checkpoint of an earlier run.
    Resumed {
        /// The work that the earlier run has finished.
        done: String,
    },
    /// The checkpoint of an earlier run is not used.
    CheckpointIgnored {
        /// Why.
        reason: String,
    },
    /// The run has stopped, because the worker interrupted it.
    Interrupted,
    /// The work failed.
    Failed {
        /// The kind of failure.
        code: FailureCode,
        /// The message for users.
        message: String,
    },
}

/// A finished part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartDone {
    /// Its number, from 0. It is part of the file's name.
    pub(crate) number: u64,
    /// Number of rows, without the header.
    pub(crate) rows: u64,
    /// Size in bytes.
    pub(crate) size: u64,
    /// SHA-256, hexadecimal.
    pub(crate) sha256: String,
    /// What was counted in these rows.
    pub(crate) counts: Counts,
}

/// A finished checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CheckpointDone {
    /// Its number, from 0. It is part of the file's name.
    pub(crate) number: u64,
    /// Size in bytes.
    pub(crate) size: u64,
    /// The finished work.
    pub(crate) done: String,
    /// Whether the process stops after it.
    pub(crate) is_last: bool,
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
    fn reports_are_parsed_and_other_lines_are_refused() {
        let report = Report::Progress { phase: "trees".into(), fraction: 0.5 };
        let line = serde_json::to_string(&report).unwrap();
        assert_eq!(line, r#"{"type":"progress","phase":"trees","fraction":0.5}"#);
        assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), report);
        for other in ["", "hello", "{}", r#"{"type":"dance"}"#, r#"{"type":"failed","code":"bad_luck","message":""}"#] {
            assert!(serde_json::from_str::<Report>(other).is_err(), "{other}");
        }
    }
}
