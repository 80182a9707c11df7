//! The one task that changes what is served. It hears of changes by push, asks the database in any case every 200 ms,
//! loads what is new beside what serves, and swaps the snapshot when a version is ready. The database, the queue and
//! the object store may all be away: what is served stays.

mod pinned;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use trainyard_http::auth::DisabledUsers;
use trainyard_queue::{Queue, Subscription};
use trainyard_storage::Db;
use trainyard_telemetry::{Span, TraceParent, catalogue};

use crate::book::Book;
use crate::contained::contained;
use crate::loaded::Loaded;
use crate::loader::{LoadError, Loader};
use crate::pins::{Ask, COME_BACK, Waiting};
use crate::record::{Catalogue, Key, Record};
use crate::registry::{Miss, Registry, Snapshot};
use crate::source::{self, SourceError};

/// Versions read from the local cache at the same time, at the start.
const PRIMED_AT_ONCE: usize = 4;

/// What the refresher needs, and what it keeps up to date.
pub(crate) struct Ports {
    /// Says what should be served.
    pub(crate) db: Db,
    /// Tells when that changed.
    pub(crate) queue: Queue,
    /// Brings versions into memory.
    pub(crate) loader: Loader,
    /// What requests are answered from.
    pub(crate) registry: Registry,
    /// Accounts that are turned away.
    pub(crate) disabled: DisabledUsers,
    /// Turns true once everything known at the start has been loaded, or tried.
    pub(crate) ready: Arc<AtomicBool>,
    /// Gets what the local index should hold.
    pub(crate) index: watch::Sender<Catalogue>,
    /// Versions that requests ask for.
    pub(crate) asks: mpsc::Receiver<Ask>,
}

enum Done {
    Read(Result<Option<Catalogue>, SourceError>),
    Looked(Key, Result<Option<Record>, SourceError>),
    Loaded(Record, Duration, Box<Result<Loaded, LoadError>>),
}

/// See the module.
pub(crate) struct Refresher {
    ports: Ports,
    max_pinned: usize,
    book: Book,
    /// Newer than what requests see only before the first list is known.
    snapshot: Arc<Snapshot>,
    work: JoinSet<Done>,
    waiting: Waiting,
    absent: HashSet<Key>,
    look_ups: usize,
    known: Option<i64>,
    reading: bool,
    read_again: bool,
    /// Whether the snapshot may be shown: the database, or for want of it the local index, has told what to serve.
    told: bool,
    away: bool,
}

impl Refresher {
    /// A refresher that starts from what the local index says was served last.
    pub(crate) fn new(ports: Ports, max_pinned: usize, last: Option<Catalogue>) -> Self {
        let mut book = Book::default();
        book.adopt(last.unwrap_or_default());
        Self {
            ports,
            max_pinned,
            book,
            snapshot: Arc::default(),
            work: JoinSet::new(),
            waiting: Waiting::default(),
            absent: HashSet::new(),
            look_ups: 0,
            known: None,
            reading: false,
            read_again: false,
            told: false,
            away: false,
        }
    }

    /// Works until `shutdown`.
    pub(crate) async fn run(mut self, poll: Duration, shutdown: CancellationToken) {
        let mut push: Subscription<()> = self.ports.queue.model_changes();
        let mut tick = tokio::time::interval(poll);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.prime().await;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = tick.tick() => { self.read(); self.load_due(); }
                () = push.next() => self.read(),
                Some(done) = self.work.join_next() => match done {
                    Ok(done) => self.done(done),
                    // Not reached: a panic is part of the answer, and nothing aborts these tasks.
                    Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a refresh did not answer"),
                },
                Some(ask) = self.ports.asks.recv() => self.ask(ask),
            }
        }
    }

    /// Loads what was served last from the local cache, before anything remote is asked: should the database now name
    /// a version that can't be loaded, the one before is there to go on with.
    async fn prime(&mut self) {
        let last = self.book.catalogue();
        let loader = self.ports.loader.clone();
        let records: Vec<Record> = last.served.iter().chain(&last.pinned).cloned().collect();
        let loads = records.into_iter().map(|record| {
            let loader = loader.clone();
            contained(async move { loader.load_cached(record).await })
        });
        let mut loads = futures::stream::iter(loads).buffer_unordered(PRIMED_AT_ONCE);
        while let Some(result) = loads.next().await {
            match result {
                Ok(Some(loaded)) => self.book.loaded(Arc::new(loaded)),
                Ok(None) => {}
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "a version in the local cache can't be served");
                }
            }
        }
        self.publish();
    }

    fn read(&mut self) {
        if self.reading {
            // A change may have come after the read in flight began.
            self.read_again = true;
            return;
        }
        self.reading = true;
        let pinned = self.book.catalogue().pinned.iter().map(Record::key).collect();
        self.start_read(source::read(self.ports.db.clone(), self.known, pinned));
    }

    fn start_read(&mut self, read: impl Future<Output = Result<Option<Catalogue>, SourceError>> + Send + 'static) {
        self.work.spawn(async move { Done::Read(contained(read).await) });
    }

    fn load_due(&mut self) {
        for record in self.book.start_due(Instant::now()) {
            let (loader, loaded) = (self.ports.loader.clone(), record.clone());
            self.start_load(record, async move { loader.load(loaded).await });
        }
    }

    /// Has `load` bring `record` into memory; whether it returns or panics, its end is heard of.
    fn start_load(&mut self, record: Record, load: impl Future<Output = Result<Loaded, LoadError>> + Send + 'static) {
        self.work.spawn(async move {
            let began = Instant::now();
            let mut span = Span::child_of(record.place(), "inference.load");
            span.describe(|span| {
                span.text("model.name", &record.model);
                span.number("model.version", record.version);
            });
            let result = contained(load).await.map(|loaded| loaded.within(&span));
            if let Err(error) = &result {
                span.fail(error.outcome());
            }
            drop(span);
            Done::Loaded(record, began.elapsed(), Box::new(result))
        });
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Read(result) => self.read_done(result),
            Done::Looked(key, result) => self.looked(&key, result),
            Done::Loaded(record, took, result) => self.load_done(&record, took, *result),
        }
    }

    fn read_done(&mut self, result: Result<Option<Catalogue>, SourceError>) {
        self.reading = false;
        match result {
            Ok(changed) => {
                if std::mem::take(&mut self.away) {
                    tracing::info!("the database answers again");
                }
                if let Some(catalogue) = changed {
                    self.known = Some(catalogue.revision);
                    self.absent.clear();
                    self.ports.disabled.replace(catalogue.disabled.iter().copied());
                    self.book.adopt(catalogue);
                    self.told = true;
                    self.load_due();
                    self.publish();
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.away, true) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the database can't be read; what is loaded goes on serving");
                }
                self.fall_back_to_index();
            }
        }
        if std::mem::take(&mut self.read_again) {
            self.read();
        }
    }

    /// The database is away at the start: the local index tells what to serve, if there is one.
    fn fall_back_to_index(&mut self) {
        let last = self.book.catalogue();
        if !self.told && *last != Catalogue::default() {
            tracing::warn!(versions = last.served.len(), "serving what the local cache holds");
            self.ports.disabled.replace(last.disabled.iter().copied());
            self.told = true;
            self.publish();
        }
    }

    fn load_done(&mut self, record: &Record, took: Duration, result: Result<Loaded, LoadError>) {
        let key = record.key();
        let outcome = result.as_ref().map_or_else(LoadError::outcome, |_| "ok");
        metrics::counter!(catalogue::INFERENCE_RELOADS_TOTAL, "outcome" => outcome).increment(1);
        match result {
            Ok(loaded) => {
                let took_ms = took.as_millis() as u64;
                let trace_id = record.place().map(TraceParent::trace_id);
                let trace_id = trace_id.as_deref();
                let (model, version) = (record.model.as_str(), record.version);
                tracing::info!(model, version, took_ms, trace_id, "model version loaded");
                let loaded = Arc::new(loaded);
                self.book.loaded(loaded.clone());
                self.publish();
                self.waiting.answer(&key, || Ok(loaded.clone()));
            }
            Err(error) => {
                self.book.failed(record, error.hope(), Instant::now());
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    model = record.model,
                    version = record.version,
                    error,
                    "a model version can't be served"
                );
                self.publish();
                let wait = self.book.wait(&key, Instant::now()).unwrap_or(COME_BACK);
                self.waiting.answer(&key, || Err(Miss::Waiting(key.0.clone(), wait)));
            }
        }
    }

    fn publish(&mut self) {
        let now = Instant::now();
        self.snapshot = Arc::new(self.book.snapshot(&self.snapshot, now));
        if !self.told {
            return;
        }
        metrics::gauge!(catalogue::INFERENCE_MODELS_LOADED).set(self.snapshot.loaded() as f64);
        self.ports.registry.store(self.snapshot.clone());
        if self.book.is_settled(now) {
            self.ports.ready.store(true, Ordering::Release);
        }
        let revision = self.book.catalogue().revision;
        self.ports.index.send_replace(self.snapshot.to_catalogue(revision, self.book.catalogue().disabled.clone()));
    }
}
