//! From a body's bytes to an answer's bytes: parse, find the version, predict, write. Knows nothing of axum.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Semaphore;
use trainyard_http::{Code, Problem, json};
use trainyard_ml::predict::Refused;
use trainyard_telemetry::TraceParent;

use crate::config::InferenceConfig;
use crate::loaded::Loaded;
use crate::misses;
use crate::pins::Pins;
use crate::registry::{Miss, Registry};
use crate::views::answer::{ManyRows, OneRow};
use crate::views::request::{InferenceRequest, Question, Rows};

/// Bodies up to this size are worked on where they arrive: that takes microseconds, and a thread change as long. Larger
/// ones would hold up every other request on the thread.
const SMALL_BODY_BYTES: usize = 16 << 10;

/// Answers prediction requests.
pub(crate) struct Service {
    /// What is served.
    pub(crate) registry: Registry,
    /// The way to versions that are not in memory.
    pub(crate) pins: Pins,
    /// Its limits.
    pub(crate) config: InferenceConfig,
    batches: Arc<Semaphore>,
    waiting: Semaphore,
    ticks: AtomicU64,
}

impl Service {
    /// A service over `registry`.
    pub(crate) fn new(registry: Registry, pins: Pins, config: InferenceConfig) -> Self {
        let batches = Arc::new(Semaphore::new(config.batches()));
        // Those at work hold a place in the line too.
        let waiting = Semaphore::new(config.batches() + config.max_waiting_batches);
        Self { registry, pins, config, batches, waiting, ticks: AtomicU64::new(0) }
    }

    /// Answers the request in `body`, which stands at `place` in its trace.
    pub(crate) async fn answer(&self, body: Bytes, place: TraceParent) -> Result<Vec<u8>, Problem> {
        let began = Instant::now();
        let max_instances = self.config.max_instances;
        if body.len() <= SMALL_BODY_BYTES {
            let question = parse(&body, max_instances).inspect_err(misses::count)?;
            let loaded = self.find(&question).await.inspect_err(misses::count)?;
            return predict(&loaded, &question.rows, began, place);
        }
        let busy = || Problem::new(Code::Unavailable, "too many large requests are waiting; try again shortly");
        let _place = self.waiting.try_acquire().map_err(|_| busy().retry_after(1)).inspect_err(misses::count)?;
        let permit = self.batches.clone().acquire_owned().await.map_err(Problem::internal)?;
        let question = off_thread(move || parse(&body, max_instances)).await.inspect_err(misses::count)?;
        let loaded = self.find(&question).await.inspect_err(misses::count)?;
        off_thread(move || {
            let answer = predict(&loaded, &question.rows, began, place);
            drop(permit);
            answer
        })
        .await
    }

    /// One look at the registry; everything about the answer comes from what it gave.
    async fn find(&self, question: &Question) -> Result<Arc<Loaded>, Problem> {
        let pick = question.pick();
        let found = self.registry.load().find(pick, self.config.default_model());
        let found = match found {
            Err(Miss::NotLoaded(model, version)) => self.pins.get((model, version)).await,
            found => found,
        };
        let loaded = found.map_err(misses::problem)?;
        if pick.version.is_some() {
            loaded.touch(self.ticks.fetch_add(1, Ordering::Relaxed) + 1);
        }
        Ok(loaded)
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    // The request's id and trace go along.
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(Problem::internal)?
}

fn parse(body: &[u8], max_instances: usize) -> Result<Question, Problem> {
    let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let quick = if is_object { serde_json::from_slice(body).ok() } else { None };
    let request: InferenceRequest = match quick {
        Some(request) => request,
        // Read again, slowly, by the parser that can say what is wrong.
        None => json::parse(body)?,
    };
    request.check(max_instances).map_err(Problem::validation)
}

fn predict(loaded: &Loaded, rows: &Rows, began: Instant, place: TraceParent) -> Result<Vec<u8>, Problem> {
    let mut span = loaded.predicts(place, rows.len());
    let written = match rows {
        Rows::One(row) => loaded.predictor.predict_one(row).map(|prediction| {
            let answer = OneRow { loaded, prediction: &prediction };
            serde_json::to_vec(&answer)
        }),
        Rows::Many(rows) => loaded.predictor.predict_many(rows).map(|predictions| {
            let answer = ManyRows { loaded, predictions: &predictions };
            serde_json::to_vec(&answer)
        }),
    };
    let written = written.map_err(|Refused { errors, omitted }| {
        loaded.meters.refused();
        span.fail("refused");
        Problem::validation_of_more(errors, omitted)
    })?;
    loaded.meters.answered(rows.len(), began.elapsed());
    written.map_err(Problem::internal)
}
