//! Sends webhooks: signed, to public addresses only, without redirects and proxies.

mod config;
mod receiver_limits;
mod resolve;
mod secret;

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use trainyard_domain::webhook::{AttemptResult, Delivery};

pub use config::{Pauses, WebhookConfig};
pub use secret::Secret;

pub(crate) use receiver_limits::ReceiverLimits;

use resolve::Resolver;

/// Identifies the sender to receivers.
const USER_AGENT: &str = concat!("trainyard/", env!("CARGO_PKG_VERSION"));
/// Longest stored error, in characters.
const MAX_ERROR: usize = 300;

/// Sends deliveries.
#[derive(Debug)]
pub(crate) struct Sender {
    client: reqwest::Client,
    pub(crate) config: WebhookConfig,
}

impl Sender {
    /// # Errors
    /// When this system has no usable TLS root certificates.
    pub(crate) fn new(config: WebhookConfig) -> reqwest::Result<Self> {
        let client = client(&config)?;
        Ok(Self { client, config })
    }

    /// Makes one attempt at `now`, within the configured time limit. The body of the answer is not read.
    pub(crate) async fn send(&self, delivery: &Delivery, now: DateTime<Utc>) -> AttemptResult {
        let fail = |error: String| AttemptResult { error: Some(error), ..AttemptResult::default() };
        // Submission checks the URL too, but the settings may have changed since.
        if let Err(message) = self.config.rules().check(&delivery.url) {
            return fail(format!("webhook_url {message}"));
        }
        let (id, timestamp) = (delivery.id.to_string(), now.timestamp().to_string());
        let body = delivery.payload.to_string();
        let request = self
            .client
            .post(&delivery.url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-signature", self.config.signatures(&id, &timestamp, &body))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .body(body);
        match request.send().await {
            Ok(answer) => {
                let status = answer.status();
                let retry_after_s = retry_after_s(answer.headers(), now);
                let error = (!status.is_success()).then(|| match status.is_redirection() {
                    true => format!("answered {status}; redirects are not followed"),
                    false => format!("answered {status}"),
                });
                AttemptResult { status: Some(status.as_u16()), retry_after_s, error }
            }
            Err(error) if error.is_timeout() => fail(format!("no answer within {} s", self.config.timeout().as_secs())),
            Err(error) => fail(explain(&error)),
        }
    }
}

/// A client that connects only to addresses that were checked for this attempt: without redirects, without a proxy from the
/// environment, and without connections of other attempts.
fn client(config: &WebhookConfig) -> reqwest::Result<reqwest::Client> {
    trainyard_tls::install_provider();
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .timeout(config.timeout())
        .dns_resolver(Resolver { allow_private_addresses: config.allow_private_addresses })
        .redirect(Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
}

/// The longest accepted `Retry-After`, in seconds: a day.
const LONGEST_RETRY_AFTER_S: i64 = 86_400;

/// Parses `Retry-After` in both forms, as seconds from `now`, a day at most.
fn retry_after_s(headers: &HeaderMap, now: DateTime<Utc>) -> Option<i64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that overflows is longer than a day.
        text.parse().unwrap_or(i64::MAX)
    } else {
        (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).num_seconds()
    };
    (seconds > 0).then_some(seconds.min(LONGEST_RETRY_AFTER_S))
}

/// The message of the root cause.
fn explain(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let what = if error.is_connect() { "could not connect" } else { "the request failed" };
    format!("{what}: {cause}").chars().take(MAX_ERROR).collect()
}

/// The time from the end of an attempt's time limit to the expiry of its claim.
const MARGIN: Duration = Duration::from_secs(5);

impl WebhookConfig {
    /// The duration of a claim on a delivery.
    pub(crate) fn claim_time(&self) -> chrono::Duration {
        chrono::Duration::from_std(self.timeout() + MARGIN).unwrap_or(chrono::Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_parsed_in_both_forms() {
        let now = DateTime::parse_from_rfc3339("2026-01-31T12:00:00Z").unwrap().to_utc();
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after_s(&headers, now)
        };
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Sat, 31 Jan 2026 12:01:00 GMT"), Some(60));
        for far in ["86401", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(read(far), Some(86_400), "{far}");
        }
        for nothing in
            ["", "+5", "-99999999999999999999", "1e9", "soon", "-5", "0", "Sat, 31 Jan 2026 11:00:00 GMT", "1.5"]
        {
            assert_eq!(read(nothing), None, "{nothing}");
        }
        assert_eq!(retry_after_s(&HeaderMap::new(), now), None);
    }

    #[tokio::test]
    async fn a_name_with_a_private_address_is_never_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let refused =
            client(&trainyard_testkit::default_settings("webhooks")).unwrap().post(&url).send().await.unwrap_err();
        assert!(explain(&refused).contains("private network"), "{}", explain(&refused));
        assert!(listener.accept().is_err(), "a connection was made");
    }
}
