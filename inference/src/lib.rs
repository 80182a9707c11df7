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
mod failures;
mod loaded;
mod loader;
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
use trainyard_http::auth::{Authenticator, DisabledUsers, Jwt, PrincipalCheck};
use trainyard_http::ops::{Check, CheckError};
use trainyard_queue::Queue;
use trainyard_storage::Db;

pub use config::InferenceConfig;

use cache::DiskCache;
use loader::Loader;
use pins::Pins;
use record::Catalogue;
use refresh::{Ports, Refresher};
use registry::Registry;
use service::Service;

/// How long a check of a dependency may take.
const CHECK_LIMIT: Duration = Duration::from_secs(2);

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
    /// A folder of this process's own: fetched artifacts, and what was served last.
    pub cache_dir: PathBuf,
}

/// The serving role, at work.
pub struct Inference {
    service: Arc<Service>,
    db: Db,
    store: Store,
    clock: Clock,
    jwt: Arc<Jwt>,
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
            loader: Loader::new(deps.store.clone(), cache.clone(), config.concurrent_loads, config.max_artifact_bytes),
            registry: registry.clone(),
            disabled: disabled.clone(),
            ready: ready.clone(),
            index,
            asks,
        };
        let refresher = Refresher::new(ports, config.max_pinned_versions, last);
        let tasks = TaskTracker::new();
        tasks.spawn(refresher.run(config.poll(), shutdown));
        tasks.spawn(keep_index(cache, written));
        tasks.close();
        let service = Arc::new(Service::new(registry, pins, config));
        Ok(Self { service, db: deps.db, store: deps.store, clock: deps.clock, jwt: deps.jwt, disabled, ready, tasks })
    }

    /// The routes.
    pub fn routes(&self) -> Routes {
        routes::routes(self.service.clone())
    }

    /// Checks tokens by their claims and the set of disabled accounts, without a database on the way.
    pub fn authenticator(&self) -> Authenticator {
        let check = PrincipalCheck::Claims(self.disabled.clone());
        Authenticator::new(self.jwt.clone(), self.clock.clone(), check)
    }

    /// What readiness asks. Only the registry is critical: once something is loaded, the rest may be away.
    pub fn checks(&self) -> Vec<Check> {
        let (ready, db, store) = (self.ready.clone(), self.db.clone(), self.store.clone());
        let registry = move || {
            let loaded = ready.load(Ordering::Acquire);
            let waiting = CheckError::new("the models are not loaded yet", "no refresh has been completed");
            std::future::ready(if loaded { Ok(()) } else { Err(waiting) })
        };
        let database = move || {
            let db = db.clone();
            async move { db.ping().await.map_err(|error| CheckError::new("the database does not answer", error)) }
        };
        let object_store = move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|error| CheckError::new("the object store does not answer", error)) }
        };
        vec![
            Check::new("registry", true, CHECK_LIMIT, registry),
            Check::new("database", false, CHECK_LIMIT, database),
            Check::new("object_store", false, CHECK_LIMIT, object_store),
        ]
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
