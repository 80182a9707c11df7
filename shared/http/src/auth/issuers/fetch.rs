//! Fetches documents of an OpenID provider, bounded in time, bytes and redirects.

use std::time::Duration;

use http::header::{ACCEPT, CACHE_CONTROL};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client};
use url::{Host, Url};

/// Longest a fetch may take, all redirects included.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Largest document.
const MAX_BYTES: usize = 512 * 1024;
/// Most redirects.
const MAX_REDIRECTS: usize = 3;

/// Why a document could not be fetched; for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The provider is away, or its TLS is not trusted.
    #[error("the provider can't be reached")]
    Http(#[from] reqwest::Error),
    /// It answers something else than 200.
    #[error("{0} answers {1}")]
    Status(Url, http::StatusCode),
    /// The document is too large.
    #[error("{0} has more than {MAX_BYTES} bytes")]
    TooLarge(Url),
    /// The document can't be used.
    #[error("{0} is not usable: {1}")]
    Content(Url, String),
}

/// A document.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) body: Vec<u8>,
    /// For how long the provider allows to keep it, if it says so.
    pub(super) max_age: Option<Duration>,
}

/// An HTTP client for one provider.
#[derive(Debug)]
pub(super) struct Fetcher(Client);

impl Fetcher {
    /// A client that trusts the system's authorities and those in `tls_ca` (PEM). `insecure` allows plain HTTP beyond this
    /// machine.
    ///
    /// # Errors
    /// When `tls_ca` has no usable certificate.
    pub(super) fn new(tls_ca: Option<&[u8]>, insecure: bool) -> Result<Self, reqwest::Error> {
        let redirect = Policy::custom(
            move |attempt| if may_follow(&attempt, insecure) { attempt.follow() } else { attempt.stop() },
        );
        let certificates = tls_ca.map(Certificate::from_pem_bundle).transpose()?.unwrap_or_default();
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect)
            .no_proxy()
            .tls_certs_merge(certificates)
            .user_agent(concat!("trainyard/", env!("CARGO_PKG_VERSION")));
        Ok(Self(client.build()?))
    }

    /// Fetches a document.
    ///
    /// # Errors
    /// Whatever kept it from being fetched.
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

/// Whether keys may come from this address: over TLS, or from this machine, or wherever `insecure` allows it.
pub(super) fn is_permitted(url: &Url, insecure: bool) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && (loopback || insecure))
}

/// A redirect is followed a few times, and never from TLS to plain HTTP.
fn may_follow(attempt: &Attempt<'_>, insecure: bool) -> bool {
    let secure_before = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    attempt.previous().len() <= MAX_REDIRECTS
        && is_permitted(attempt.url(), insecure)
        && (attempt.url().scheme() == "https" || !secure_before)
}

/// `max-age` of a `Cache-Control` header; zero for what must not be stored.
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
