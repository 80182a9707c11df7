//! Logs, metrics and traces: how a process tells people and machines what it does.
//!
//! Logs go to standard error, one event a line. Metrics are kept in memory and rendered on request; every name is a
//! constant of [`catalogue`]. Spans go to a collector, where one is named: the only socket opened here.

pub mod catalogue;
mod catalogue_markdown;
mod json;
pub mod logs;
pub mod metrics;
mod process;
mod recorder;
pub mod trace;

pub use logs::{LogFormat, init_logs};
pub use metrics::Metrics;
pub use recorder::VERSION_SERIES_IDLE;
pub use trace::{Span, TraceConfig, TraceParent};

/// Why logs, metrics or traces could not be set up.
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
    /// A header for the collector has a name or a value that HTTP does not allow.
    #[error("traces.headers: {0} can't be sent as a header")]
    BadHeader(String),
    /// Requests to the collector can't be made.
    #[error("the client for the collector of traces can't be made")]
    NoClient(#[source] reqwest::Error),
    /// The thread that sends spans can't be started.
    #[error("the thread that sends spans can't be started")]
    NoThread(#[source] std::io::Error),
}
