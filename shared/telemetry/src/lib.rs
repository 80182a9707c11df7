//! Logs and metrics: how a process tells people and machines what it does.
//!
//! Logs go to standard error, one event a line. Metrics are kept in memory and rendered on request; every name is a
//! constant of [`catalogue`]. Nothing here opens a socket.

pub mod catalogue;
mod catalogue_markdown;
mod json;
pub mod logs;
pub mod metrics;
mod process;
mod recorder;

pub use logs::{LogFormat, init_logs};
pub use metrics::Metrics;
pub use recorder::VERSION_SERIES_IDLE;

/// Why logs or metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter does not parse.
    #[error("the log filter {filter:?} is not valid: {source}")]
    BadFilter {
        /// What was asked for.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody else in this process has set up logging.
    #[error("logging is set up already")]
    LogsTaken(#[source] tracing_subscriber::util::TryInitError),
    /// Somebody else in this process records the metrics.
    #[error("metrics are recorded already")]
    MetricsTaken,
    /// The catalogue's buckets are of no use.
    #[error("the metrics recorder can't be made")]
    BadBuckets(#[source] metrics_exporter_prometheus::BuildError),
}
