//! Section `server` of the settings.

use std::time::Duration;

use serde::Deserialize;

use crate::body::Pace;
use crate::client_address::TrustedProxies;
use crate::routes::Limits;
use crate::serve::{Exempt, ServeLimits};

/// Whether settings that are unsafe in production are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Refuses them.
    Production,
    /// Allows `auth.skip_auth`, cheap password hashes and a random token secret.
    Development,
}

/// Settings of the HTTP server; `app/src/default.toml` documents the keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port of the listener.
    pub listen: String,
    /// Whether settings that are unsafe in production are allowed.
    pub mode: Mode,
    /// Timeout of a request, in seconds.
    pub request_timeout_s: u64,
    /// Seconds between the signal to stop and the closing of the listener.
    pub drain_delay_s: u64,
    /// Seconds that requests in flight get to finish after the listener has closed.
    pub shutdown_grace_s: u64,
    /// Maximum size of a request body, in bytes.
    pub max_body_bytes: usize,
    /// Networks of trusted proxies.
    pub trusted_proxies: Vec<String>,
    /// Maximum number of open connections.
    pub max_connections: usize,
    /// Maximum number of open connections per client address.
    pub max_connections_per_address: usize,
    /// Maximum time from the opening of a connection to its first request, in seconds.
    pub head_timeout_s: u64,
    /// Maximum time between two requests of a connection, in seconds.
    pub idle_timeout_s: u64,
    /// Maximum time that a response waits for a client that does not read, in seconds.
    pub write_timeout_s: u64,
    /// Maximum pause between two parts of a request body, in seconds.
    pub body_pause_s: u64,
    /// Minimum average rate of a request body, in bytes per second; 0 disables the check.
    pub body_min_bytes_per_s: u64,
}

impl ServerConfig {
    /// The proxies that may set the client's address.
    ///
    /// # Errors
    /// A message about an entry that is not a network.
    pub fn trusted_proxies(&self) -> Result<TrustedProxies, String> {
        TrustedProxies::parse(self.trusted_proxies.iter().map(String::as_str)).map_err(|entry| {
            format!(
                "server.trusted_proxies must contain networks such as 10.0.0.0/8, but contains '{}'",
                entry.chars().take(100).collect::<String>()
            )
        })
    }

    /// The limits on connections, without exempt addresses.
    pub fn connections(&self) -> ServeLimits {
        ServeLimits {
            head_timeout: Duration::from_secs(self.head_timeout_s),
            idle_timeout: Duration::from_secs(self.idle_timeout_s),
            write_timeout: Duration::from_secs(self.write_timeout_s),
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            exempt: Exempt::default(),
        }
    }

    /// The limits of a route without limits of its own.
    pub fn requests(&self) -> Limits {
        let pace = Pace { pause: Duration::from_secs(self.body_pause_s), min_bytes_per_s: self.body_min_bytes_per_s };
        Limits { body_bytes: self.max_body_bytes, timeout_s: self.request_timeout_s, pace }
    }
}
