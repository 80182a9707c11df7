//! JSON log lines with the fields of the enclosing spans at the top level.
//!
//! `tracing-subscriber` writes span fields into a nested list. Log stores search top-level keys, so `request_id`,
//! `user_id` and `job_id` must be top-level keys.
//!
//! For speed, values are serialized when they are recorded, and each thread reuses its buffers.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::ops::Range;

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::log_writer::{ACCESS_LOG, LogWriter};
use crate::timestamp;

/// Writes each event as a JSON object: `timestamp`, `level`, `target`, `message`, then the span fields, then the
/// event's own fields. A later field replaces an earlier one of the same name.
pub(crate) struct JsonLines {
    writer: LogWriter,
}

impl JsonLines {
    pub(crate) fn new(writer: LogWriter) -> Self {
        Self { writer }
    }
}

/// Serialized fields with unique names.
#[derive(Default)]
struct Fields {
    json: Vec<u8>,
    ranges: Vec<(&'static str, Range<usize>)>,
}

/// The buffers of a thread.
#[derive(Default)]
struct Buffers {
    event: Fields,
    all: Fields,
    line: Vec<u8>,
}

thread_local! {
    static BUFFERS: Cell<Buffers> = Cell::default();
}

impl<S> Layer<S> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::with_room();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // Taken out of the cell: a value that logs while it is serialized needs other buffers.
        let mut buffers = BUFFERS.take();
        let Buffers { event: own, all, line } = &mut buffers;
        own.clear();
        event.record(own);
        all.clear();
        all.put("timestamp", |json| {
            json.push(b'"');
            timestamp::write_now(json);
            json.push(b'"');
        });
        all.put("level", |json| text(json, event.metadata().level().as_str()));
        all.put("target", |json| text(json, event.metadata().target()));
        all.put("message", |json| json.extend_from_slice(b"null"));
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                all.extend(fields);
            }
        }
        all.extend(own);
        all.write(line);
        // Only access log lines are so many that a write for each one would cost throughput.
        let urgent = event.metadata().target() != ACCESS_LOG || *event.metadata().level() <= Level::WARN;
        self.writer.push(line, urgent);
        BUFFERS.set(buffers);
    }
}

impl Fields {
    /// Room for the fields of a request, so that they are stored with two allocations.
    fn with_room() -> Self {
        Self { json: Vec::with_capacity(256), ranges: Vec::with_capacity(4) }
    }

    fn clear(&mut self) {
        self.json.clear();
        self.ranges.clear();
    }

    /// Adds a field or replaces its value.
    fn put(&mut self, name: &'static str, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.json.len();
        value(&mut self.json);
        let range = start..self.json.len();
        match self.ranges.iter_mut().find(|(known, _)| *known == name) {
            Some((_, existing)) => *existing = range,
            None => self.ranges.push((name, range)),
        }
    }

    fn extend(&mut self, others: &Self) {
        for (name, range) in &others.ranges {
            self.put(name, |json| json.extend_from_slice(&others.json[range.clone()]));
        }
    }

    /// Replaces the content of `line` by a line with these fields.
    fn write(&self, line: &mut Vec<u8>) {
        line.clear();
        for (i, (name, range)) in self.ranges.iter().enumerate() {
            line.extend_from_slice(if i == 0 { b"{\"" } else { b",\"" });
            // Names are Rust identifiers and need no escaping.
            line.extend_from_slice(name.as_bytes());
            line.extend_from_slice(b"\":");
            line.extend_from_slice(&self.json[range.clone()]);
        }
        line.extend_from_slice(b"}\n");
    }
}

/// Appends what is written as the content of a JSON string (RFC 8259, section 7).
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.0.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let start = self.0.len();
        serde_json::to_writer(&mut *self.0, text).map_err(|_| fmt::Error)?;
        // Without the quotes.
        self.0.pop();
        self.0.remove(start);
        Ok(())
    }
}

/// Appends what `write` writes as a JSON string.
fn quoted(json: &mut Vec<u8>, write: impl FnOnce(&mut Escaped<'_>) -> fmt::Result) {
    json.push(b'"');
    // A value that can't be formatted is incomplete.
    let _ = write(&mut Escaped(json));
    json.push(b'"');
}

/// Appends a JSON string.
fn text(json: &mut Vec<u8>, value: &str) {
    quoted(json, |out| out.write_str(value));
}

/// Appends a number or a boolean. Numbers without a form in JSON are null.
fn plain(json: &mut Vec<u8>, value: impl Serialize) {
    // Writing to memory can't fail.
    let _ = serde_json::to_writer(json, &value);
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), |json| plain(json, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), |json| plain(json, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), |json| plain(json, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), |json| plain(json, value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), |json| text(json, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let write = |out: &mut Escaped<'_>| {
            write!(out, "{value}")?;
            let mut source = value.source();
            while let Some(error) = source {
                write!(out, ": {error}")?;
                source = error.source();
            }
            Ok(())
        };
        self.put(field.name(), |json| quoted(json, write));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), |json| quoted(json, |out| write!(out, "{value:?}")));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(work: impl FnOnce()) -> Value {
        let sink = Sink::default();
        let writer = sink.clone();
        let writer = LogWriter::start(writer).unwrap();
        let subscriber = tracing_subscriber::registry().with(JsonLines::new(writer.clone()));
        tracing::subscriber::with_default(subscriber, work);
        writer.flush();
        let bytes = sink.0.lock().unwrap().clone();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn span_fields_are_top_level_keys_even_when_recorded_late() {
        let line = logged(|| {
            let span = tracing::info_span!("request", request_id = "r-1", user_id = tracing::field::Empty);
            let _entered = span.enter();
            span.record("user_id", "u-1");
            tracing::warn!(status = 503, "slow\nday");
        });
        assert_eq!(line["message"], "slow\nday");
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["request_id"], "r-1");
        assert_eq!(line["user_id"], "u-1");
        assert_eq!(line["status"], 503);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn inner_fields_replace_outer_ones_and_every_value_is_json() {
        let line = logged(|| {
            let outer = tracing::info_span!("outer", job_id = "old", claim = 1);
            let _outer = outer.enter();
            let inner = tracing::info_span!("inner", job_id = "new");
            let _inner = inner.enter();
            tracing::info!(claim = 2, share = 0.5, lost = f64::NAN, quoted = "a \"b\" \u{1} \\ ü", well = true, "done");
        });
        let expected = [("job_id", "new".into()), ("claim", 2.into()), ("share", 0.5.into()), ("lost", Value::Null)];
        for (name, value) in
            expected.into_iter().chain([("quoted", "a \"b\" \u{1} \\ ü".into()), ("well", true.into())])
        {
            assert_eq!(line[name], value, "{name}");
        }
    }

    #[test]
    fn errors_are_written_with_their_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("no database")]
        struct Outer(#[source] io::Error);
        let line = logged(|| {
            let error = Outer(io::Error::other("refused"));
            tracing::error!(error = &error as &dyn Error, "failed");
        });
        assert_eq!(line["error"], "no database: refused");
    }
}
