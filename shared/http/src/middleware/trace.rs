//! The trace context of a request: a valid `traceparent` continues its trace; otherwise a new trace starts.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use trainyard_telemetry::TraceParent;

use super::TRACEPARENT;
use crate::problem::Problem;

/// The trace context of a request: the trace id of the client, and the span id of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    server_span: TraceParent,
    remote_parent: Option<TraceParent>,
    text: Arc<str>,
}

/// The position of the trace id in `00-<32 hex>-<16 hex>-<2 hex>`.
const TRACE_ID: std::ops::Range<usize> = 3..35;

impl TraceContext {
    /// The context from `headers`. A request without a valid `traceparent` starts a sampled trace only with `may_sample`.
    pub(super) fn of(headers: &HeaderMap, may_sample: bool) -> Self {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let remote_parent = match (values.next(), values.next()) {
            (Some(one), None) => one.to_str().ok().and_then(TraceParent::parse),
            _ => None,
        };
        let server_span = match remote_parent {
            Some(parent) => parent.child(),
            None if may_sample => TraceParent::begin(),
            None => TraceParent::begin_unsampled(),
        };
        let text = server_span.encode(&mut [0; TraceParent::LENGTH]).into();
        Self { server_span, remote_parent, text }
    }

    /// The trace id: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.text.get(TRACE_ID).unwrap_or_default()
    }

    /// The `traceparent` of outgoing requests, with the server span as the parent.
    pub fn traceparent(&self) -> &str {
        &self.text
    }

    /// The server span of this request: the parent of its child spans.
    pub fn server_span(&self) -> TraceParent {
        self.server_span
    }

    /// The client's span, where the request has a valid `traceparent`.
    pub fn remote_parent(&self) -> Option<TraceParent> {
        self.remote_parent
    }

    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.text).unwrap_or(HeaderValue::from_static(""))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TraceContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::internal("the request has no trace context"))
    }
}
