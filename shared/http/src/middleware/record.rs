//! The access log line, the metrics and the span of one request.

use std::time::Instant;

use axum::extract::MatchedPath;
use http::{Method, StatusCode};
use trainyard_telemetry::Span;
use trainyard_telemetry::catalogue::{HTTP_REQUEST_DURATION_SECONDS, HTTP_REQUESTS_IN_FLIGHT, HTTP_REQUESTS_TOTAL};
use trainyard_telemetry::trace::Kind;

use super::{RequestId, TraceContext};

/// Routes that are called every few seconds by machines: their lines are for debugging, and they begin no trace.
const QUIET: [&str; 3] = ["/health", "/health/ready", "/metrics"];
/// The log's status for a client that left before the answer (nginx's convention).
const CLIENT_LEFT: u16 = 499;
/// Longest path in a log line.
const MAX_PATH: usize = 256;

/// A request on its way; dropped without [`Record::finish`] when the client leaves.
pub(super) struct Record {
    started: Instant,
    method: &'static str,
    path: String,
    route: Option<MatchedPath>,
    span: Span,
    finished: bool,
}

/// Whether a route is one of those that machines call again and again.
pub(super) fn is_quiet(route: Option<&MatchedPath>) -> bool {
    QUIET.contains(&label_of(route))
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
        metrics::gauge!(HTTP_REQUESTS_IN_FLIGHT).increment(1.0);
        // Paths in URIs are ASCII, so any byte is a fit place to cut.
        let path = path.get(..MAX_PATH).unwrap_or(path).to_owned();
        let method = label(method);
        let name = || format!("{method} {}", label_of(route.as_ref()));
        let mut span = Span::begin(trace.place(), trace.sent(), "http.request").kind(Kind::Server).named(name);
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
        if QUIET.contains(&route) {
            tracing::debug!(method, route, path, status, duration_ms, "answered");
        } else {
            tracing::info!(method, route, path, status, duration_ms, "answered");
        }
        let route = route.to_owned();
        metrics::counter!(HTTP_REQUESTS_TOTAL, "method" => method, "route" => route.clone(), "status" => status.to_string())
            .increment(1);
        metrics::histogram!(HTTP_REQUEST_DURATION_SECONDS, "method" => method, "route" => route).record(elapsed);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        metrics::gauge!(HTTP_REQUESTS_IN_FLIGHT).decrement(1.0);
        if !self.finished {
            self.write(CLIENT_LEFT);
        }
    }
}

/// Clients may invent methods; labels may not grow with them.
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
