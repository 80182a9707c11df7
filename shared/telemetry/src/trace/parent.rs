//! W3C Trace Context: the context of a span, as the header `traceparent` carries it.
//!
//! <https://www.w3.org/TR/trace-context/>

use std::fmt;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

/// The context of a span, used as the parent of other spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    flags: TraceFlags,
    /// Whether the context was parsed: its span began elsewhere.
    pub(super) remote: bool,
}

impl TraceParent {
    /// Parses a `traceparent`. Later versions may append fields; version ff is invalid.
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, len| text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let known = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        if !(known && hex(trace, 32) && hex(span, 16) && hex(flags, 2)) {
            return None;
        }
        let trace = TraceId::from_hex(trace).ok().filter(|trace| *trace != TraceId::INVALID)?;
        let span = SpanId::from_hex(span).ok().filter(|span| *span != SpanId::INVALID)?;
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
        Some(Self { trace, span, flags, remote: true })
    }

    /// The root of a new trace, sampled by the configured ratio; never sampled if tracing is off.
    pub fn begin() -> Self {
        let new = Self::begin_unsampled();
        Self { flags: new.flags.with_sampled(super::sample_root(new.trace)), ..new }
    }

    /// The root of a new trace that is not sampled.
    pub fn begin_unsampled() -> Self {
        let ids = RandomIdGenerator::default();
        Self { trace: ids.new_trace_id(), span: ids.new_span_id(), flags: TraceFlags::NOT_SAMPLED, remote: false }
    }

    /// The context of a new child span.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: RandomIdGenerator::default().new_span_id(), remote: false, ..self }
    }

    /// The length of a `traceparent`.
    pub const LENGTH: usize = 55;

    /// Writes the `traceparent` into `buffer`, which needs no allocation.
    pub fn encode(self, buffer: &mut [u8; Self::LENGTH]) -> &str {
        *buffer = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&self.trace.to_bytes(), &mut buffer[3..35]);
        write_hex(&self.span.to_bytes(), &mut buffer[36..52]);
        write_hex(&[self.flags.to_u8()], &mut buffer[53..]);
        // Hexadecimal digits and dashes are always text.
        std::str::from_utf8(buffer).unwrap_or_default()
    }

    /// The trace id: 32 hexadecimal digits.
    pub fn trace_id(self) -> String {
        self.trace.to_string()
    }

    /// Whether the trace is sampled.
    pub fn is_sampled(self) -> bool {
        self.flags.is_sampled()
    }
}

impl From<TraceParent> for SpanContext {
    fn from(parent: TraceParent) -> Self {
        Self::new(parent.trace, parent.span, parent.flags, parent.remote, TraceState::NONE)
    }
}

impl From<&SpanContext> for TraceParent {
    fn from(context: &SpanContext) -> Self {
        let (trace, span, flags) = (context.trace_id(), context.span_id(), context.trace_flags());
        Self { trace, span, flags, remote: context.is_remote() }
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encode(&mut [0; Self::LENGTH]))
    }
}

/// Two hexadecimal digits for each byte.
fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(digits.chunks_exact_mut(2)) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_traceparent_is_parsed() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = format!("00-{trace}-00f067aa0ba902b7-01");
        let parsed = TraceParent::parse(&good).unwrap();
        assert_eq!((parsed.to_string(), parsed.trace_id()), (good, trace.to_owned()));
        let child = parsed.child();
        assert!(child.is_sampled() && child.trace == parsed.trace && child.span != parsed.span);
        assert!(TraceParent::parse(&format!("cc-{trace}-00f067aa0ba902b7-01-what-the-future")).is_some());
        let bad = [
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{trace}-00f067aa0ba902b7-01-more"),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            String::new(),
        ];
        for value in bad {
            assert_eq!(TraceParent::parse(&value), None, "{value}");
        }
    }

    #[test]
    fn new_traces_are_not_sampled_while_tracing_is_off() {
        assert!(!TraceParent::begin().is_sampled());
    }
}
