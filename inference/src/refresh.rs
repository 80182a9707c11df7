//! The only task that changes the served versions. Push messages announce changes, and the database is polled every 200
//! ms. At the start the versions in the disk cache are served first. New versions are loaded in the background, and each one
//! that is ready gives a new snapshot. If database, queue or object store are unavailable, the served versions stay.

mod budget;
mod cached;
mod pinned;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::unsync::Cache;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
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
use crate::readiness::Readiness;
use crate::registry::{LookupError, Registry, Snapshot};
use crate::required_models::RequiredModel;
use crate::source::{self, SourceError};
use budget::count_unloads;

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
    /// Whether the process should receive requests.
    pub(crate) readiness: Readiness,
    /// Receives the content of the local index.
    pub(crate) index: watch::Sender<Catalogue>,
    /// Receives the counters of the guards.
    pub(crate) guards: watch::Sender<Vec<Arc<GuardCounter>>>,
    /// Requests to load or to release pinned versions.
    pub(crate) pool_requests: mpsc::Receiver<PoolRequest>,
    /// See [`crate::InferenceDeps::return_free_memory`].
    pub(crate) return_free_memory: fn(),
}

/// Which versions may and must be loaded.
#[derive(Debug, Default)]
pub(crate) struct LoadLimits {
    /// Maximum number of loaded versions that only requests need.
    pub(crate) max_pinned: usize,
    /// Maximum memory of the loaded versions, in bytes.
    pub(crate) memory_budget: Option<u64>,
    /// The models without which the process is not ready.
    pub(crate) required: Vec<RequiredModel>,
}

enum TaskResult {
    Read(Result<Option<Catalogue>, SourceError>),
    LookedUp(Key, Result<Option<(ModelRecord, u64)>, SourceError>),
    Loaded(ModelRecord, Duration, Box<Result<LoadedModel, LoadError>>),
}

/// The refresher.
pub(crate) struct Refresher {
    deps: RefresherDeps,
    limits: LoadLimits,
    plan: LoadPlan,
    guards: GuardCounters,
    /// Newer than the published snapshot only until the list of models is known.
    snapshot: Arc<Snapshot>,
    work: JoinSet<TaskResult>,
    pending: PendingPins,
    /// Versions that do not exist, until the next change of the revision.
    not_found_cache: Cache<Key, ()>,
    /// The memory of versions that did not fit into the budget, by the digest of the artifact.
    oversized: Cache<String, u64>,
    over_budget: bool,
    lookups: usize,
    /// Versions unloaded during the running read, whose result may contain them as pinned.
    released: HashSet<Key>,
    /// Versions pinned during the running read, whose result does not contain them.
    pinned_meanwhile: Vec<ModelRecord>,
    revision: Option<i64>,
    reading: bool,
    read_again: bool,
    /// Whether the list of models is known, from the database or from the local index. Only then the snapshot is
    /// published.
    catalogue_known: bool,
    /// Whether versions of the local index are still being loaded. The index must not be overwritten until then.
    loading_cache: bool,
    /// Whether the database has answered, or has failed to.
    first_read_ended: bool,
    /// Whether all required models have been loaded since the first read. A model that is deleted later does not make the
    /// process unready, because the other models are still served.
    required_loaded: bool,
    database_unavailable: bool,
    /// Whether a snapshot was published since free memory was last returned to the operating system.
    may_have_free_memory: bool,
}

impl Refresher {
    /// Creates a refresher that starts with the versions of the local index.
    pub(crate) fn new(deps: RefresherDeps, limits: LoadLimits, last: Option<Catalogue>) -> Self {
        let mut plan = LoadPlan::new(limits.required.iter().filter_map(RequiredModel::key).collect());
        plan.set_catalogue(last.unwrap_or_default());
        Self {
            deps,
            limits,
            plan,
            guards: GuardCounters::default(),
            snapshot: Arc::default(),
            work: JoinSet::new(),
            pending: PendingPins::default(),
            not_found_cache: Cache::new(pinned::MAX_NOT_FOUND),
            oversized: Cache::new(budget::MAX_OVERSIZED),
            over_budget: false,
            lookups: 0,
            released: HashSet::new(),
            pinned_meanwhile: Vec::new(),
            revision: None,
            reading: false,
            read_again: false,
            catalogue_known: false,
            loading_cache: false,
            first_read_ended: false,
            required_loaded: false,
            database_unavailable: false,
            may_have_free_memory: false,
        }
    }

    /// Runs until `shutdown`.
    pub(crate) async fn run(mut self, poll: Duration, shutdown: CancellationToken) {
        let mut push: Subscription<()> = self.deps.queue.model_changes();
        self.load_from_cache().await;
        let mut tick = interval_at(Instant::now() + poll, poll);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = tick.tick() => { self.read(); self.load_due(); self.return_free_memory(); }
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

    fn read(&mut self) {
        if self.reading {
            // A change may have been committed after the running read began.
            self.read_again = true;
            return;
        }
        self.reading = true;
        self.start_read(source::read(self.deps.db.clone(), self.revision, self.plan.pinned_keys()));
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
        let is_first = !std::mem::replace(&mut self.first_read_ended, true);
        let released = std::mem::take(&mut self.released);
        let pinned_meanwhile = std::mem::take(&mut self.pinned_meanwhile);
        match result {
            Ok(changed) => {
                if std::mem::take(&mut self.database_unavailable) {
                    tracing::info!("the database is available again");
                }
                if let Some(mut catalogue) = changed {
                    catalogue.pinned.retain(|record| !released.contains(&record.key()));
                    self.revision = Some(catalogue.revision);
                    for record in pinned_meanwhile {
                        let is_known = |known: &ModelRecord| known.has_key(&record.key());
                        if !released.contains(&record.key()) && !catalogue.records().any(is_known) {
                            catalogue.pinned.push(record);
                            // Forces a full read: the version may have been deleted since.
                            self.revision = None;
                        }
                    }
                    self.not_found_cache.clear();
                    self.deps.disabled.replace(catalogue.disabled.iter().copied());
                    if self.guards.set(&catalogue.guards) {
                        self.deps.guards.send_replace(self.guards.all());
                    }
                    count_unloads(self.plan.set_catalogue(catalogue), "not_needed");
                    self.keep_within_budget(None);
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
                if is_first {
                    // The process becomes ready with the versions in the disk cache, if there are some.
                    self.publish();
                }
            }
        }
        if std::mem::take(&mut self.read_again) {
            self.read();
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
                let refused = self.keep_within_budget(Some(&loaded));
                self.publish();
                self.pending.reply_all(&key, || refused.clone().map_or_else(|| Ok(loaded.clone()), Err));
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

    /// Returns the memory of loads and of unloaded versions to the operating system. Called with the next poll after a change,
    /// because requests that use an unloaded version have usually ended by then.
    fn return_free_memory(&mut self) {
        if std::mem::take(&mut self.may_have_free_memory) {
            tokio::task::spawn_blocking(self.deps.return_free_memory);
        }
    }

    fn publish(&mut self) {
        let now = Instant::now();
        self.may_have_free_memory = true;
        self.snapshot = Arc::new(self.plan.snapshot(&self.snapshot, now));
        if !self.catalogue_known {
            return;
        }
        for (key, loaded) in self.plan.loaded() {
            self.guards.attach(key, &loaded.guards);
        }
        metrics::gauge!(catalogue::INFERENCE_MODELS_LOADED).set(self.snapshot.loaded() as f64);
        metrics::gauge!(catalogue::INFERENCE_MODELS_BYTES).set(self.snapshot.memory_bytes() as f64);
        self.deps.registry.store(self.snapshot.clone());
        self.update_readiness(now);
        if !self.loading_cache {
            self.deps.index.send_replace(self.snapshot.to_catalogue(self.plan.catalogue()));
        }
    }

    /// Updates the readiness for the published snapshot. The required models come first, so that the process is never ready
    /// without them.
    fn update_readiness(&mut self, now: Instant) {
        if !self.required_loaded {
            let missing = |model: &RequiredModel| {
                let why = model.missing(&self.plan, &self.snapshot, now)?;
                Some(format!("{model} ({why})"))
            };
            let missing: Vec<String> = self.limits.required.iter().filter_map(missing).collect();
            self.required_loaded = self.first_read_ended && missing.is_empty();
            self.deps.readiness.set_missing(missing);
        }
        if self.first_read_ended && self.plan.is_complete(now) {
            self.deps.readiness.set_refreshed(true);
        }
    }
}
