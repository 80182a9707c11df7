//! The log of a run: text lines, and metrics measured during training.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Normal progress.
    Info,
    /// A problem with the data, the parameters or the environment that does not stop the run.
    Warning,
    /// Why the run produced no model.
    Error,
}

/// One log entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum LogEntry {
    /// A text line.
    Log {
        /// Its severity.
        level: LogLevel,
        /// Its text.
        message: String,
    },
    /// A measured value.
    Metric {
        /// Name of the metric, such as `oob_accuracy` or `log_loss`.
        name: String,
        /// The value, a finite number.
        value: f64,
        /// The training step, such as the number of trees; `None` for the final model.
        step: Option<u64>,
    },
}

/// A log entry with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Time of the entry, by the worker's clock.
    pub at: DateTime<Utc>,
    /// The entry.
    #[serde(flatten)]
    pub entry: LogEntry,
}

/// Sequence numbers reserved for each run of a job.
const PER_RUN: i64 = 1_000_000;

/// The sequence number of the `n`th line (from 0) of the run with this claim.
///
/// Numbers increase within a run and from run to run. The worker computes them without a query, so a repeated write
/// stores the same lines under the same numbers.
pub fn seq(claim: i64, n: u64) -> i64 {
    claim * PER_RUN + i64::try_from(n).unwrap_or(i64::MAX).min(PER_RUN - 2) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_increase_from_run_to_run_without_overlap() {
        assert_eq!(seq(0, 0), 1);
        assert!(seq(1, 0) < seq(1, 1) && seq(1, 1) < seq(2, 0));
        assert!(seq(1, u64::MAX) < seq(2, 0), "a run with too many lines stays within its own numbers");
    }

    #[test]
    fn lines_read_back() {
        let entries = [
            LogEntry::Log { level: LogLevel::Warning, message: "half of 'age' is missing".into() },
            LogEntry::Metric { name: "oob_accuracy".into(), value: 0.8125, step: Some(20) },
        ];
        for entry in entries {
            let line = LogLine { at: DateTime::UNIX_EPOCH, entry };
            let text = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<LogLine>(&text).unwrap(), line, "{text}");
        }
    }
}
