//! W3C Trace Context: the trace a request belongs to.
//!
//! <https://www.w3.org/TR/trace-context/>: a valid `traceparent` is continued, anything else starts a new trace.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use super::TRACEPARENT;

/// A request's place in a trace: the caller's trace id, and a span id of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext(Arc<str>);

/// Where the trace id stands in `00-<32 hex>-<16 hex>-<2 hex>`.
const TRACE_ID: std::ops::Range<usize> = 3..35;

impl TraceContext {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut sent = headers.get_all(TRACEPARENT).iter();
        let parent = match (sent.next(), sent.next()) {
            (Some(one), None) => one.to_str().ok().and_then(parse),
            _ => None,
        };
        // Zero is no id.
        let span = rand::random::<u64>().max(1);
        let text = match parent {
            Some((trace, flags)) => format!("00-{trace}-{span:016x}-{flags}"),
            None => format!("00-{:032x}-{span:016x}-00", rand::random::<u128>().max(1)),
        };
        Self(text.into())
    }

    /// The trace's id: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.0.get(TRACE_ID).unwrap_or_default()
    }

    /// The value to send on as `traceparent`, with our own span as the parent.
    pub fn traceparent(&self) -> &str {
        &self.0
    }

    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static(""))
    }
}

/// Trace id and flags of a valid `traceparent`. Later versions may append fields; version ff is forbidden.
fn parse(value: &str) -> Option<(&str, &str)> {
    let mut parts = value.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, len| text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let real = |text: &str| text.bytes().any(|byte| byte != b'0');
    let known = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    let valid = known && hex(trace, 32) && real(trace) && hex(span, 16) && real(span) && hex(flags, 2);
    valid.then_some((trace, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_parent_is_continued() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = format!("00-{trace}-00f067aa0ba902b7-01");
        assert_eq!(parse(&good), Some((trace, "01")));
        assert!(parse(&format!("cc-{trace}-00f067aa0ba902b7-01-what-the-future")).is_some());
        let bad = [
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{trace}-00f067aa0ba902b7-01-more"),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            String::new(),
        ];
        for value in bad {
            assert_eq!(parse(&value), None, "{value}");
        }
    }
}
