//! Limits on connections.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Limits of a server. The defaults suit production.
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
    /// Most concurrent streams of one HTTP/2 connection.
    pub max_streams: u32,
    /// Largest request head in bytes; at least 8 KiB.
    pub max_head_bytes: u32,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            max_connections: 10_000,
            max_connections_per_address: 1_000,
            exempt: Exempt::default(),
            max_streams: 128,
            max_head_bytes: 64 * 1024,
        }
    }
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
