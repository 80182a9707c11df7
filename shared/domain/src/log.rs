//! What a run says of itself on the way: lines for people, and figures measured while it trains.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What goes on.
    Info,
    /// What a person should know about the data, the parameters or the surroundings.
    Warning,
    /// Why a run ended without a model.
    Error,
}

/// One thing a run said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum LogEntry {
    /// A line for people.
    Log {
        /// How much it matters.
        level: LogLevel,
        /// A sentence.
        message: String,
    },
    /// A figure.
    Metric {
        /// What was measured, as in a job's metrics: `oob_accuracy`, `log_loss`.
        name: String,
        /// The figure, finite.
        value: f64,
        /// How far the training was, in the algorithm's own steps (trees); `None` for the finished model.
        step: Option<u64>,
    },
}

/// An entry with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was said, by the worker's clock.
    pub at: DateTime<Utc>,
    /// What was said.
    #[serde(flatten)]
    pub entry: LogEntry,
}

/// Sequence numbers set aside for each run of a job.
const PER_RUN: i64 = 1_000_000;

/// The sequence number of the `n`th line (from 0) of the run with this claim. It rises through a run and from one run to
/// the next, and whoever runs the job knows it without asking: a write that is repeated finds its own lines again.
pub fn seq(claim: i64, n: u64) -> i64 {
    claim * PER_RUN + i64::try_from(n).unwrap_or(i64::MAX).min(PER_RUN - 2) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_through_runs_and_never_meet() {
        assert_eq!(seq(0, 0), 1);
        assert!(seq(1, 0) < seq(1, 1) && seq(1, 1) < seq(2, 0));
        assert!(seq(1, u64::MAX) < seq(2, 0), "a run that talks for ever stays within its own numbers");
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
