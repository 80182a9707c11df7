//! The only task that changes the served versions. Push messages announce changes, and the database is polled every 200
//! ms. New versions are loaded in the background; each replaces the snapshot when it is ready. If database, queue or
//! object store are unavailable, the served versions stay.

mod pinned;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use quick_cache::unsync::Cache;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use trainyard_http::auth::DisabledUsers;
use trainyard_queue::{Queue, Subscription};
use trainyard_storage::Db;
use trainyard_telemetry::{Span, TraceParent, catalogue};

use crate::catch_panic::catch_panic;
use crate::guard_counters::{GuardCounter, GuardCounters};
use crate::load_plan::LoadPlan;
use crate::loaded_model::LoadedModel;
use crate::loader::{LoadError, Loader};
use crate::model_record::{Catalogue, Key, ModelRecord};
use crate::pin_request::{PendingPins, PoolRequest, RETRY_AFTER};
use crate::registry::{LookupError, Registry, Snapshot};
use crate::source::{self, SourceError};

/// Maximum number of versions that are read from the disk cache at the same time.
const CONCURRENT_CACHE_READS: usize = 4;

/// The dependencies and outputs of the refresher.
pub(crate) struct RefresherDeps {
    /// The database that lists the versions to serve.
    pub(crate) db: Db,
    /// The queue that announces changes.
    pub(crate) queue: Queue,
    /// The loader.
    pub(crate) loader: Loader,
    /// The snapshot that requests use.
    pub(crate) registry: Registry,
    /// The disabled accounts.
    pub(crate) disabled: DisabledUsers,
    /// Set once every version known at the start has been loaded or has failed to load.
    pub(crate) ready: Arc<AtomicBool>,
    /// Receives the content of the local index.
    pub(crate) index: watch::Sender<Catalogue>,
    /// Receives the counters of the guards.
    pub(crate) guards: watch::Sender<Vec<Arc<GuardCounter>>>,
    /// Requests to load or to release pinned versions.
    pub(crate) pool_requests: mpsc::Receiver<PoolRequest>,
}

enum TaskResult {
    Read(Result<Option<Catalogue>, SourceError>),
    LookedUp(Key, Result<Option<ModelRecord>, SourceError>),
    Loaded(ModelRecord, Duration, Box<Result<LoadedModel, LoadError>>),
}

/// The refresher.
pub(crate) struct Refresher {
    deps: RefresherDeps,
    max_pinned: usize,
    plan: LoadPlan,
    guards: GuardCounters,
    /// Newer than the published snapshot only until the list of models is known.
    snapshot: Arc<Snapshot>,
    work: JoinSet<TaskResult>,
    pending: PendingPins,
    /// Versions that do not exist, until the next change of the revision.
    not_found_cache: Cache<Key, ()>,
    lookups: usize,
    /// Versions released during the running read, whose result may contain them as pinned.
    released: HashSet<Key>,
    revision: Option<i64>,
    reading: bool,
    read_again: bool,
    /// Whether the list of models is known, from the database or from the local index. Only then the snapshot is
    /// published.
    catalogue_known: bool,
    database_unavailable: bool,
}

impl Refresher {
    /// Creates a refresher that starts with the versions of the local index.
    pub(crate) fn new(deps: RefresherDeps, max_pinned: usize, last: Option<Catalogue>) -> Self {
        let mut plan = LoadPlan::default();
        plan.set_catalogue(last.unwrap_or_default());
        Self {
            deps,
            max_pinned,
            plan,
            guards: GuardCounters::default(),
            snapshot: Arc::default(),
            work: JoinSet::new(),
            pending: PendingPins::default(),
            not_found_cache: Cache::new(pinned::MAX_NOT_FOUND),
            lookups: 0,
            released: HashSet::new(),
            revision: None,
            reading: false,
            read_again: false,
            catalogue_known: false,
            database_unavailable: false,
        }
    }

    /// Runs until `shutdown`.
    pub(crate) async fn run(mut self, poll: Duration, shutdown: CancellationToken) {
        let mut push: Subscription<()> = self.deps.queue.model_changes();
        let mut tick = tokio::time::interval(poll);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.load_from_cache().await;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = tick.tick() => { self.read(); self.load_due(); }
                () = push.next() => self.read(),
                Some(done) = self.work.join_next() => match done {
                    Ok(done) => self.done(done),
                    // Unreachable: panics are caught, and nothing aborts these tasks.
                    Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a task of the refresher failed"),
                },
                Some(request) = self.deps.pool_requests.recv() => match request {
                    PoolRequest::Pin(request) => self.request(request),
                    PoolRequest::Release(request) => self.release(request),
                },
            }
        }
    }

    /// Loads the versions of the local index from the disk cache, before the database is read. If the database then
    /// names a version that can't be loaded, the previous version is served.
    async fn load_from_cache(&mut self) {
        let last = self.plan.catalogue();
        let loader = self.deps.loader.clone();
        let records: Vec<ModelRecord> = last.served.iter().chain(&last.pinned).cloned().collect();
        let loads = records.into_iter().map(|record| {
            let loader = loader.clone();
            catch_panic(async move { loader.load_cached(record).await })
        });
        let mut loads = futures::stream::iter(loads).buffer_unordered(CONCURRENT_CACHE_READS);
        while let Some(result) = loads.next().await {
            match result {
                Ok(Some(loaded)) => self.plan.record_loaded(Arc::new(loaded)),
                Ok(None) => {}
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "a version in the disk cache could not be loaded");
                }
            }
        }
        self.publish();
    }

    fn read(&mut self) {
        if self.reading {
            // A change may have been committed after the running read began.
            self.read_again = true;
            return;
        }
        self.reading = true;
        let pinned = self.plan.catalogue().pinned.iter().map(ModelRecord::key).collect();
        self.start_read(source::read(self.deps.db.clone(), self.revision, pinned));
    }

    fn start_read(&mut self, read: impl Future<Output = Result<Option<Catalogue>, SourceError>> + Send + 'static) {
        self.work.spawn(async move { TaskResult::Read(catch_panic(read).await) });
    }

    fn load_due(&mut self) {
        for record in self.plan.start_due_loads(Instant::now()) {
            let (loader, loaded) = (self.deps.loader.clone(), record.clone());
            self.start_load(record, async move { loader.load(loaded).await });
        }
    }

    /// Runs `load` in a task. A panic counts as a failed load.
    fn start_load(
        &mut self,
        record: ModelRecord,
        load: impl Future<Output = Result<LoadedModel, LoadError>> + Send + 'static,
    ) {
        self.work.spawn(async move {
            let began = Instant::now();
            let mut span = Span::child_of(record.trace_context(), "inference.load");
            span.describe(|span| {
                span.text("model.name", &record.model);
                span.number("model.version", record.version);
            });
            let result = catch_panic(load).await.map(|loaded| loaded.loaded_in(&span));
            if let Err(error) = &result {
                span.fail(error.outcome());
            }
            drop(span);
            TaskResult::Loaded(record, began.elapsed(), Box::new(result))
        });
    }

    fn done(&mut self, done: TaskResult) {
        match done {
            TaskResult::Read(result) => self.read_done(result),
            TaskResult::LookedUp(key, result) => self.lookup_done(&key, result),
            TaskResult::Loaded(record, took, result) => self.load_done(&record, took, *result),
        }
    }

    fn read_done(&mut self, result: Result<Option<Catalogue>, SourceError>) {
        self.reading = false;
        let released = std::mem::take(&mut self.released);
        match result {
            Ok(changed) => {
                if std::mem::take(&mut self.database_unavailable) {
                    tracing::info!("the database is available again");
                }
                if let Some(mut catalogue) = changed {
                    catalogue.pinned.retain(|record| !released.contains(&record.key()));
                    self.revision = Some(catalogue.revision);
                    self.not_found_cache.clear();
                    self.deps.disabled.replace(catalogue.disabled.iter().copied());
                    if self.guards.set(&catalogue.guards) {
                        self.deps.guards.send_replace(self.guards.all());
                    }
                    self.plan.set_catalogue(catalogue);
                    self.catalogue_known = true;
                    self.load_due();
                    self.publish();
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.database_unavailable, true) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the database could not be read; loaded versions are still served");
                }
                self.fall_back_to_index();
            }
        }
        if std::mem::take(&mut self.read_again) {
            self.read();
        }
    }

    /// Uses the local index if the database is unavailable at the start.
    fn fall_back_to_index(&mut self) {
        let last = self.plan.catalogue();
        if !self.catalogue_known && *last != Catalogue::default() {
            tracing::warn!(versions = last.served.len(), "serving the versions in the disk cache");
            self.deps.disabled.replace(last.disabled.iter().copied());
            self.catalogue_known = true;
            self.publish();
        }
    }

    fn load_done(&mut self, record: &ModelRecord, took: Duration, result: Result<LoadedModel, LoadError>) {
        let key = record.key();
        let outcome = result.as_ref().map_or_else(LoadError::outcome, |_| "ok");
        metrics::counter!(catalogue::INFERENCE_RELOADS_TOTAL, "outcome" => outcome).increment(1);
        match result {
            Ok(loaded) => {
                let took_ms = took.as_millis() as u64;
                let trace_id = record.trace_context().map(TraceParent::trace_id);
                let trace_id = trace_id.as_deref();
                let (model, version) = (record.model.as_str(), record.version);
                tracing::info!(model, version, took_ms, trace_id, "model version loaded");
                let loaded = Arc::new(loaded);
                self.plan.record_loaded(loaded.clone());
                self.publish();
                self.pending.reply_all(&key, || Ok(loaded.clone()));
            }
            Err(error) => {
                self.plan.record_failure(record, error.backoff(), Instant::now());
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    model = record.model,
                    version = record.version,
                    error,
                    "a model version could not be loaded"
                );
                self.publish();
                let wait = self.plan.retry_in(&key, Instant::now()).unwrap_or(RETRY_AFTER);
                self.pending.reply_all(&key, || Err(LookupError::Loading(key.0.clone(), wait)));
            }
        }
    }

    fn publish(&mut self) {
        let now = Instant::now();
        self.snapshot = Arc::new(self.plan.snapshot(&self.snapshot, now));
        if !self.catalogue_known {
            return;
        }
        for (key, loaded) in self.plan.loaded() {
            self.guards.attach(key, &loaded.guards);
        }
        metrics::gauge!(catalogue::INFERENCE_MODELS_LOADED).set(self.snapshot.loaded() as f64);
        self.deps.registry.store(self.snapshot.clone());
        if self.plan.is_complete(now) {
            self.deps.ready.store(true, Ordering::Release);
        }
        self.deps.index.send_replace(self.snapshot.to_catalogue(self.plan.catalogue()));
    }
}
