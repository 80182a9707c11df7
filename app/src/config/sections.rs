//! The settings as types, one struct per section, and the rules about several settings.

use std::path::PathBuf;

use serde::Deserialize;
use trainyard_api::{AccountsConfig, Signup};
use trainyard_domain::access::ReadSection;
use trainyard_http::auth::{IssuerConfig, OwnTokens, SignInConfig, check_issuers};
use trainyard_http::{Mode, ServerConfig};
use trainyard_telemetry::{LogFormat, TraceConfig};

use super::ConfigError;

/// All settings; `default.toml` documents the keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Section `server`.
    pub server: ServerConfig,
    /// Section `log`.
    pub log: LogConfig,
    /// Section `traces`.
    pub traces: TraceConfig,
    /// Section `database`.
    pub database: DatabaseConfig,
    /// Section `queue`.
    pub queue: QueueConfig,
    /// Section `artifacts`.
    pub artifacts: ArtifactsConfig,
    /// Section `auth`.
    pub auth: AuthConfig,
    /// Section `api`.
    pub api: trainyard_api::ApiConfig,
    /// Section `worker`.
    pub worker: trainyard_worker::WorkerConfig,
    /// Section `sweep`.
    pub sweep: trainyard_worker::SweepConfig,
    /// Section `webhooks`.
    pub webhooks: trainyard_worker::WebhookConfig,
    /// Section `inference`.
    pub inference: trainyard_inference::InferenceConfig,
}

/// Section `log`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    pub format: LogFormat,
    pub filter: String,
}

/// Section `database`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    pub url: String,
    pub max_connections: u32,
    pub acquire_timeout_s: u64,
    pub statement_timeout_s: u64,
    pub pgbouncer: bool,
}

/// Section `queue`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    pub url: String,
    pub tls_ca: PathBuf,
    pub response_timeout_ms: u64,
    pub prefix: String,
    pub redeliver_after_s: u64,
}

/// Section `artifacts`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactsConfig {
    pub url: String,
    pub tls_ca: PathBuf,
}

/// Section `auth`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    pub jwt_secret: String,
    pub issuer: String,
    pub audience: String,
    pub bcrypt_cost: u32,
    pub skip_auth: bool,
    pub admin_email: String,
    pub admin_password: String,
    pub issuers: Vec<IssuerConfig>,
    pub signup: Signup,
    pub users_may_read: Vec<ReadSection>,
    pub max_failed_logins: u32,
    pub max_failed_logins_per_account: u32,
    pub max_failed_logins_per_address: u32,
    pub failed_login_window_s: u32,
    pub max_signups_per_address: u32,
    pub signup_window_s: u32,
    pub known_address_ttl_s: i64,
    pub one_time_password_ttl_s: i64,
    pub max_api_keys_per_user: i64,
}

impl AuthConfig {
    /// The tokens that Trainyard itself issues. External issuers must differ from them.
    pub fn own_tokens(&self) -> OwnTokens<'_> {
        OwnTokens { issuer: &self.issuer, secret: &self.jwt_secret }
    }

    /// The administrator's e-mail address; the setting may be empty.
    pub fn admin_email(&self) -> &str {
        if self.admin_email.is_empty() { "admin@trainyard.example" } else { &self.admin_email }
    }
}

impl AuthConfig {
    /// The account and session settings of the API.
    pub fn accounts(&self) -> AccountsConfig {
        AccountsConfig {
            signup: self.signup,
            sign_in: SignInConfig {
                max_failed_logins: self.max_failed_logins,
                max_failed_logins_per_account: self.max_failed_logins_per_account,
                max_failed_logins_per_address: self.max_failed_logins_per_address,
                failed_login_window_s: self.failed_login_window_s,
                max_signups_per_address: self.max_signups_per_address,
                signup_window_s: self.signup_window_s,
            },
            known_address_ttl_s: self.known_address_ttl_s,
            one_time_password_ttl_s: self.one_time_password_ttl_s,
            max_api_keys_per_user: self.max_api_keys_per_user,
            users_may_read: self.users_may_read.clone(),
        }
    }
}

impl std::fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthConfig").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Below this bcrypt cost, stolen password hashes are cheap to guess.
const SAFE_BCRYPT_COST: u32 = 12;
/// How much older than the longest upload an orphan is: room for the last transaction and for clocks that differ.
const ORPHAN_MARGIN_S: u64 = 300;

/// Checks a URL unless it is empty. The message of `check` never quotes the URL, which may contain a password.
fn check_url<E: std::fmt::Display>(
    key: &str,
    url: &str,
    check: impl FnOnce(&str) -> Result<(), E>,
) -> Result<(), ConfigError> {
    if url.is_empty() {
        return Ok(());
    }
    check(url).map_err(|error| ConfigError(format!("{key}: {error}")))
}

impl Config {
    /// Sets the number of database connections unless the settings name one.
    pub fn with_connections(mut self, connections: u32) -> Self {
        if self.database.max_connections == 0 {
            self.database.max_connections = connections;
        }
        self
    }

    /// Checks the rules about several settings.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key: &str, expected: &str| Err(ConfigError(format!("{key} must {expected}")));
        if self.server.listen.parse::<std::net::SocketAddr>().is_err() {
            return refuse("server.listen", "be an address and a port, such as 127.0.0.1:8080");
        }
        self.server.trusted_proxies().map_err(ConfigError)?;
        check_url("database.url (DATABASE_URL)", &self.database.url, trainyard_storage::check_url)?;
        check_url("queue.url (REDIS_URL)", &self.queue.url, trainyard_queue::check_url)?;
        check_url("artifacts.url (ARTIFACT_URL)", &self.artifacts.url, trainyard_artifacts::Store::check_url)?;
        if self.database.pgbouncer && self.database.url.starts_with("sqlite:") {
            return refuse("database.pgbouncer", "be false if database.url is a SQLite URL");
        }
        if self.queue.prefix.is_empty() || self.queue.prefix.contains(['{', '}']) {
            // In a Redis cluster the text in braces selects the node of a key.
            return refuse("queue.prefix", "not be empty and not contain braces");
        }
        if !self.artifacts.tls_ca.as_os_str().is_empty() && !self.artifacts.url.starts_with("s3://") {
            return refuse("artifacts.tls_ca", "be empty unless artifacts.url starts with s3://");
        }
        if !self.auth.jwt_secret.is_empty() && self.auth.jwt_secret.len() < 32 {
            return refuse("auth.jwt_secret (JWT_SECRET)", "have at least 32 bytes");
        }
        for (key, folder) in [
            ("api.upload_dir", &self.api.upload_dir),
            ("inference.cache_dir", &self.inference.cache_dir),
            ("worker.work_dir", &self.worker.work_dir),
        ] {
            if folder.as_os_str().is_empty() {
                return refuse(key, "name a folder");
            }
        }
        self.inference.required_models().map_err(ConfigError)?;
        let insecure = self.server.mode == Mode::Development;
        check_issuers(&self.auth.issuers, self.auth.own_tokens(), insecure)
            .map_err(|error| ConfigError(error.to_string()))?;
        if self.worker.renew_every_s.saturating_mul(2) > self.worker.lease_s {
            return refuse(
                "worker.renew_every_s",
                "be at most half of worker.lease_s, so that one late renewal does not lose the lease",
            );
        }
        if !(self.worker.renew_every_s..self.worker.lease_s).contains(&self.sweep.worker_dead_after_s) {
            // Otherwise the death of a worker would count as an interruption when its lease expires.
            return refuse("sweep.worker_dead_after_s", "lie between worker.renew_every_s and worker.lease_s");
        }
        if self.worker.unhealthy_after_s <= self.worker.renew_every_s {
            return refuse(
                "worker.unhealthy_after_s",
                "be greater than worker.renew_every_s, or healthy workers would be restarted",
            );
        }
        if self.sweep.every_ms >= self.sweep.lease_s.saturating_mul(1_000) {
            return refuse(
                "sweep.every_ms",
                "be less than sweep.lease_s, or the leader would lose its lease between two rounds",
            );
        }
        let upload_s = self.api.upload_timeout_s.saturating_add(ORPHAN_MARGIN_S);
        if self.sweep.orphan_age_s < upload_s {
            // The object of a dataset is stored before its row is committed.
            let expected = format!("be at least api.upload_timeout_s plus {ORPHAN_MARGIN_S}, here {upload_s}");
            return refuse("sweep.orphan_age_s", &expected);
        }
        if self.traces.batch_spans > self.traces.queue_spans {
            return refuse("traces.batch_spans", "be at most traces.queue_spans, or no batch would ever be full");
        }
        if self.server.mode == Mode::Production {
            if self.auth.skip_auth {
                return refuse("auth.skip_auth (SKIP_AUTH)", "be false unless server.mode is development");
            }
            if self.auth.bcrypt_cost < SAFE_BCRYPT_COST {
                return refuse("auth.bcrypt_cost", "be at least 12 unless server.mode is development");
            }
        }
        Ok(())
    }
}
