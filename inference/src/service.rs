//! Processes a request of `POST /inference`: parse, look up the version, predict, serialize. Independent of axum. The
//! lookups and limits are also those of [`crate::v2`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use trainyard_domain::FieldError;
use trainyard_domain::traffic::{random_draw, uniform};
use trainyard_http::middleware::RequestId;
use trainyard_http::{Code, InFlightLimit, Problem, json};
use trainyard_ml::predict::{Explanation, Prediction, Refused};
use trainyard_storage::Db;
use trainyard_telemetry::TraceParent;
use uuid::Uuid;

use crate::config::InferenceConfig;
use crate::loaded_model::LoadedModel;
use crate::lookup_problem;
use crate::pin_request::PinClient;
use crate::readiness::Readiness;
use crate::registry::{Found, LookupError, Registry, VersionSelector};
use crate::request_log::{Answered, Content, RequestLog, Sample};
use crate::shadow::{CopiedRequest, ShadowCopy, ShadowQueue};
use crate::version_statistics::Phases;
use crate::views::answer::{self, ManyRows, OneRow, RowOutputs};
use crate::views::request::{InferenceRequest, RowLimits, RowRequest, Rows, ValidRequest};

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
    /// The queue of copies for shadow versions.
    pub(crate) shadow_queue: ShadowQueue,
    /// The settings.
    pub(crate) config: InferenceConfig,
    /// The limit on prediction requests that wait for a processor or use one.
    pub(crate) in_flight: InFlightLimit,
    request_log: Option<RequestLog>,
    readiness: Readiness,
    stopping: CancellationToken,
    batches: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    ticks: AtomicU64,
    /// The number of random draws.
    draws: AtomicU64,
    /// Makes the draws of processes independent.
    draw_seed: u64,
}

/// The parts of a service.
pub(crate) struct ServiceDeps {
    /// The served versions.
    pub(crate) registry: Registry,
    /// The client for versions that are not loaded.
    pub(crate) pins: PinClient,
    /// The database.
    pub(crate) db: Db,
    /// The request log, if it is on.
    pub(crate) request_log: Option<RequestLog>,
    /// The queue of copies for shadow versions.
    pub(crate) shadow_queue: ShadowQueue,
    /// Whether the models are loaded.
    pub(crate) readiness: Readiness,
    /// Cancelled when the process starts to stop.
    pub(crate) stopping: CancellationToken,
}

/// What the middleware knows about a request.
pub(crate) struct RequestContext {
    /// The id.
    pub(crate) id: RequestId,
    /// The server span.
    pub(crate) trace: TraceParent,
}

/// An answer, and what the request log needs.
struct Predicted {
    loaded: Arc<LoadedModel>,
    rows: usize,
    answer: Bytes,
}

impl Service {
    /// Creates a service.
    pub(crate) fn new(deps: ServiceDeps, config: InferenceConfig) -> Self {
        let ServiceDeps { registry, pins, db, request_log, shadow_queue, readiness, stopping } = deps;
        let batches = Arc::new(Semaphore::new(config.batches()));
        // A request that is being processed also holds a permit of `waiting`.
        let waiting = Arc::new(Semaphore::new(config.batches() + config.max_waiting_batches));
        let in_flight =
            InFlightLimit::new(config.in_flight(), "inference.max_in_flight", lookup_problem::record_overload)
                .refusing_large_bodies(SMALL_BODY_BYTES as u64, waiting.clone());
        // The second half of a UUIDv7 is random.
        let (_, draw_seed) = Uuid::now_v7().as_u64_pair();
        Self {
            registry,
            pins,
            db,
            shadow_queue,
            config,
            in_flight,
            request_log,
            readiness,
            stopping,
            batches,
            waiting,
            ticks: AtomicU64::new(0),
            draws: AtomicU64::new(0),
            draw_seed,
        }
    }

    /// Whether requests should be sent to this process: the models are loaded, and the process does not stop.
    pub(crate) fn is_ready(&self) -> bool {
        self.readiness.is_ready() && !self.stopping.is_cancelled()
    }

    /// Answers a request with the request key `key`.
    pub(crate) async fn answer(
        &self,
        request: Bytes,
        key: Option<&[u8]>,
        context: RequestContext,
    ) -> Result<Bytes, Problem> {
        let (began, sample) = (Instant::now(), self.sample());
        let predicted = self.predict_body(request.clone(), key, began, context.trace).await?;
        let answer = predicted.answer;
        if let Some(sample) = sample {
            let content = Content::Rows { request, answer: answer.clone() };
            let (request_id, loaded, rows) = (context.id, predicted.loaded, predicted.rows);
            sample.push(Answered { request_id, loaded, latency: began.elapsed(), rows, content });
        }
        Ok(answer)
    }

    /// A random number.
    fn draw(&self) -> u64 {
        random_draw(self.draw_seed, self.draws.fetch_add(1, Ordering::Relaxed))
    }

    /// Decides whether a request that arrives now is logged.
    pub(crate) fn sample(&self) -> Option<Sample<'_>> {
        self.request_log.as_ref().and_then(|log| log.sample(uniform(self.draw())))
    }

    async fn predict_body(
        &self,
        body: Bytes,
        key: Option<&[u8]>,
        began: Instant,
        context: TraceParent,
    ) -> Result<Predicted, Problem> {
        let (limits, size) = (self.config.row_limits(), body.len());
        if size <= SMALL_BODY_BYTES {
            if let Some(predicted) = self.predict_row(&body, key, began, context) {
                return predicted;
            }
            let mut phases = Phases::new(began);
            let request = parse(&body, limits).inspect_err(lookup_problem::count)?;
            let found = self.find(request.selector(key)).await.inspect_err(lookup_problem::count)?;
            phases.input_done();
            if !request.explain {
                return predict(found, request, phases, context, &self.shadow_queue, size);
            }
            // An explanation reads every node of the trees.
            let (_waiting, permit) = self.admit().await.inspect_err(lookup_problem::count_overload)?;
            return self.predict_off_thread(found, request, phases.queued(), context, size, permit).await;
        }
        let (_waiting, permit) = self.admit().await.inspect_err(lookup_problem::count_overload)?;
        let mut phases = Phases::new(began).queued();
        let request = off_thread(move || parse(&body, limits)).await.inspect_err(lookup_problem::count)?;
        let found = self.find(request.selector(key)).await.inspect_err(lookup_problem::count)?;
        phases.input_done();
        self.predict_off_thread(found, request, phases, context, size, permit).await
    }

    /// The fast path: predicts one row directly from the body, and allocates only the answer. `None` if the request needs the
    /// general path: it has several rows, asks for an explanation, is copied for a shadow version, needs a version that is not
    /// loaded, or has an invalid value. With `None`, nothing has been counted.
    fn predict_row(
        &self,
        body: &[u8],
        key: Option<&[u8]>,
        began: Instant,
        context: TraceParent,
    ) -> Option<Result<Predicted, Problem>> {
        let mut phases = Phases::new(began);
        let request = RowRequest::parse(body)?;
        let Found { loaded, shadows: None } = self.find_served(request.selector(key)).ok()? else { return None };
        let row = loaded.counting().read_object(request.features.get())?;
        phases.input_done();
        let attempt = loaded.attempt();
        let mut span = loaded.start_span(context, 1);
        let written = row.predict(|outputs, warnings| {
            phases.infer_done();
            let answer = answer::bytes(&RowOutputs { loaded: &loaded, outputs, warnings });
            phases.output_done();
            answer
        });
        let answer = match written {
            Ok(Ok(answer)) => {
                attempt.answered(1, &phases);
                answer
            }
            Ok(Err(error)) => return Some(Err(Problem::internal(error))),
            Err(Refused { errors, omitted }) => {
                attempt.refused(&phases);
                span.fail("refused");
                return Some(Err(Problem::validation_of_more(errors, omitted)));
            }
        };
        drop(span);
        Some(Ok(Predicted { loaded, rows: 1, answer }))
    }

    /// Predicts on a thread for long work, and then releases the permit.
    async fn predict_off_thread(
        &self,
        found: Found,
        request: ValidRequest,
        phases: Phases,
        context: TraceParent,
        size: usize,
        permit: OwnedSemaphorePermit,
    ) -> Result<Predicted, Problem> {
        let shadow_queue = self.shadow_queue.clone();
        off_thread(move || {
            let predicted = predict(found, request, phases, context, &shadow_queue, size);
            drop(permit);
            predicted
        })
        .await
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
    pub(crate) async fn find(&self, selector: VersionSelector<'_>) -> Result<Found, Problem> {
        match self.find_served(selector) {
            Err(LookupError::NotLoaded(model, version)) => {
                let loaded = self.pins.get((model, version)).await.map_err(lookup_problem::problem)?;
                self.touch(&loaded);
                Ok(Found { loaded, shadows: None })
            }
            found => found.map_err(lookup_problem::problem),
        }
    }

    /// Looks up a loaded version.
    fn find_served(&self, selector: VersionSelector<'_>) -> Result<Found, LookupError> {
        let found = self.registry.load().find(selector, self.config.default_model(), || self.draw())?;
        if selector.version.is_some() {
            self.touch(&found.loaded);
        }
        Ok(found)
    }

    fn touch(&self, pinned: &LoadedModel) {
        pinned.touch(self.ticks.fetch_add(1, Ordering::Relaxed) + 1);
    }
}

pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    // Keeps the request id and the trace context in log lines.
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(Problem::internal)?
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

/// Predicts the rows of a request, and adds a copy for the shadow versions. `size` is the size of the body.
fn predict(
    found: Found,
    request: ValidRequest,
    mut phases: Phases,
    context: TraceParent,
    shadow_queue: &ShadowQueue,
    size: usize,
) -> Result<Predicted, Problem> {
    let Found { loaded, shadows } = found;
    let attempt = loaded.attempt();
    let predictor = &loaded.predictor;
    if request.explain
        && let Some(part) = predictor.unexplained()
    {
        attempt.refused(&phases);
        let algorithm = predictor.algorithm().as_str();
        let of = if algorithm == part { String::new() } else { format!(", whose model contains {part}") };
        let message = format!("is not possible for the algorithm {algorithm}{of}");
        return Err(Problem::validation(vec![FieldError::new("explain", message)]));
    }
    let mut span = loaded.start_span(context, request.rows.len());
    let counting = loaded.counting();
    let predicted = match (&request.rows, request.explain) {
        (Rows::One(row), false) => counting.predict_one(row).map(|prediction| Predictions::One(prediction, None)),
        (Rows::One(row), true) => counting.explain_one(row).map(|(prediction, why)| Predictions::One(prediction, why)),
        (Rows::Many(rows), false) => {
            counting.predict_many(rows).map(|predictions| Predictions::Many(predictions, vec![None; rows.len()]))
        }
        (Rows::Many(rows), true) => counting.explain_many(rows).map(|(all, why)| Predictions::Many(all, why)),
    };
    let predictions = match predicted {
        Ok(predictions) => predictions,
        Err(Refused { errors, omitted }) => {
            attempt.refused(&phases);
            span.fail("refused");
            return Err(Problem::validation_of_more(errors, omitted));
        }
    };
    phases.infer_done();
    let written = match &predictions {
        Predictions::One(prediction, explanation) => {
            answer::bytes(&OneRow { loaded: &loaded, prediction, explanation: explanation.as_ref() })
        }
        Predictions::Many(predictions, explanations) => {
            answer::bytes(&ManyRows { loaded: &loaded, predictions, explanations })
        }
    };
    phases.output_done();
    let (answer, rows) = (written.map_err(Problem::internal)?, request.rows.len());
    attempt.answered(rows, &phases);
    drop(span);
    if let Some(shadows) = shadows {
        let request = copied(request.rows, predictions);
        shadow_queue.push(ShadowCopy { answered: loaded.clone(), shadows, request, size });
    }
    Ok(Predicted { loaded, rows, answer })
}

/// The predictions of a request with their explanations, without lists for one row.
enum Predictions {
    One(Prediction, Option<Explanation>),
    Many(Vec<Prediction>, Vec<Option<Explanation>>),
}

fn copied(rows: Rows, predictions: Predictions) -> CopiedRequest {
    let rows = match rows {
        Rows::One(row) => vec![row],
        Rows::Many(rows) => rows,
    };
    match predictions {
        Predictions::One(prediction, _) => CopiedRequest::Rows(rows, vec![prediction]),
        Predictions::Many(predictions, _) => CopiedRequest::Rows(rows, predictions),
    }
}
