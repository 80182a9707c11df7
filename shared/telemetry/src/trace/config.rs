//! Settings of traces.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// Settings of traces; `app/src/default.toml` documents the keys.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceConfig {
    /// Base URL of the collector.
    pub endpoint: Endpoint,
    /// Sampling ratio for traces that begin here.
    pub ratio: Ratio,
    /// Headers of each request to the collector.
    pub headers: Pairs,
    /// Resource attributes besides service name, version and instance.
    pub resource_attributes: Pairs,
    /// Timeout of an export request, in milliseconds.
    pub timeout_ms: u64,
    /// Maximum number of spans that wait for export.
    pub queue_spans: usize,
    /// Maximum number of spans in a batch.
    pub batch_spans: usize,
    /// Maximum time that a span waits for its batch to fill, in milliseconds.
    pub batch_wait_ms: u64,
    /// Maximum time that a stopping process waits for its last spans, in milliseconds.
    pub flush_ms: u64,
}

impl TraceConfig {
    /// Maximum time that a stopping process waits for its last spans.
    pub fn flush_timeout(&self) -> Duration {
        Duration::from_millis(self.flush_ms)
    }
}

/// The base URL of a collector, or none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint(Option<Url>);

impl Endpoint {
    /// The URL of the OTLP traces endpoint, below the base URL.
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

/// A ratio from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Ratio(pub(super) f64);

impl TryFrom<f64> for Ratio {
    type Error = &'static str;

    fn try_from(share: f64) -> Result<Self, Self::Error> {
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err("must be from 0 to 1") }
    }
}

/// Names and values, such as `team=ml,zone=a`; values can be percent-encoded.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pairs(pub(super) Vec<(String, String)>);

impl TryFrom<String> for Pairs {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let pair = |part: &str| {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim(), percent_decode(value.trim())?);
            (!name.is_empty()).then(|| (name.to_owned(), value))
        };
        let pairs: Option<Vec<_>> = parts.map(pair).collect();
        pairs.map(Self).ok_or("must be comma-separated name=value pairs, or empty")
    }
}

/// Decodes percent-encoding; `None` if the encoding is invalid.
fn percent_decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = (part.get(..2)?, &part[2..]);
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Values can be secrets, so only the names are shown.
impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_otlp_path_is_appended_to_a_valid_base_url() {
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
    fn pairs_are_parsed_as_opentelemetry_defines() {
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
