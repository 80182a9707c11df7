//! Spans, read from what a collector of traces gets: OTLP over HTTP, in protobuf.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message as _;

use crate::receiver::{Received, Receiver};

/// One span. Ids are hexadecimal.
#[derive(Debug, Clone)]
pub struct SeenSpan {
    /// Who sent it: the attributes of its resource.
    pub resource: BTreeMap<String, String>,
    /// Its name.
    pub name: String,
    /// Its trace.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The id of the span above it; empty for the first.
    pub parent: String,
    /// Trace and id of each span that it points at.
    pub links: Vec<(String, String)>,
    /// When it began and ended, in nanoseconds since 1970.
    pub time: (u64, u64),
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Why what it stands for failed, if it did.
    pub failure: Option<String>,
}

impl Receiver {
    /// All spans that came so far; panics when one came that OTLP does not allow.
    pub fn spans(&self) -> Vec<SeenSpan> {
        self.received().iter().flat_map(read).collect()
    }
}

impl SeenSpan {
    /// The service that sent it.
    pub fn service(&self) -> &str {
        &self.resource["service.name"]
    }

    /// An attribute; empty when absent.
    pub fn attribute(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

fn read(received: &Received) -> Vec<SeenSpan> {
    assert_eq!((received.path.as_str(), received.header("content-type")), ("/v1/traces", "application/x-protobuf"));
    let request = ExportTraceServiceRequest::decode(received.bytes.clone()).unwrap();
    request.resource_spans.into_iter().flat_map(of_resource).collect()
}

fn of_resource(spans: ResourceSpans) -> Vec<SeenSpan> {
    let resource = texts(spans.resource.unwrap().attributes);
    spans.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| seen(&resource, span)).collect()
}

fn seen(resource: &BTreeMap<String, String>, span: Span) -> SeenSpan {
    assert!(span.trace_id.len() == 16 && span.span_id.len() == 8, "{span:?}");
    assert!(span.start_time_unix_nano > 0 && span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
    SeenSpan {
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
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => panic!("nothing here sends {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
