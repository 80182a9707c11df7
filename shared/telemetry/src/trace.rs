//! Traces: spans of what a request sets off, sent to a collector (OTLP over HTTP) by a thread of their own.
//!
//! Nothing is installed until [`install`] is called, and then a span whose trace is not sampled is still nothing: it has
//! no fields, takes no time from the clock and is sent nowhere. No span ever waits: one that finds the queue to the
//! collector full is dropped and counted.

mod config;
mod export;
mod otlp;
mod parent;
mod span;

use std::sync::OnceLock;
use std::time::Duration;

pub use config::{Endpoint, Pairs, Ratio, TraceConfig};
pub use parent::TraceParent;
pub use span::{Attributes, Kind, Span};

use crate::TelemetryError;
use export::Exporter;

/// Spans belong to the process, as its log lines and its counters do.
static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// Begins to make and send spans, in the name of `service`; does nothing when the settings name no collector.
///
/// # Errors
/// When this machine has no usable TLS roots or gives no thread.
pub fn install(config: &TraceConfig, service: &str) -> Result<(), TelemetryError> {
    let Some(endpoint) = config.endpoint.url() else { return Ok(()) };
    let exporter = Exporter::start(config, endpoint, otlp::resource(service, &config.resource_attributes))?;
    // A second call in a process finds the first one's at work.
    let _ = EXPORTER.set(exporter);
    Ok(())
}

/// Waits until everything that has ended so far is sent, or for `limit`.
pub async fn flush(limit: Duration) {
    let Some(exporter) = EXPORTER.get() else { return };
    if tokio::time::timeout(limit, exporter.flush()).await.is_err() {
        tracing::warn!("the last spans were not sent in time");
    }
}

/// Whether a trace that begins here with this id is kept.
fn begins_sampled(trace: u128) -> bool {
    EXPORTER.get().is_some_and(|exporter| exporter.samples(trace))
}
