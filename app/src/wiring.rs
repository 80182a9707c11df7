//! Settings → ports: opens what a role stands on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use trainyard_api::ApiState;
use trainyard_artifacts::Store;
use trainyard_domain::{Clock, Email};
use trainyard_http::auth::{Issuers, Jwt, Passwords, PrincipalCheck};
use trainyard_http::routes::Limits;
use trainyard_http::{Authenticator, Principal};
use trainyard_inference::Inference;
use trainyard_queue::{Queue, RedisOptions};
use trainyard_storage::{Db, PoolOptions};
use trainyard_telemetry::{Metrics, catalogue};
use trainyard_worker::WorkerDeps;

use crate::config::{Config, ConfigError, Mode};
use crate::data_dir::random_text;
use crate::lifecycle::Lifecycle;

/// The ports of one process.
pub struct Ports {
    /// The settings they were opened with.
    pub config: Config,
    /// The truth.
    pub db: Db,
    /// Ids on their way to workers.
    pub queue: Queue,
    /// Data sets and artifacts.
    pub store: Store,
    /// The machine's clock.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
}

/// What a process stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    /// Its own files; the queue may be in memory.
    Embedded,
    /// Servers, and the database must answer at the start.
    Servers,
    /// Servers where they answer, and what the process kept from its last run where they don't.
    ServersOrCache,
}

impl Ports {
    /// Opens everything the settings name.
    ///
    /// # Errors
    /// A [`ConfigError`] for a setting that is missing or wrong; else what went wrong.
    pub async fn open(config: Config, footing: Footing) -> anyhow::Result<Self> {
        for (key, name, value) in [
            ("database.url", "DATABASE_URL", &config.database.url),
            ("artifacts.url", "ARTIFACT_URL", &config.artifacts.url),
            ("queue.url", "REDIS_URL", &config.queue.url),
        ] {
            if value.is_empty() && !(footing == Footing::Embedded && key == "queue.url") {
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
                    tls_ca: authorities("queue.tls_ca", &config.queue.tls_ca)?,
                    ..RedisOptions::default()
                };
                Queue::redis(url, &config.queue.prefix, options)
                    .map_err(|error| ConfigError(format!("queue.url (REDIS_URL): {error}")))?
            }
        };
        let db = match footing {
            Footing::Embedded | Footing::Servers => open_database(&config).await?,
            Footing::ServersOrCache => Db::connect_lazily(&config.database.url, &pool(&config))
                .map_err(|error| ConfigError(format!("database.url (DATABASE_URL): {error}")))?,
        };
        watch_connections(&metrics, &db);
        let tls_ca = authorities("artifacts.tls_ca", &config.artifacts.tls_ca)?;
        let store = Store::open(&config.artifacts.url, tls_ca.as_deref())
            .map_err(|error| ConfigError(format!("artifacts.url (ARTIFACT_URL): {error}")))?;
        Ok(Self { config, db, queue, store, clock: Clock::system(), metrics })
    }

    /// Signs and checks access tokens.
    ///
    /// # Errors
    /// A [`ConfigError`] without a secret, outside development.
    pub fn jwt(&self) -> anyhow::Result<Arc<Jwt>> {
        let auth = &self.config.auth;
        let secret = match (auth.jwt_secret.as_str(), self.config.server.mode) {
            ("", Mode::Production) => return Err(missing("auth.jwt_secret", "JWT_SECRET")),
            ("", Mode::Development) => {
                tracing::warn!("auth.jwt_secret is not set: tokens end with this process");
                random_text(48)
            }
            (secret, _) => secret.to_owned(),
        };
        let ttl = chrono::Duration::seconds(self.config.api.access_token_ttl_s);
        Ok(Arc::new(Jwt::new(secret.as_bytes(), &auth.issuer, &auth.audience, ttl)?))
    }

    /// The outside issuers of the settings. Starts to fetch their keys.
    ///
    /// # Errors
    /// A [`ConfigError`] for a setting that can't be used.
    pub fn issuers(&self) -> anyhow::Result<Arc<Issuers>> {
        let auth = &self.config.auth;
        let insecure = self.config.server.mode == Mode::Development;
        let started = Issuers::start(auth.issuers.clone(), auth.own_tokens(), insecure, &self.clock);
        Ok(Arc::new(started.map_err(|error| ConfigError(error.to_string()))?))
    }

    /// Checks tokens against the accounts in the database.
    ///
    /// # Errors
    /// When the account that `auth.skip_auth` lends to everybody can't be read.
    pub async fn authenticator(&self, jwt: &Arc<Jwt>, issuers: Arc<Issuers>) -> anyhow::Result<Authenticator> {
        if self.config.auth.skip_auth {
            return self.everybody().await;
        }
        let check = PrincipalCheck::Database(self.db.clone());
        Ok(Authenticator::with_issuers(jwt.clone(), self.clock.clone(), check, issuers, self.db.clone()))
    }

    /// Checks tokens as the pool does: by their claims, without a database on the way.
    ///
    /// # Errors
    /// As [`Ports::authenticator`].
    pub async fn pool_authenticator(&self, pool: &Inference) -> anyhow::Result<Authenticator> {
        if self.config.auth.skip_auth { self.everybody().await } else { Ok(pool.authenticator()) }
    }

    async fn everybody(&self) -> anyhow::Result<Authenticator> {
        tracing::warn!("auth.skip_auth is on: every caller is the administrator");
        let email = Email::parse(self.config.auth.admin_email()).map_err(anyhow::Error::msg)?;
        let found = self.db.read().await?.users().by_email(email.as_str()).await?;
        let user = found.context("auth.skip_auth needs the administrator's account; start the API role first")?;
        Ok(Authenticator::fixed(Principal {
            user_id: user.id,
            email: user.email.as_str().into(),
            role: user.role,
            session: None,
        }))
    }

    /// What a route allows unless it says otherwise.
    pub fn limits(&self) -> Limits {
        self.config.server.requests()
    }

    /// What the API's handlers reach.
    ///
    /// # Errors
    /// When the folder for uploads can't be made.
    pub fn api_state(&self, jwt: Arc<Jwt>, life: &Lifecycle) -> anyhow::Result<ApiState> {
        let work_dir = self.config.worker.work_dir.join("uploads");
        std::fs::create_dir_all(&work_dir).with_context(|| format!("can't make {}", work_dir.display()))?;
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
            work_dir,
            // Long polls go on for as long as requests are taken, or their clients would only come back at once.
            stopping: life.closing.clone(),
        }))
    }

    /// What a worker stands on.
    ///
    /// # Errors
    /// When this program can't find itself to start it for training.
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

/// Opens the database alone.
///
/// # Errors
/// As [`Ports::open`].
pub async fn open_database(config: &Config) -> anyhow::Result<Db> {
    if config.database.url.is_empty() {
        return Err(missing("database.url", "DATABASE_URL"));
    }
    Db::connect(&config.database.url, &pool(config)).await.context("database.url (DATABASE_URL)")
}

fn watch_connections(metrics: &Metrics, db: &Db) {
    let (in_use, limit) = (db.clone(), db.clone());
    metrics.read_gauge(catalogue::DATABASE_CONNECTIONS_IN_USE, move || in_use.connections().0 as f64);
    metrics.read_gauge(catalogue::DATABASE_CONNECTIONS_LIMIT, move || limit.connections().1 as f64);
}

fn pool(config: &Config) -> PoolOptions {
    let database = &config.database;
    PoolOptions {
        // What needs no more has no number of its own.
        max_connections: database.max_connections.max(1),
        acquire_timeout: Duration::from_secs(database.acquire_timeout_s),
        statement_timeout: Duration::from_secs(database.statement_timeout_s),
        pooler: database.pgbouncer,
    }
}

/// The certificates in a file that the settings name, if they name one.
fn authorities(key: &str, file: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    if file.as_os_str().is_empty() {
        return Ok(None);
    }
    let refuse = |why: &str| ConfigError(format!("{key}: {} {why}", file.display()));
    let pem = std::fs::read(file).map_err(|error| refuse(&format!("can't be read: {error}")))?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if !pem.windows(marker.len()).any(|window| window == marker) {
        return Err(refuse("has no certificate in PEM").into());
    }
    Ok(Some(pem))
}

fn missing(key: &str, name: &str) -> anyhow::Error {
    ConfigError(format!("{key} is not set; give it in the --config file or as {name}")).into()
}
