//! Spans. A span of a trace that is not sampled is empty.

use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span as Message, Status, span};

use super::{EXPORTER, TraceParent, otlp};

/// Maximum length of a text attribute, in characters.
const MAX_TEXT: usize = 500;

/// The kind of a span, as OpenTelemetry defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An operation within the process.
    Internal,
    /// A request to this process.
    Server,
    /// The creation of a job or message that is processed later.
    Producer,
    /// The processing of a job or message.
    Consumer,
}

/// A started span. Dropping the span ends it.
#[derive(Debug)]
pub struct Span(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    context: TraceParent,
    message: Message,
}

/// The attributes of a span.
#[derive(Debug)]
pub struct Attributes<'s>(&'s mut Vec<KeyValue>);

impl Span {
    /// Starts a child span of `parent`, or an empty span if `parent` is not sampled.
    pub fn child_of(parent: Option<TraceParent>, name: &str) -> Self {
        match parent.filter(|parent| parent.is_sampled()) {
            Some(parent) => Self::begin(parent.child(), Some(parent), name),
            None => Self(None),
        }
    }

    /// Starts the span with the context `context` and the parent `parent`, or an empty span if `context` is not
    /// sampled.
    pub fn begin(context: TraceParent, parent: Option<TraceParent>, name: &str) -> Self {
        if !context.is_sampled() || EXPORTER.get().is_none() {
            return Self(None);
        }
        let message = Message {
            trace_id: context.trace.to_be_bytes().to_vec(),
            span_id: context.span.to_be_bytes().to_vec(),
            parent_span_id: parent.map(|parent| parent.span.to_be_bytes().to_vec()).unwrap_or_default(),
            flags: 1,
            name: name.to_owned(),
            kind: Kind::Internal.code(),
            start_time_unix_nano: nanos(SystemTime::now()),
            ..Message::default()
        };
        Self(Some(Box::new(Open { context, message })))
    }

    /// Sets the name. The closure is not called for an empty span.
    #[must_use]
    pub fn named(mut self, name: impl FnOnce() -> String) -> Self {
        if let Some(open) = &mut self.0 {
            open.message.name = name();
        }
        self
    }

    /// Sets the kind.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        if let Some(open) = &mut self.0 {
            open.message.kind = kind.code();
        }
        self
    }

    /// Sets an earlier start time.
    #[must_use]
    pub fn started_at(mut self, start: SystemTime) -> Self {
        if let Some(open) = &mut self.0 {
            open.message.start_time_unix_nano = nanos(start);
        }
        self
    }

    /// The context of this span, for its children; `None` for an empty span.
    pub fn context(&self) -> Option<TraceParent> {
        self.0.as_ref().map(|open| open.context)
    }

    /// Adds attributes. The closure is not called for an empty span.
    pub fn describe(&mut self, with: impl FnOnce(&mut Attributes<'_>)) {
        if let Some(open) = &mut self.0 {
            with(&mut Attributes(&mut open.message.attributes));
        }
    }

    /// Adds a link to a span of another trace.
    pub fn link(&mut self, other: TraceParent) {
        if let Some(open) = &mut self.0 {
            open.message.links.push(span::Link {
                trace_id: other.trace.to_be_bytes().to_vec(),
                span_id: other.span.to_be_bytes().to_vec(),
                flags: u32::from(other.is_sampled()),
                ..span::Link::default()
            });
        }
    }

    /// Sets the status to error.
    pub fn fail(&mut self, message: impl Display) {
        if let Some(open) = &mut self.0 {
            let message = otlp::truncate(&message.to_string(), MAX_TEXT);
            open.message.status = Some(Status { message, code: StatusCode::Error.into() });
        }
    }
}

impl Attributes<'_> {
    /// Adds a string.
    pub fn text(&mut self, key: &str, value: impl Display) {
        self.add(key, any_value::Value::StringValue(otlp::truncate(&value.to_string(), MAX_TEXT)));
    }

    /// Adds an integer.
    pub fn number(&mut self, key: &str, value: i64) {
        self.add(key, any_value::Value::IntValue(value));
    }

    /// Adds a boolean.
    pub fn boolean(&mut self, key: &str, value: bool) {
        self.add(key, any_value::Value::BoolValue(value));
    }

    fn add(&mut self, key: &str, value: any_value::Value) {
        self.0.push(otlp::attribute(key, value));
    }
}

impl Kind {
    fn code(self) -> i32 {
        let kind = match self {
            Self::Internal => span::SpanKind::Internal,
            Self::Server => span::SpanKind::Server,
            Self::Producer => span::SpanKind::Producer,
            Self::Consumer => span::SpanKind::Consumer,
        };
        kind.into()
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let (Some(open), Some(exporter)) = (self.0.take(), EXPORTER.get()) else { return };
        let mut message = open.message;
        // If the clock was set back, the end must not be before the start.
        message.end_time_unix_nano = nanos(SystemTime::now()).max(message.start_time_unix_nano);
        exporter.export(message);
    }
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
