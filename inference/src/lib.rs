//! The serving role: holds published versions in memory, swaps them as aliases move, answers predictions.
//!
//! ```text
//! push, poll ─▶ refresh ─▶ loader (cache or object store → digest → self-test → warm-up) ─▶ book ─▶ snapshot
//!                                                                                              │ ArcSwap
//! POST /inference ─▶ service: parse ─▶ one look at the snapshot ─▶ predict ─▶ answer ◀──────────┘
//! ```
//! One task ([`refresh`]) changes what is served; requests only read. A version that can't be loaded never replaces one
//! that serves. Database, queue and object store may be away: what is in memory goes on, and a restart finds it again in
//! the local cache. Nothing here writes to the database or the object store.

mod book;
mod cache;
pub mod config;
mod contained;
mod failures;
mod loaded;
mod loader;
mod meters;
mod misses;
mod pins;
mod record;
mod refresh;
mod registry;
mod routes;
mod service;
mod source;
mod views;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trainyard_artifacts::Store;
use trainyard_domain::Clock;
use trainyard_http::Routes;
use trainyard_http::auth::{Authenticator, DisabledUsers, Issuers, Jwt, PrincipalCheck};
use trainyard_http::ops::{Check, CheckError};
use trainyard_queue::Queue;
use trainyard_storage::Db;
use utoipa::openapi::OpenApi;

pub use config::InferenceConfig;

use cache::DiskCache;
use contained::{Panicked, contained};
use loader::Loader;
use pins::Pins;
use record::Catalogue;
use refresh::{Ports, Refresher};
use registry::Registry;
use service::Service;

/// The pool's OpenAPI document, made without a model or any settings.
pub fn openapi() -> OpenApi {
    routes::table(InferenceConfig::default().max_body_bytes).openapi()
}

/// The check looks at a flag.
const CHECK_LIMIT: Duration = Duration::from_secs(1);

/// What the serving role works with.
pub struct InferenceDeps {
    /// Says what should be served.
    pub db: Db,
    /// Tells when that changed.
    pub queue: Queue,
    /// Holds the artifacts.
    pub store: Store,
    /// Times tokens.
    pub clock: Clock,
    /// Verifies tokens.
    pub jwt: Arc<Jwt>,
    /// Verify tokens of outside issuers.
    pub issuers: Arc<Issuers>,
    /// A folder of this process's own: fetched artifacts, and what was served last.
    pub cache_dir: PathBuf,
}

/// The serving role, at work.
pub struct Inference {
    service: Arc<Service>,
    clock: Clock,
    jwt: Arc<Jwt>,
    issuers: Arc<Issuers>,
    db: Db,
    disabled: DisabledUsers,
    ready: Arc<AtomicBool>,
    tasks: TaskTracker,
}

impl Inference {
    /// Starts to load and refresh until `shutdown`; returns at once. Call it within a Tokio runtime.
    ///
    /// # Errors
    /// When the cache folder can't be made.
    pub fn start(deps: InferenceDeps, config: InferenceConfig, shutdown: CancellationToken) -> io::Result<Self> {
        let cache = DiskCache::open(&deps.cache_dir, config.cache_max_bytes)?;
        let last = cache.read_index();
        let registry = Registry::default();
        let disabled = DisabledUsers::default();
        let ready = Arc::new(AtomicBool::new(false));
        let (pins, asks) = Pins::new(Duration::from_millis(config.pinned_wait_ms));
        let (index, written) = watch::channel(Catalogue::default());
        let ports = Ports {
            db: deps.db.clone(),
            queue: deps.queue,
            loader: Loader::new(deps.store, cache.clone(), config.concurrent_loads, config.max_artifact_bytes),
            registry: registry.clone(),
            disabled: disabled.clone(),
            ready: ready.clone(),
            index,
            asks,
        };
        let refresher = Refresher::new(ports, config.max_pinned_versions, last);
        let tasks = TaskTracker::new();
        tasks.spawn(refresh(refresher, config.poll(), shutdown, ready.clone()));
        tasks.spawn(keep_index(cache, written));
        tasks.close();
        let service = Arc::new(Service::new(registry, pins, config));
        let InferenceDeps { db, clock, jwt, issuers, .. } = deps;
        Ok(Self { service, clock, jwt, issuers, db, disabled, ready, tasks })
    }

    /// The routes.
    pub fn routes(&self) -> Routes {
        routes::routes(self.service.clone())
    }

    /// Checks tokens by their claims and the set of disabled accounts, without a database on the way. The account of an
    /// outside issuer's user is read now and then.
    pub fn authenticator(&self) -> Authenticator {
        let check = PrincipalCheck::Claims(self.disabled.clone());
        let (jwt, clock, issuers) = (self.jwt.clone(), self.clock.clone(), self.issuers.clone());
        Authenticator::with_issuers(jwt, clock, check, issuers, self.db.clone())
    }

    /// What readiness asks: whether the first refresh is through. Critical; from then on database, queue and object store
    /// may be away, so the wiring checks them as optional for this role.
    pub fn checks(&self) -> Vec<Check> {
        let ready = self.ready.clone();
        let registry = move || {
            let loaded = ready.load(Ordering::Acquire);
            let waiting = CheckError::new("the models are not loaded yet", "no refresh has been completed");
            std::future::ready(if loaded { Ok(()) } else { Err(waiting) })
        };
        vec![Check::new("registry", true, CHECK_LIMIT, registry)]
    }

    /// Whether everything known at the start has been loaded, or tried.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Waits until the refresher has stopped, after the shutdown given to [`Inference::start`].
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }
}

/// Runs the refresher. Should it panic, what is loaded goes on serving, but this process must get no new clients:
/// nothing refreshes it any more.
async fn refresh(refresher: Refresher, poll: Duration, shutdown: CancellationToken, ready: Arc<AtomicBool>) {
    let run = async {
        refresher.run(poll, shutdown).await;
        Ok::<_, Panicked>(())
    };
    if let Err(error) = contained(run).await {
        ready.store(false, Ordering::Release);
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "models are not refreshed any more; restart this role"
        );
    }
}

/// Writes the local index whenever what is served changes. Ends with the refresher.
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
        tracing::warn!(error, "the local index can't be written; a restart without the database would serve less");
    }
}
