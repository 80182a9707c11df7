//! Received spans: OTLP over HTTP, in protobuf.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message as _;

use crate::receiver::{Received, Receiver};

/// A span. Ids are hexadecimal.
#[derive(Debug, Clone)]
pub struct ReceivedSpan {
    /// The attributes of the resource.
    pub resource: BTreeMap<String, String>,
    /// The name.
    pub name: String,
    /// The trace id.
    pub trace: String,
    /// The span id.
    pub id: String,
    /// The id of the parent span; empty for a root span.
    pub parent: String,
    /// Trace id and span id of each link.
    pub links: Vec<(String, String)>,
    /// Start and end time, in nanoseconds since the Unix epoch.
    pub time: (u64, u64),
    /// The attributes.
    pub attributes: BTreeMap<String, String>,
    /// The error message, if the status is an error.
    pub failure: Option<String>,
}

impl Receiver {
    /// All received spans. Panics if a span is invalid.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.received().iter().flat_map(read).collect()
    }
}

impl ReceivedSpan {
    /// The service name.
    pub fn service(&self) -> &str {
        &self.resource["service.name"]
    }

    /// The value of an attribute; empty if absent.
    pub fn attribute(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

fn read(received: &Received) -> Vec<ReceivedSpan> {
    assert_eq!((received.path.as_str(), received.header("content-type")), ("/v1/traces", "application/x-protobuf"));
    let request = ExportTraceServiceRequest::decode(received.bytes.clone()).unwrap();
    request.resource_spans.into_iter().flat_map(of_resource).collect()
}

fn of_resource(spans: ResourceSpans) -> Vec<ReceivedSpan> {
    let resource = texts(spans.resource.unwrap().attributes);
    spans.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| convert(&resource, span)).collect()
}

fn convert(resource: &BTreeMap<String, String>, span: Span) -> ReceivedSpan {
    assert!(span.trace_id.len() == 16 && span.span_id.len() == 8, "{span:?}");
    assert!(span.start_time_unix_nano > 0 && span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
    ReceivedSpan {
        resource: resource.clone(),
        name: span.name,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        links: span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
        time: (span.start_time_unix_nano, span.end_time_unix_nano),
        attributes: texts(span.attributes),
        failure: span.status.filter(|status| status.code == 2).map(|status| status.message),
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|KeyValue { key, value, .. }| (key, text(value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(boolean)) => boolean.to_string(),
        other => panic!("unexpected attribute {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
