//! Distributed traces: spans that a background thread sends to a collector (OTLP over HTTP), by the OpenTelemetry SDK.
//!
//! Without [`install`], and for traces that are not sampled, a span is empty: no fields, no timestamps, no export.
//! Spans never block: if the export queue is full, a span is dropped and counted.

mod config;
mod export;
mod parent;
mod span;

use std::sync::OnceLock;
use std::time::Duration;

pub use config::{Endpoint, Pairs, Ratio, TraceConfig};
pub use opentelemetry::trace::SpanKind;
pub use parent::TraceParent;
pub use span::{Attributes, Span};

use crate::TelemetryError;
use export::Exporter;
use opentelemetry::trace::TraceId;

/// The exporter is global to the process, like logs and metrics.
static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// Starts the export of spans for the service name `service`. Does nothing if the settings name no collector.
///
/// # Errors
/// If a header is invalid, the machine has no usable TLS roots, or the runtime of the export can't be created.
pub fn install(config: &TraceConfig, service: &str) -> Result<(), TelemetryError> {
    let Some(endpoint) = config.endpoint.url() else { return Ok(()) };
    // After a second call the first exporter stays in use.
    let _ = EXPORTER.set(Exporter::start(config, endpoint, service)?);
    Ok(())
}

/// Exports all finished spans and stops the export. Blocks the thread until then, or for `limit`.
pub fn flush(limit: Duration) {
    if EXPORTER.get().is_some_and(|exporter| exporter.shutdown(limit).is_err()) {
        tracing::warn!("the last spans were not exported in time");
    }
}

/// The sampling decision for a trace that begins in this process.
fn sample_root(trace: TraceId) -> bool {
    EXPORTER.get().is_some_and(|exporter| exporter.samples(trace))
}
