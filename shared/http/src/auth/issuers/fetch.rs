//! Fetches documents of an OpenID provider, with limits on time, size and redirects.

use std::time::Duration;

use http::header::{ACCEPT, CACHE_CONTROL};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client};
use url::{Host, Url};

/// Timeout of a fetch with all redirects.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_BYTES: usize = 512 * 1024;
const MAX_REDIRECTS: usize = 3;

/// Why a fetch failed; for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The provider is unreachable, or its certificate is not trusted.
    #[error("the request to the provider failed")]
    Http(#[from] reqwest::Error),
    /// The status is not 200.
    #[error("{0} returned {1}")]
    Status(Url, http::StatusCode),
    /// The document is too large.
    #[error("{0} has more than {MAX_BYTES} bytes")]
    TooLarge(Url),
    /// The document is invalid.
    #[error("{0} is not usable: {1}")]
    Content(Url, String),
}

#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) body: Vec<u8>,
    /// `max-age` of the response, if it is set.
    pub(super) max_age: Option<Duration>,
}

/// An HTTP client for one provider.
#[derive(Debug)]
pub(super) struct Fetcher(Client);

impl Fetcher {
    /// A client that trusts the certificate authorities of the system and of `tls_ca` (PEM). `insecure` allows plain HTTP to
    /// other hosts.
    ///
    /// # Errors
    /// A `tls_ca` without a valid certificate.
    pub(super) fn new(tls_ca: Option<&[u8]>, insecure: bool) -> Result<Self, reqwest::Error> {
        let redirect = Policy::custom(
            move |attempt| if may_follow(&attempt, insecure) { attempt.follow() } else { attempt.stop() },
        );
        let certificates = tls_ca.map(Certificate::from_pem_bundle).transpose()?.unwrap_or_default();
        trainyard_tls::install_provider();
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect)
            .no_proxy()
            .tls_certs_merge(certificates)
            .user_agent(concat!("trainyard/", env!("CARGO_PKG_VERSION")));
        Ok(Self(client.build()?))
    }

    pub(super) async fn get(&self, url: &Url) -> Result<Fetched, FetchError> {
        let mut response = self.0.get(url.clone()).header(ACCEPT, "application/json").send().await?;
        if response.status() != http::StatusCode::OK {
            return Err(FetchError::Status(url.clone(), response.status()));
        }
        let max_age = response.headers().get(CACHE_CONTROL).and_then(|value| max_age(value.to_str().ok()?));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(FetchError::TooLarge(url.clone()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { body, max_age })
    }
}

/// Whether keys may be fetched from this URL: https, or http to this host, or any http with `insecure`.
pub(super) fn is_permitted(url: &Url, insecure: bool) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && (loopback || insecure))
}

/// Whether a redirect is followed: at most a few times, and never from https to http.
fn may_follow(attempt: &Attempt<'_>, insecure: bool) -> bool {
    let secure_before = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    attempt.previous().len() <= MAX_REDIRECTS
        && is_permitted(attempt.url(), insecure)
        && (attempt.url().scheme() == "https" || !secure_before)
}

/// `max-age` of a `Cache-Control` header; zero for `no-store` and `no-cache`.
fn max_age(header: &str) -> Option<Duration> {
    header.split(',').find_map(|directive| match directive.trim().split_once('=') {
        Some((name, seconds)) if name.eq_ignore_ascii_case("max-age") => {
            seconds.trim_matches('"').parse().ok().map(Duration::from_secs)
        }
        None if ["no-store", "no-cache"].contains(&directive.trim().to_ascii_lowercase().as_str()) => {
            Some(Duration::ZERO)
        }
        _ => None,
    })
}
