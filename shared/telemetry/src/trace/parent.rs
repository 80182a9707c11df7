//! W3C Trace Context: the context of a span, as the header `traceparent` carries it.
//!
//! <https://www.w3.org/TR/trace-context/>

use std::fmt;

/// The context of a span, used as the parent of other spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    pub(super) trace: u128,
    pub(super) span: u64,
    flags: u8,
}

/// The flag of a sampled trace.
const SAMPLED: u8 = 1;

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
        let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
        Some(Self { trace, span, flags: u8::from_str_radix(flags, 16).ok()? })
    }

    /// The root of a new trace, sampled by the configured ratio; never sampled if tracing is off.
    pub fn begin() -> Self {
        let new = Self::begin_unsampled();
        Self { flags: u8::from(super::sample_root(new.trace)) * SAMPLED, ..new }
    }

    /// The root of a new trace that is not sampled.
    pub fn begin_unsampled() -> Self {
        // Zero is not a valid id.
        Self { trace: rand::random::<u128>().max(1), span: rand::random::<u64>().max(1), flags: 0 }
    }

    /// The context of a new child span.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: rand::random::<u64>().max(1), ..self }
    }

    /// The trace id: 32 hexadecimal digits.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    /// Whether the trace is sampled.
    pub fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
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
