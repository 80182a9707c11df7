//! Settings → dependencies: connects database, queue, object store and metrics.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use trainyard_api::ApiState;
use trainyard_artifacts::Store;
use trainyard_domain::{Clock, Email};
use trainyard_http::auth::{ApiKeys, Issuers, Jwt, Passwords, PrincipalCheck};
use trainyard_http::routes::Limits;
use trainyard_http::{Authenticator, Mode, Principal};
use trainyard_inference::Inference;
use trainyard_queue::{Queue, RedisOptions};
use trainyard_storage::{Db, PoolOptions};
use trainyard_telemetry::{Metrics, catalogue};
use trainyard_worker::WorkerDeps;

use crate::config::{Config, ConfigError};
use crate::data_dir::random_text;
use crate::lifecycle::Lifecycle;

/// The API reads the database for most requests, so it does not accept API keys during an outage of the database.
const NO_OUTAGE: Duration = Duration::ZERO;

/// The dependencies of one process.
pub struct Dependencies {
    /// The settings.
    pub config: Config,
    /// The database, which is the source of truth.
    pub db: Db,
    /// The queue of job ids.
    pub queue: Queue,
    /// The object store with datasets and artifacts.
    pub store: Store,
    /// The system clock.
    pub clock: Clock,
    /// The metrics registry.
    pub metrics: Metrics,
}

/// Which backends a process needs at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backends {
    /// Local files; the queue may be in memory.
    Embedded,
    /// Servers; the database must answer at the start.
    Required,
    /// Servers that may be unavailable at the start; the process then serves from its cache.
    RequiredLater,
}

impl Dependencies {
    /// Connects everything that the settings name.
    ///
    /// # Errors
    /// A [`ConfigError`] for a missing or wrong setting, else the error of a connection.
    pub async fn open(config: Config, backends: Backends) -> anyhow::Result<Self> {
        for (key, name, value) in [
            ("database.url", "DATABASE_URL", &config.database.url),
            ("artifacts.url", "ARTIFACT_URL", &config.artifacts.url),
            ("queue.url", "REDIS_URL", &config.queue.url),
        ] {
            if value.is_empty() && !(backends == Backends::Embedded && key == "queue.url") {
                return Err(missing(key, name));
            }
        }
        let metrics = Metrics::install()?;
        let queue = match config.queue.url.as_str() {
            "" => Queue::memory(),
            url => {
                let redeliver_after = Duration::from_secs(config.queue.redeliver_after_s);
                let options = RedisOptions {
                    redeliver_after,
                    answer_limit: Duration::from_millis(config.queue.response_timeout_ms),
                    tls_ca: read_certificates("queue.tls_ca", &config.queue.tls_ca)?,
                    ..RedisOptions::default()
                };
                Queue::redis(url, &config.queue.prefix, options)
                    .map_err(|error| ConfigError(format!("queue.url (REDIS_URL): {error}")))?
            }
        };
        let db = match backends {
            Backends::Embedded | Backends::Required => open_database(&config).await?,
            Backends::RequiredLater => Db::connect_lazily(&config.database.url, &pool(&config))
                .map_err(|error| ConfigError(format!("database.url (DATABASE_URL): {error}")))?,
        };
        register_connection_gauges(&metrics, &db);
        let tls_ca = read_certificates("artifacts.tls_ca", &config.artifacts.tls_ca)?;
        let store = Store::open(&config.artifacts.url, tls_ca.as_deref())
            .map_err(|error| ConfigError(format!("artifacts.url (ARTIFACT_URL): {error}")))?;
        Ok(Self { config, db, queue, store, clock: Clock::system(), metrics })
    }

    /// Signs and verifies access tokens.
    ///
    /// # Errors
    /// A [`ConfigError`] if the secret is missing in production mode.
    pub fn jwt(&self) -> anyhow::Result<Arc<Jwt>> {
        let auth = &self.config.auth;
        let secret = match (auth.jwt_secret.as_str(), self.config.server.mode) {
            ("", Mode::Production) => return Err(missing("auth.jwt_secret", "JWT_SECRET")),
            ("", Mode::Development) => {
                tracing::warn!("auth.jwt_secret is not set: access tokens become invalid when this process ends");
                random_text(48)
            }
            (secret, _) => secret.to_owned(),
        };
        let ttl = chrono::Duration::seconds(self.config.api.access_token_ttl_s);
        Ok(Arc::new(Jwt::new(secret.as_bytes(), &auth.issuer, &auth.audience, ttl)?))
    }

    /// The external token issuers. Starts to fetch their keys.
    ///
    /// # Errors
    /// A [`ConfigError`] for an invalid setting.
    pub fn issuers(&self) -> anyhow::Result<Arc<Issuers>> {
        let auth = &self.config.auth;
        let insecure = self.config.server.mode == Mode::Development;
        let started = Issuers::start(auth.issuers.clone(), auth.own_tokens(), insecure, &self.clock);
        Ok(Arc::new(started.map_err(|error| ConfigError(error.to_string()))?))
    }

    /// Authenticates requests against the accounts in the database.
    ///
    /// # Errors
    /// If `auth.skip_auth` is on and the administrator's account can't be read.
    pub async fn authenticator(&self, jwt: &Arc<Jwt>, issuers: Arc<Issuers>) -> anyhow::Result<Authenticator> {
        if self.config.auth.skip_auth {
            return self.skip_authentication().await;
        }
        let (db, clock) = (self.db.clone(), self.clock.clone());
        let check = PrincipalCheck::Database(db.clone());
        let keys = ApiKeys::start(db.clone(), clock.clone(), NO_OUTAGE);
        Ok(Authenticator::with_issuers(jwt.clone(), clock, check, issuers, db, keys))
    }

    /// Authenticates requests by the claims of their tokens, without a database query.
    ///
    /// # Errors
    /// See [`Dependencies::authenticator`].
    pub async fn inference_authenticator(&self, inference: &Inference) -> anyhow::Result<Authenticator> {
        if self.config.auth.skip_auth { self.skip_authentication().await } else { Ok(inference.authenticator()) }
    }

    async fn skip_authentication(&self) -> anyhow::Result<Authenticator> {
        tracing::warn!("auth.skip_auth is on: every caller is the administrator");
        let email = Email::parse(self.config.auth.admin_email()).map_err(anyhow::Error::msg)?;
        let found = self.db.read().await?.users().by_email(email.as_str()).await?;
        let user = found.context("auth.skip_auth needs the administrator's account; start the API role first")?;
        Ok(Authenticator::fixed(Principal {
            user_id: user.id,
            email: user.email.as_str().into(),
            role: user.role,
            session: None,
            api_key: None,
        }))
    }

    /// The default limits of a route.
    pub fn limits(&self) -> Limits {
        self.config.server.requests()
    }

    /// The state of the API's handlers.
    ///
    /// # Errors
    /// If the folder for uploads can't be created.
    pub fn api_state(&self, jwt: Arc<Jwt>, lifecycle: &Lifecycle) -> anyhow::Result<ApiState> {
        let upload_dir = &self.config.api.upload_dir;
        // Tables are private while they are received.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(upload_dir)
            .with_context(|| format!("api.upload_dir: can't create {}", upload_dir.display()))?;
        Ok(ApiState::new(trainyard_api::Dependencies {
            db: self.db.clone(),
            queue: self.queue.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            jwt,
            passwords: Arc::new(Passwords::new(self.config.auth.bcrypt_cost)),
            config: self.config.api.clone(),
            accounts: self.config.auth.accounts(),
            webhooks: self.config.webhooks.rules(),
            // Long polls stay open until the listener closes. If they ended earlier, their clients would reconnect at
            // once.
            stopping: lifecycle.closing.clone(),
        }))
    }

    /// The dependencies of a worker.
    ///
    /// # Errors
    /// If the path of this executable can't be determined.
    pub fn worker_deps(&self) -> anyhow::Result<WorkerDeps> {
        Ok(WorkerDeps {
            db: self.db.clone(),
            heartbeat_db: (self.config.database.url.clone(), PoolOptions { max_connections: 1, ..pool(&self.config) }),
            queue: self.queue.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            train_command: std::env::current_exe()?,
        })
    }
}

/// Connects only the database.
///
/// # Errors
/// See [`Dependencies::open`].
pub async fn open_database(config: &Config) -> anyhow::Result<Db> {
    if config.database.url.is_empty() {
        return Err(missing("database.url", "DATABASE_URL"));
    }
    Db::connect(&config.database.url, &pool(config)).await.context("database.url (DATABASE_URL)")
}

fn register_connection_gauges(metrics: &Metrics, db: &Db) {
    let (in_use, limit) = (db.clone(), db.clone());
    metrics.read_gauge(catalogue::DATABASE_CONNECTIONS_IN_USE, move || in_use.connections().0 as f64);
    metrics.read_gauge(catalogue::DATABASE_CONNECTIONS_LIMIT, move || limit.connections().1 as f64);
}

fn pool(config: &Config) -> PoolOptions {
    let database = &config.database;
    PoolOptions {
        // Commands such as `migrate` set no number and need one connection.
        max_connections: database.max_connections.max(1),
        acquire_timeout: Duration::from_secs(database.acquire_timeout_s),
        statement_timeout: Duration::from_secs(database.statement_timeout_s),
        pooler: database.pgbouncer,
    }
}

/// The CA certificates in the file that a setting names, if any.
fn read_certificates(key: &str, file: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    if file.as_os_str().is_empty() {
        return Ok(None);
    }
    let refuse = |why: &str| ConfigError(format!("{key}: {} {why}", file.display()));
    let pem = std::fs::read(file).map_err(|error| refuse(&format!("can't be read: {error}")))?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if !pem.windows(marker.len()).any(|window| window == marker) {
        return Err(refuse("contains no PEM certificate").into());
    }
    Ok(Some(pem))
}

fn missing(key: &str, name: &str) -> anyhow::Error {
    ConfigError(format!("{key} is not set; set it in the --config file or as {name}")).into()
}
