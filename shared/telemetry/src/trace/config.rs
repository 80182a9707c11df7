//! Settings of traces. Plain data: the app reads them from its configuration file and environment.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// Settings of traces. Every field has the default named in its documentation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceConfig {
    /// Where spans are sent (nowhere).
    pub endpoint: Endpoint,
    /// Share of the traces that begin here which are kept (1).
    pub ratio: Ratio,
    /// Headers of each request to the collector (none).
    pub headers: Pairs,
    /// What is told of this process besides its service, version and instance (nothing).
    pub resource_attributes: Pairs,
    /// How long the collector may take to answer, in milliseconds (10,000).
    pub timeout_ms: u64,
    /// Spans that wait to be sent (2,048).
    pub queue_spans: usize,
    /// Spans sent together (512).
    pub batch_spans: usize,
    /// How long a span waits for others to be sent with, in milliseconds (1,000).
    pub batch_wait_ms: u64,
    /// How long a process that ends waits for its last spans to be taken, in milliseconds (3,000).
    pub flush_ms: u64,
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::default(),
            ratio: Ratio(1.0),
            headers: Pairs::default(),
            resource_attributes: Pairs::default(),
            timeout_ms: 10_000,
            queue_spans: 2_048,
            batch_spans: 512,
            batch_wait_ms: 1_000,
            flush_ms: 3_000,
        }
    }
}

impl TraceConfig {
    /// How long a process that ends waits for its last spans to be taken.
    pub fn flush_limit(&self) -> Duration {
        Duration::from_millis(self.flush_ms)
    }
}

/// The base URL of a collector, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint(Option<Url>);

impl Endpoint {
    /// Where traces are posted: the OTLP path below the base.
    pub(super) fn url(&self) -> Option<Url> {
        let mut url = self.0.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(["v1", "traces"]);
        Some(url)
    }
}

impl TryFrom<String> for Endpoint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.map(|url| Self(Some(url))).ok_or("must be the http:// or https:// base URL of an OTLP collector, or empty")
    }
}

/// A share, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Ratio(pub(super) f64);

impl TryFrom<f64> for Ratio {
    type Error = &'static str;

    fn try_from(share: f64) -> Result<Self, Self::Error> {
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err("must be from 0 to 1") }
    }
}

/// Names and values, in the settings a list such as `team=ml,zone=a`; values may be percent-encoded.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pairs(pub(super) Vec<(String, String)>);

impl TryFrom<String> for Pairs {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let pair = |part: &str| {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim(), decoded(value.trim())?);
            (!name.is_empty()).then(|| (name.to_owned(), value))
        };
        let pairs: Option<Vec<_>> = parts.map(pair).collect();
        pairs.map(Self).ok_or("must be name=value, more of them after commas, or empty")
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = (part.get(..2)?, &part[2..]);
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Values may be secrets.
impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_go_below_the_base_url_and_other_things_are_refused() {
        let url = |text: &str| Endpoint::try_from(text.to_owned()).map(|endpoint| endpoint.url().map(String::from));
        for base in ["http://collector:4318", "http://collector:4318/"] {
            assert_eq!(url(base), Ok(Some("http://collector:4318/v1/traces".into())));
        }
        assert_eq!(url("https://otlp.example/in/"), Ok(Some("https://otlp.example/in/v1/traces".into())));
        assert_eq!(url(""), Ok(None));
        for wrong in ["collector:4318", "grpc://collector:4317", "http://"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pairs_are_read_as_opentelemetry_writes_them() {
        let pairs = |text: &str| Pairs::try_from(text.to_owned()).map(|pairs| pairs.0).ok();
        let one = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs(""), Some(vec![]));
        assert_eq!(pairs("a=1, b=x%3Dy%20z ,"), Some(vec![one("a", "1"), one("b", "x=y z")]));
        for wrong in ["a", "=1", "a=%zz", "a=%f"] {
            assert_eq!(pairs(wrong), None, "{wrong}");
        }
        let secret = Pairs::try_from("authorization=hush".to_owned()).unwrap();
        assert_eq!(format!("{secret:?}"), r#"["authorization"]"#);
    }
}
