//! Limits on connections.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Most concurrent streams of one HTTP/2 connection.
pub(super) const MAX_STREAMS: u32 = 128;
/// Largest request head in bytes; at least 8 KiB.
pub(super) const MAX_HEAD_BYTES: u32 = 64 * 1024;

/// Limits of a server. [`crate::ServerConfig::connections`] reads them from the settings.
#[derive(Debug, Clone)]
pub struct ServeLimits {
    /// Longest time from the opening of a connection to the head of its first request.
    pub head_timeout: Duration,
    /// Longest time between two requests of a connection. It also limits the heads of later requests.
    pub idle_timeout: Duration,
    /// Longest time that a response waits for a client that does not read.
    pub write_timeout: Duration,
    /// Most open connections; further ones are closed.
    pub max_connections: usize,
    /// Most open connections of one address; further ones are closed.
    pub max_connections_per_address: usize,
    /// Addresses that `max_connections_per_address` does not limit.
    pub exempt: Exempt,
}

/// The addresses without a limit of their own: reverse proxies, which forward the requests of many clients.
#[derive(Clone)]
pub struct Exempt(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl Exempt {
    /// Exempts the addresses for which `exempt` is true.
    pub fn when(exempt: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(exempt))
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        (self.0)(address)
    }
}

/// No address is exempt.
impl Default for Exempt {
    fn default() -> Self {
        Self::when(|_| false)
    }
}

impl fmt::Debug for Exempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exempt")
    }
}
