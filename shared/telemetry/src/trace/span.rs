//! A span from its beginning to its end. One whose trace nobody records is nothing at all.

use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span as Message, Status, span};

use super::{EXPORTER, TraceParent, otlp};

/// Longest text of an attribute, in characters.
const MAX_TEXT: usize = 500;

/// What a span stands for among its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A step within the process.
    Internal,
    /// A request being answered.
    Server,
    /// Something handed over, to be done later.
    Producer,
    /// Something taken up that was handed over.
    Consumer,
}

/// A span that has begun; dropping it ends it.
#[derive(Debug)]
pub struct Span(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    place: TraceParent,
    message: Message,
}

/// The attributes of a span.
#[derive(Debug)]
pub struct Attributes<'s>(&'s mut Vec<KeyValue>);

impl Span {
    /// Begins a span below `parent`, in a trace that somebody records; else nothing.
    pub fn child_of(parent: Option<TraceParent>, name: &str) -> Self {
        match parent.filter(|parent| parent.is_sampled()) {
            Some(parent) => Self::begin(parent.child(), Some(parent), name),
            None => Self(None),
        }
    }

    /// Begins the span at `place`, below `parent`, in a trace that somebody records; else nothing.
    pub fn begin(place: TraceParent, parent: Option<TraceParent>, name: &str) -> Self {
        if !place.is_sampled() || EXPORTER.get().is_none() {
            return Self(None);
        }
        let message = Message {
            trace_id: place.trace.to_be_bytes().to_vec(),
            span_id: place.span.to_be_bytes().to_vec(),
            parent_span_id: parent.map(|parent| parent.span.to_be_bytes().to_vec()).unwrap_or_default(),
            flags: 1,
            name: name.to_owned(),
            kind: Kind::Internal.code(),
            start_time_unix_nano: nanos(SystemTime::now()),
            ..Message::default()
        };
        Self(Some(Box::new(Open { place, message })))
    }

    /// Gives it a name that is made up as it comes. The closure is not called for a span that is not recorded.
    #[must_use]
    pub fn named(mut self, name: impl FnOnce() -> String) -> Self {
        if let Some(open) = &mut self.0 {
            open.message.name = name();
        }
        self
    }

    /// Says what the span stands for.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        if let Some(open) = &mut self.0 {
            open.message.kind = kind.code();
        }
        self
    }

    /// Has it begun earlier.
    #[must_use]
    pub fn since(mut self, start: SystemTime) -> Self {
        if let Some(open) = &mut self.0 {
            open.message.start_time_unix_nano = nanos(start);
        }
        self
    }

    /// Its place, for what comes below it; none when it is not recorded.
    pub fn place(&self) -> Option<TraceParent> {
        self.0.as_ref().map(|open| open.place)
    }

    /// Adds attributes. The closure is not called for a span that is not recorded.
    pub fn describe(&mut self, with: impl FnOnce(&mut Attributes<'_>)) {
        if let Some(open) = &mut self.0 {
            with(&mut Attributes(&mut open.message.attributes));
        }
    }

    /// Points at a span of another trace that this one belongs with.
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

    /// Notes that what it stands for failed.
    pub fn fail(&mut self, why: impl Display) {
        if let Some(open) = &mut self.0 {
            let message = otlp::cut(&why.to_string(), MAX_TEXT);
            open.message.status = Some(Status { message, code: StatusCode::Error.into() });
        }
    }
}

impl Attributes<'_> {
    /// A text.
    pub fn text(&mut self, key: &str, value: impl Display) {
        self.add(key, any_value::Value::StringValue(otlp::cut(&value.to_string(), MAX_TEXT)));
    }

    /// A whole number.
    pub fn number(&mut self, key: &str, value: i64) {
        self.add(key, any_value::Value::IntValue(value));
    }

    /// A truth value.
    pub fn truth(&mut self, key: &str, value: bool) {
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
        // A clock that was set back meanwhile must not make it end before it began.
        message.end_time_unix_nano = nanos(SystemTime::now()).max(message.start_time_unix_nano);
        exporter.send(message);
    }
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
