//! Spans. A span of a trace that is not sampled is empty.

use std::fmt::Display;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::{EXPORTER, TraceParent};

/// Maximum length of a text attribute, in characters.
const MAX_TEXT: usize = 500;

/// A started span. Dropping the span ends it.
#[derive(Debug)]
pub struct Span(Option<Box<SpanData>>);

/// The attributes of a span.
#[derive(Debug)]
pub struct Attributes<'s>(&'s mut Vec<KeyValue>);

impl Span {
    /// Starts a child span of `parent`, or an empty span if `parent` is not sampled.
    pub fn child_of(parent: Option<TraceParent>, name: &'static str) -> Self {
        match parent.filter(|parent| parent.is_sampled()) {
            Some(parent) => Self::begin(parent.child(), Some(parent), name),
            None => Self(None),
        }
    }

    /// Starts the span with the context `context` and the parent `parent`, or an empty span if `context` is not
    /// sampled.
    pub fn begin(context: TraceParent, parent: Option<TraceParent>, name: &'static str) -> Self {
        let Some(exporter) = EXPORTER.get().filter(|_| context.is_sampled()) else { return Self(None) };
        let now = SystemTime::now();
        Self(Some(Box::new(SpanData {
            span_context: context.into(),
            parent_span_id: parent.map_or(SpanId::INVALID, |parent| parent.span),
            parent_span_is_remote: parent.is_some_and(|parent| parent.remote),
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: now,
            end_time: now,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: exporter.scope.clone(),
        })))
    }

    /// Sets the name. The closure is not called for an empty span.
    #[must_use]
    pub fn named(mut self, name: impl FnOnce() -> String) -> Self {
        if let Some(data) = &mut self.0 {
            data.name = name().into();
        }
        self
    }

    /// Sets the kind.
    #[must_use]
    pub fn kind(mut self, kind: SpanKind) -> Self {
        if let Some(data) = &mut self.0 {
            data.span_kind = kind;
        }
        self
    }

    /// Sets an earlier start time.
    #[must_use]
    pub fn started_at(mut self, start: SystemTime) -> Self {
        if let Some(data) = &mut self.0 {
            data.start_time = start;
        }
        self
    }

    /// The context of this span, for its children; `None` for an empty span.
    pub fn context(&self) -> Option<TraceParent> {
        self.0.as_ref().map(|data| TraceParent::from(&data.span_context))
    }

    /// Adds attributes. The closure is not called for an empty span.
    pub fn describe(&mut self, with: impl FnOnce(&mut Attributes<'_>)) {
        if let Some(data) = &mut self.0 {
            with(&mut Attributes(&mut data.attributes));
        }
    }

    /// Adds a link to a span of another trace.
    pub fn link(&mut self, other: TraceParent) {
        if let Some(data) = &mut self.0 {
            data.links.links.push(Link::with_context(other.into()));
        }
    }

    /// Sets the status to error.
    pub fn fail(&mut self, message: impl Display) {
        if let Some(data) = &mut self.0 {
            data.status = Status::error(truncate(message));
        }
    }
}

impl Attributes<'_> {
    /// Adds a string.
    pub fn text(&mut self, key: &'static str, value: impl Display) {
        self.0.push(KeyValue::new(key, truncate(value)));
    }

    /// Adds an integer.
    pub fn number(&mut self, key: &'static str, value: i64) {
        self.0.push(KeyValue::new(key, value));
    }

    /// Adds a boolean.
    pub fn boolean(&mut self, key: &'static str, value: bool) {
        self.0.push(KeyValue::new(key, value));
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let (Some(mut data), Some(exporter)) = (self.0.take(), EXPORTER.get()) else { return };
        // If the clock was set back, the end must not be before the start.
        data.end_time = SystemTime::now().max(data.start_time);
        exporter.export(*data);
    }
}

fn truncate(text: impl Display) -> String {
    text.to_string().chars().take(MAX_TEXT).collect()
}
