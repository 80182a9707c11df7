//! Distributed traces: spans that a background thread sends to a collector (OTLP over HTTP).
//!
//! Without [`install`], and for traces that are not sampled, a span is empty: no fields, no timestamps, no export.
//! Spans never block: if the export queue is full, a span is dropped and counted.

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

/// The exporter is global to the process, like logs and metrics.
static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// Starts the export of spans for the service name `service`. Does nothing if the settings name no collector.
///
/// # Errors
/// If the machine has no usable TLS roots, or a thread can't be started.
pub fn install(config: &TraceConfig, service: &str) -> Result<(), TelemetryError> {
    let Some(endpoint) = config.endpoint.url() else { return Ok(()) };
    let exporter = Exporter::start(config, endpoint, otlp::resource(service, &config.resource_attributes))?;
    // After a second call the first exporter stays in use.
    let _ = EXPORTER.set(exporter);
    Ok(())
}

/// Waits until all finished spans are exported, or for `limit`.
pub async fn flush(limit: Duration) {
    let Some(exporter) = EXPORTER.get() else { return };
    if tokio::time::timeout(limit, exporter.flush()).await.is_err() {
        tracing::warn!("the last spans were not exported in time");
    }
}

/// The sampling decision for a trace that begins in this process.
fn sample_root(trace: u128) -> bool {
    EXPORTER.get().is_some_and(|exporter| exporter.samples(trace))
}
