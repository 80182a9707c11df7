//! The inference role: loads published versions, replaces them when aliases change, and answers prediction requests.
//!
//! ```text
//! push, poll ─▶ refresh ─▶ loader (cache or object store → digest → self-test → warm-up) ─▶ load plan ─▶ snapshot
//!                                                                                                    │ ArcSwap
//! POST /inference ─▶ service: parse ─▶ look up the version ─▶ predict ─▶ response ◀──────────────────┘
//! /v2/…, gRPC     ─▶ v2: the Open Inference Protocol, with the same lookup, engine, limits and metrics
//!                    answered rows ─▶ drift: counters by bin, compared with the training
//!                    sampled requests ─▶ request_log: JSON lines in the object store, if it is on
//! ```
//! One task ([`refresh`]) changes the served versions; requests only read. A version that can't be loaded never
//! replaces a served version. If database, queue and object store are unavailable, loaded versions are served, and a
//! restart serves them from the disk cache before it has read the database. This crate writes to the database only the counts of guarded versions
//! ([`guard_reports`]); the authentication records the use of API keys. The request log is all that it writes to the object
//! store.

mod cache;
mod catch_panic;
pub mod config;
mod drift;
mod failures;
mod guard_counters;
mod guard_reports;
mod load_plan;
mod loaded_model;
mod loader;
mod lookup_problem;
mod model_record;
mod pin_request;
pub mod proto;
mod readiness;
mod refresh;
mod registry;
mod request_key;
mod request_log;
mod required_models;
mod routes;
mod service;
mod shadow;
mod source;
mod split;
mod v2;
mod version_metrics;
mod version_series;
mod version_statistics;
mod views;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trainyard_artifacts::Store;
use trainyard_domain::Clock;
use trainyard_http::Routes;
use trainyard_http::auth::{ApiKeys, Authenticator, DisabledUsers, Issuers, Jwt, PrincipalCheck};
use trainyard_http::ops::Check;
use trainyard_queue::Queue;
use trainyard_storage::Db;
use utoipa::openapi::OpenApi;

pub use config::InferenceConfig;
pub use required_models::RequiredModel;

use cache::DiskCache;
use catch_panic::{Panicked, catch_panic};
use drift::Monitor;
use loader::Loader;
use model_record::Catalogue;
use pin_request::PinClient;
use readiness::Readiness;
use refresh::{LoadLimits, Refresher, RefresherDeps};
use registry::Registry;
use request_log::Writer;
use service::{Service, ServiceDeps};

/// The OpenAPI document of the inference role with these settings.
pub fn openapi(config: &InferenceConfig) -> OpenApi {
    routes::table(config.max_body_bytes).openapi()
}

/// The dependencies of the inference role.
pub struct InferenceDeps {
    /// The database that lists the versions to serve.
    pub db: Db,
    /// The queue that announces changes.
    pub queue: Queue,
    /// The object store with the artifacts.
    pub store: Store,
    /// The clock for token expiry.
    pub clock: Clock,
    /// Verifies access tokens.
    pub jwt: Arc<Jwt>,
    /// Verifies tokens of external issuers.
    pub issuers: Arc<Issuers>,
    /// Cancelled when the process starts to stop; then `/v2/health/ready` is 503, and requests are still answered.
    pub stopping: CancellationToken,
    /// Returns the free memory of the process to the operating system. Called on a blocking thread, after versions have been
    /// loaded or unloaded.
    pub return_free_memory: fn(),
}

/// The running inference role.
pub struct Inference {
    service: Arc<Service>,
    clock: Clock,
    jwt: Arc<Jwt>,
    issuers: Arc<Issuers>,
    db: Db,
    disabled: DisabledUsers,
    readiness: Readiness,
    max_key_outage: Duration,
    tasks: TaskTracker,
    /// Cancelled when the listeners close.
    shutdown: CancellationToken,
    /// Cancelled when the last request has been answered.
    answered: CancellationToken,
}

impl Inference {
    /// Starts loading and refreshing until `shutdown`. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// If the cache folder can't be created, or `required_models` has an invalid entry.
    pub fn start(deps: InferenceDeps, config: InferenceConfig, shutdown: CancellationToken) -> io::Result<Self> {
        let required = config.required_models().map_err(io::Error::other)?;
        let cache = DiskCache::open(&config.cache_dir, config.cache_max_bytes)?;
        let last = cache.read_index();
        let registry = Registry::default();
        let disabled = DisabledUsers::default();
        let readiness = Readiness::new(&required);
        let (pins, pool_requests) = PinClient::new(Duration::from_millis(config.pinned_wait_ms));
        let (index, written) = watch::channel(Catalogue::default());
        let (guards, reported) = watch::channel(Vec::new());
        let (shadow_queue, shadow_worker) = shadow::queue(config.shadow_queue_bytes, config.max_instances);
        let refresher_deps = RefresherDeps {
            db: deps.db.clone(),
            queue: deps.queue,
            loader: Loader::new(deps.store.clone(), cache.clone(), &config),
            registry: registry.clone(),
            disabled: disabled.clone(),
            readiness: readiness.clone(),
            index,
            guards,
            pool_requests,
            return_free_memory: deps.return_free_memory,
        };
        let limits =
            LoadLimits { max_pinned: config.max_pinned_versions, memory_budget: config.memory_budget(), required };
        let refresher = Refresher::new(refresher_deps, limits, last);
        let tasks = TaskTracker::new();
        tasks.spawn(Monitor::new(registry.clone(), config.drift()).run(shutdown.clone()));
        tasks.spawn(guard_reports::run(deps.db.clone(), reported, shutdown.clone()));
        tasks.spawn(shadow_worker.run(shutdown.clone()));
        tasks.spawn(refresh(refresher, config.poll(), shutdown.clone(), readiness.clone()));
        tasks.spawn(keep_index(cache, written));
        let answered = CancellationToken::new();
        let request_log = (config.request_log_share > 0.0).then(|| {
            let (log, writer) = Writer::new(config.request_log(), deps.store, deps.clock.clone());
            tasks.spawn(writer.run(answered.clone()));
            log
        });
        tasks.close();
        let max_key_outage = config.api_key_outage();
        let InferenceDeps { db, clock, jwt, issuers, stopping, .. } = deps;
        let service_deps = ServiceDeps {
            registry,
            pins,
            db: db.clone(),
            request_log,
            shadow_queue,
            readiness: readiness.clone(),
            stopping,
        };
        let service = Arc::new(Service::new(service_deps, config));
        Ok(Self { service, clock, jwt, issuers, db, disabled, readiness, max_key_outage, tasks, shutdown, answered })
    }

    /// The routes.
    pub fn routes(&self) -> Routes {
        routes::routes(self.service.clone())
    }

    /// The gRPC methods, for a listener of their own.
    ///
    /// # Errors
    /// If the descriptors for the reflection are invalid.
    pub fn grpc_routes(&self) -> io::Result<Routes> {
        routes::grpc::routes(self.service.clone(), &self.shutdown).map_err(io::Error::other)
    }

    /// Verifies tokens by their claims and the list of disabled accounts, without a database query per request.
    /// Accounts of external issuers and API keys are read periodically.
    pub fn authenticator(&self) -> Authenticator {
        let check = PrincipalCheck::Claims(self.disabled.clone());
        let (jwt, clock, issuers, db) = (self.jwt.clone(), self.clock.clone(), self.issuers.clone(), self.db.clone());
        let keys = ApiKeys::start(db.clone(), clock.clone(), self.max_key_outage);
        Authenticator::with_issuers(jwt, clock, check, issuers, db, keys)
    }

    /// The readiness checks: whether the models are loaded. Later the role works without database, queue and object store, so
    /// their checks are not critical for this role.
    pub fn checks(&self) -> Vec<Check> {
        self.readiness.checks()
    }

    /// Whether every version known at the start has been loaded or has failed to load, and all required models are loaded.
    pub fn is_ready(&self) -> bool {
        self.readiness.is_ready()
    }

    /// Waits until all tasks have stopped, after `shutdown` and after the last request has been answered. Writes the rest
    /// of the request log, which takes at most eight seconds.
    pub async fn stopped(&self) {
        self.answered.cancel();
        self.tasks.wait().await;
    }
}

/// Runs the refresher. After a panic the loaded versions are still served, but the role is no longer ready: the
/// versions would become outdated.
async fn refresh(refresher: Refresher, poll: Duration, shutdown: CancellationToken, readiness: Readiness) {
    let run = async {
        refresher.run(poll, shutdown).await;
        Ok::<_, Panicked>(())
    };
    if let Err(error) = catch_panic(run).await {
        readiness.set_refreshed(false);
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the refresher has panicked and models are no longer refreshed; restart this role"
        );
    }
}

/// Writes the local index when the served versions change. Ends with the refresher.
async fn keep_index(cache: DiskCache, mut changes: watch::Receiver<Catalogue>) {
    while changes.changed().await.is_ok() {
        let (cache, catalogue) = (cache.clone(), changes.borrow_and_update().clone());
        let written = tokio::task::spawn_blocking(move || cache.write_index(&catalogue)).await;
        let error = match written {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error,
            Err(error) => io::Error::other(error),
        };
        let error = &error as &dyn std::error::Error;
        tracing::warn!(
            error,
            "the local index could not be written; a restart without the database would serve older versions"
        );
    }
}
