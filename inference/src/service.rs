//! Processes a request of `POST /inference`: parse, look up the version, predict, serialize. Independent of axum. The
//! lookups and limits are also those of [`crate::v2`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use trainyard_domain::FieldError;
use trainyard_http::{Code, Problem, json};
use trainyard_ml::predict::{Explanation, Refused, Row};
use trainyard_storage::Db;
use trainyard_telemetry::TraceParent;

use crate::config::InferenceConfig;
use crate::loaded_model::LoadedModel;
use crate::lookup_problem;
use crate::pin_request::PinClient;
use crate::registry::{LookupError, Registry, VersionSelector};
use crate::version_statistics::Phases;
use crate::views::answer::{ManyRows, OneRow};
use crate::views::request::{InferenceRequest, RowLimits, Rows, ValidRequest};

/// Bodies up to this size are processed on the async thread, which takes about as long as a thread switch. Larger
/// bodies would block the other requests of the thread.
const SMALL_BODY_BYTES: usize = 16 << 10;

/// Answers prediction requests.
pub(crate) struct Service {
    /// The served versions.
    pub(crate) registry: Registry,
    /// The client for versions that are not loaded.
    pub(crate) pins: PinClient,
    /// The database, for the list of all published versions. Predictions do not use it.
    pub(crate) db: Db,
    /// The settings.
    pub(crate) config: InferenceConfig,
    ready: Arc<AtomicBool>,
    stopping: CancellationToken,
    batches: Arc<Semaphore>,
    waiting: Semaphore,
    ticks: AtomicU64,
}

/// The parts of a service.
pub(crate) struct ServiceDeps {
    /// The served versions.
    pub(crate) registry: Registry,
    /// The client for versions that are not loaded.
    pub(crate) pins: PinClient,
    /// The database.
    pub(crate) db: Db,
    /// Whether the versions known at the start have been loaded.
    pub(crate) ready: Arc<AtomicBool>,
    /// Cancelled when the process starts to stop.
    pub(crate) stopping: CancellationToken,
}

impl Service {
    /// Creates a service.
    pub(crate) fn new(deps: ServiceDeps, config: InferenceConfig) -> Self {
        let ServiceDeps { registry, pins, db, ready, stopping } = deps;
        let batches = Arc::new(Semaphore::new(config.batches()));
        // A request that is being processed also holds a permit of `waiting`.
        let waiting = Semaphore::new(config.batches() + config.max_waiting_batches);
        Self { registry, pins, db, config, ready, stopping, batches, waiting, ticks: AtomicU64::new(0) }
    }

    /// Whether requests should be sent to this process: the versions known at the start have been loaded or have failed
    /// to load, and the process does not stop.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) && !self.stopping.is_cancelled()
    }

    /// Answers the request in `body`, whose trace context is `context`.
    pub(crate) async fn answer(&self, body: Bytes, context: TraceParent) -> Result<Vec<u8>, Problem> {
        let began = Instant::now();
        let limits = self.config.row_limits();
        if body.len() <= SMALL_BODY_BYTES {
            let mut phases = Phases::new(began);
            let request = parse(&body, limits).inspect_err(lookup_problem::count)?;
            let loaded = self.find(request.selector()).await.inspect_err(lookup_problem::count)?;
            phases.input_done();
            if !request.explain {
                return predict(&loaded, &request, phases, context);
            }
            // An explanation reads every node of the trees.
            let (_waiting, permit) = self.admit().await.inspect_err(lookup_problem::count)?;
            return predict_off_thread(loaded, request, phases.queued(), context, permit).await;
        }
        let (_waiting, permit) = self.admit().await.inspect_err(lookup_problem::count)?;
        let mut phases = Phases::new(began).queued();
        let request = off_thread(move || parse(&body, limits)).await.inspect_err(lookup_problem::count)?;
        let loaded = self.find(request.selector()).await.inspect_err(lookup_problem::count)?;
        phases.input_done();
        predict_off_thread(loaded, request, phases, context, permit).await
    }

    /// Waits until a large request may be processed. The first permit limits the requests that wait, the second one those
    /// that are processed.
    pub(crate) async fn admit(&self) -> Result<(SemaphorePermit<'_>, OwnedSemaphorePermit), Problem> {
        let busy = || {
            Problem::new(Code::Unavailable, "too many large requests are waiting; retry after the time in Retry-After")
        };
        let waiting = self.waiting.try_acquire().map_err(|_| busy().retry_after(1))?;
        let processed = self.batches.clone().acquire_owned().await.map_err(Problem::internal)?;
        Ok((waiting, processed))
    }

    /// Looks up the version. The whole response uses this one version.
    pub(crate) async fn find(&self, selector: VersionSelector<'_>) -> Result<Arc<LoadedModel>, Problem> {
        let found = self.registry.load().find(selector, self.config.default_model());
        let found = match found {
            Err(LookupError::NotLoaded(model, version)) => self.pins.get((model, version)).await,
            found => found,
        };
        let loaded = found.map_err(lookup_problem::problem)?;
        if selector.version.is_some() {
            loaded.touch(self.ticks.fetch_add(1, Ordering::Relaxed) + 1);
        }
        Ok(loaded)
    }
}

pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    // Keeps the request id and the trace context in log lines.
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(Problem::internal)?
}

/// Predicts on a thread for long work, and then releases the permit.
async fn predict_off_thread(
    loaded: Arc<LoadedModel>,
    request: ValidRequest,
    phases: Phases,
    context: TraceParent,
    permit: OwnedSemaphorePermit,
) -> Result<Vec<u8>, Problem> {
    off_thread(move || {
        let answer = predict(&loaded, &request, phases, context);
        drop(permit);
        answer
    })
    .await
}

fn parse(body: &[u8], limits: RowLimits) -> Result<ValidRequest, Problem> {
    let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let quick = if is_object { serde_json::from_slice(body).ok() } else { None };
    let request: InferenceRequest = match quick {
        Some(request) => request,
        // The slow parser returns precise error messages.
        None => json::parse(body)?,
    };
    request.check(limits).map_err(Problem::validation)
}

fn predict(
    loaded: &LoadedModel,
    request: &ValidRequest,
    mut phases: Phases,
    context: TraceParent,
) -> Result<Vec<u8>, Problem> {
    let (predictor, rows) = (&loaded.predictor, &request.rows);
    if request.explain
        && let Some(part) = predictor.unexplained()
    {
        loaded.record_refusal(&phases);
        let algorithm = predictor.algorithm().as_str();
        let of = if algorithm == part { String::new() } else { format!(", whose model contains {part}") };
        let message = format!("is not possible for the algorithm {algorithm}{of}");
        return Err(Problem::validation(vec![FieldError::new("explain", message)]));
    }
    let explain = |row: &Row| if request.explain { predictor.explain(row) } else { None };
    let mut span = loaded.start_span(context, rows.len());
    let written = match rows {
        Rows::One(row) => predictor.predict_one(row).map(|prediction| {
            let explanation = explain(row);
            phases.infer_done();
            let answer = OneRow { loaded, prediction: &prediction, explanation: explanation.as_ref() };
            serde_json::to_vec(&answer)
        }),
        Rows::Many(rows) => predictor.predict_many(rows).map(|predictions| {
            let explanations: Vec<Option<Explanation>> = rows.iter().map(explain).collect();
            phases.infer_done();
            let answer = ManyRows { loaded, predictions: &predictions, explanations: &explanations };
            serde_json::to_vec(&answer)
        }),
    };
    let written = written.map_err(|Refused { errors, omitted }| {
        loaded.record_refusal(&phases);
        span.fail("refused");
        Problem::validation_of_more(errors, omitted)
    })?;
    phases.output_done();
    loaded.record_success(rows.len(), &phases);
    written.map_err(Problem::internal)
}
