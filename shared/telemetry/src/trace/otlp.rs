//! OTLP messages.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::Pairs;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The resource attributes: service, version, instance, and the attributes of the settings, which override the former.
pub(super) fn resource(service: &str, configured: &Pairs) -> Resource {
    let instance = uuid::Uuid::now_v7().to_string();
    let defaults =
        [("service.name", service), ("service.version", VERSION), ("service.instance.id", instance.as_str())];
    let overridden = |key: &str| configured.0.iter().any(|(name, _)| name == key);
    let defaults = defaults.into_iter().filter(|(key, _)| !overridden(key));
    let configured = configured.0.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let text = |(key, value): (&str, &str)| attribute(key, any_value::Value::StringValue(value.to_owned()));
    Resource { attributes: defaults.chain(configured).map(text).collect(), ..Resource::default() }
}

/// An export request.
pub(super) fn request(resource: &Resource, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope { name: "trainyard".into(), version: VERSION.into(), ..Default::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..Default::default() }];
    let resource_spans = ResourceSpans { resource: Some(resource.clone()), scope_spans, ..Default::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
}

pub(super) fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

/// The first `max` characters.
pub(super) fn truncate(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
