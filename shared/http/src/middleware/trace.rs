//! The trace a request belongs to: a valid `traceparent` is continued, anything else starts a new trace.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use trainyard_telemetry::TraceParent;

use super::TRACEPARENT;
use crate::problem::Problem;

/// A request's place in a trace: the caller's trace id, and a span id of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    place: TraceParent,
    sent: Option<TraceParent>,
    text: Arc<str>,
}

/// Where the trace id stands in `00-<32 hex>-<16 hex>-<2 hex>`.
const TRACE_ID: std::ops::Range<usize> = 3..35;

impl TraceContext {
    /// `may_begin` says whether the request is worth a trace of its own.
    pub(super) fn of(headers: &HeaderMap, may_begin: bool) -> Self {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let sent = match (values.next(), values.next()) {
            (Some(one), None) => one.to_str().ok().and_then(TraceParent::parse),
            _ => None,
        };
        let place = match sent {
            Some(parent) => parent.child(),
            None if may_begin => TraceParent::begin(),
            None => TraceParent::begin_unsampled(),
        };
        Self { place, sent, text: place.to_string().into() }
    }

    /// The trace's id: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.text.get(TRACE_ID).unwrap_or_default()
    }

    /// The value to send on as `traceparent`, with our own span as the parent.
    pub fn traceparent(&self) -> &str {
        &self.text
    }

    /// The span of this request, as the parent of what it does.
    pub fn place(&self) -> TraceParent {
        self.place
    }

    /// The caller's span, where the caller told one.
    pub fn sent(&self) -> Option<TraceParent> {
        self.sent
    }

    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.text).unwrap_or(HeaderValue::from_static(""))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TraceContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::internal("the request has no trace"))
    }
}
