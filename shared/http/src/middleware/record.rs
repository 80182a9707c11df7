//! The access log line, the metrics and the span of one request.

use std::time::Instant;

use axum::extract::MatchedPath;
use http::{Method, StatusCode};
use trainyard_telemetry::trace::SpanKind;
use trainyard_telemetry::{ACCESS_LOG, Span};

use super::{RequestId, TraceContext, series};

/// Routes that probes and scrapers call every few seconds. They are logged at debug level and start no trace.
const PROBED: [&str; 8] = [
    "/health",
    "/health/ready",
    "/metrics",
    "/v2/health/live",
    "/v2/health/ready",
    "/grpc.health.v1.Health/Check",
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
];
/// The logged status of a client that disconnected before the response (nginx's convention).
const CLIENT_CLOSED_REQUEST: u16 = 499;
const MAX_PATH: usize = 256;

/// The record of one request. A client that disconnects drops the record before [`Record::finish`].
pub(super) struct Record {
    started: Instant,
    method: &'static str,
    path: String,
    route: Option<MatchedPath>,
    span: Span,
    finished: bool,
}

/// Whether probes and scrapers call this route.
pub(super) fn is_probed(route: Option<&MatchedPath>) -> bool {
    PROBED.contains(&label_of(route))
}

fn label_of(route: Option<&MatchedPath>) -> &str {
    route.map_or("unmatched", MatchedPath::as_str)
}

impl Record {
    pub(super) fn start(
        method: &Method,
        path: &str,
        route: Option<MatchedPath>,
        id: &RequestId,
        trace: &TraceContext,
    ) -> Self {
        series::begin_request();
        // A URI path is ASCII, so each byte is a character boundary.
        let path = path.get(..MAX_PATH).unwrap_or(path).to_owned();
        let method = label(method);
        let name = || format!("{method} {}", label_of(route.as_ref()));
        let mut span =
            Span::begin(trace.server_span(), trace.remote_parent(), "http.request").kind(SpanKind::Server).named(name);
        span.describe(|span| {
            span.text("http.request.method", method);
            span.text("http.route", label_of(route.as_ref()));
            span.text("url.path", &path);
            span.text("request.id", id.as_str());
        });
        Self { started: Instant::now(), method, path, route, span, finished: false }
    }

    pub(super) fn finish(mut self, status: StatusCode) {
        self.finished = true;
        self.write(status.as_u16());
    }

    fn write(&mut self, status: u16) {
        self.span.describe(|span| span.number("http.response.status_code", status.into()));
        if status >= 500 {
            self.span.fail(status);
        }
        let route = label_of(self.route.as_ref());
        let elapsed = self.started.elapsed().as_secs_f64();
        let (method, path, duration_ms) = (self.method, self.path.as_str(), elapsed * 1e3);
        if PROBED.contains(&route) {
            tracing::debug!(target: ACCESS_LOG, method, route, path, status, duration_ms, "request completed");
        } else {
            tracing::info!(target: ACCESS_LOG, method, route, path, status, duration_ms, "request completed");
        }
        series::record(method, route, status, elapsed);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        series::end_request();
        if !self.finished {
            self.write(CLIENT_CLOSED_REQUEST);
        }
    }
}

/// The metric label of a method. Clients can send any method, so unknown ones share a label.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
