//! Logs, metrics and traces.
//!
//! Logs are written to standard error. Metrics are kept in memory and rendered on request; [`catalogue`] defines their
//! names. Spans are sent to a collector if the settings name one.

mod buckets;
pub mod catalogue;
mod catalogue_markdown;
mod json;
mod log_writer;
pub mod logs;
mod metric_spec;
pub mod metrics;
mod process;
mod recorder;
mod timestamp;
pub mod trace;

pub use log_writer::ACCESS_LOG;
pub use logs::{LogFormat, flush_logs, init_logs};
pub use metrics::Metrics;
pub use recorder::VERSION_SERIES_IDLE;
pub use trace::{Span, TraceConfig, TraceParent};

/// An error while logs, metrics or traces are set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter is invalid.
    #[error("invalid log filter {filter:?}: {source}")]
    BadFilter {
        /// The filter.
        filter: String,
        /// The parse error.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Logging has already been set up.
    #[error("logging has already been set up")]
    LogsTaken(#[source] tracing_subscriber::util::TryInitError),
    /// The thread that writes the log could not be started.
    #[error("the thread that writes the log could not be started")]
    NoLogThread(#[source] std::io::Error),
    /// A metrics recorder has already been installed.
    #[error("a metrics recorder has already been installed")]
    MetricsTaken,
    /// The buckets in the catalogue are invalid.
    #[error("the metrics recorder could not be created")]
    BadBuckets(#[source] metrics_exporter_prometheus::BuildError),
    /// A header with a name or value that HTTP does not allow.
    #[error("traces.headers: {0} is not a valid header")]
    BadHeader(String),
    /// The HTTP client for the collector could not be created.
    #[error("the HTTP client for the trace collector could not be created")]
    NoClient(#[source] reqwest::Error),
    /// The runtime of the export could not be created.
    #[error("the runtime that exports spans could not be created")]
    NoRuntime(#[source] std::io::Error),
}
