//! Shadow versions: they predict copies of answered requests, and their predictions are compared with the answers, counted and
//! never returned.
//!
//! Copies wait in a bounded queue and are processed one at a time, on a thread for long work. A request never waits for a
//! copy: if too many are waiting, the copy is dropped and counted.

mod compare;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::{counter, histogram};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use trainyard_ml::predict::{Outcome, Prediction, Row};
use trainyard_telemetry::catalogue;

use crate::loaded_model::LoadedModel;
use crate::v2::infer::predict_copy;
use crate::v2::tensor_body::TensorBody;
use compare::{Comparison, compare};

/// Maximum number of waiting copies, whatever their size.
const MAX_WAITING: usize = 10_000;

/// The loaded shadow versions of a model.
pub(crate) type Shadows = Arc<[Arc<LoadedModel>]>;

/// An answered request, for its shadow versions.
pub(crate) struct ShadowCopy {
    /// The version that answered.
    pub(crate) answered: Arc<LoadedModel>,
    /// The versions that predict the copy.
    pub(crate) shadows: Shadows,
    /// The rows with their answers.
    pub(crate) request: CopiedRequest,
    /// The size of the body, in bytes.
    pub(crate) size: usize,
}

/// The rows of a copy, and what was answered.
pub(crate) enum CopiedRequest {
    /// Of `POST /inference`.
    Rows(Vec<Row>, Vec<Prediction>),
    /// Of the Open Inference Protocol: the body, and [`trainyard_ml::model::Task::outputs`] numbers per row.
    Tensors(TensorBody, Vec<f64>),
}

/// The queue of copies. Clones share the queue.
#[derive(Clone)]
pub(crate) struct ShadowQueue {
    copies: mpsc::Sender<ShadowCopy>,
    /// The sizes of the copies that wait or are processed.
    bytes: Arc<AtomicUsize>,
    max_bytes: usize,
}

/// Processes the copies of a queue.
pub(crate) struct ShadowWorker {
    copies: mpsc::Receiver<ShadowCopy>,
    bytes: Arc<AtomicUsize>,
    max_rows: usize,
}

/// A queue for copies of at most `max_bytes` in all, and its worker. A copy has at most `max_rows` rows.
pub(crate) fn queue(max_bytes: usize, max_rows: usize) -> (ShadowQueue, ShadowWorker) {
    let (sender, copies) = mpsc::channel(MAX_WAITING);
    let bytes = Arc::new(AtomicUsize::new(0));
    (ShadowQueue { copies: sender, bytes: bytes.clone(), max_bytes }, ShadowWorker { copies, bytes, max_rows })
}

impl ShadowQueue {
    /// Adds a copy, or drops it if too many are waiting.
    pub(crate) fn push(&self, copy: ShadowCopy) {
        let size = copy.size;
        let waiting = self.bytes.fetch_add(size, Ordering::Relaxed);
        if waiting.saturating_add(size) > self.max_bytes || self.copies.try_send(copy).is_err() {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            counter!(catalogue::INFERENCE_SHADOW_DROPPED_TOTAL).increment(1);
        }
    }
}

impl ShadowWorker {
    /// Processes copies until `shutdown`. Waiting copies are dropped then.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let copy = tokio::select! {
                () = shutdown.cancelled() => return,
                copy = self.copies.recv() => copy,
            };
            let Some(copy) = copy else { return };
            let (size, max_rows) = (copy.size, self.max_rows);
            let processed = tokio::task::spawn_blocking(move || copy.process(max_rows)).await;
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            if let Err(error) = processed {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a copy for shadow versions was not processed"
                );
            }
        }
    }
}

impl ShadowCopy {
    fn process(&self, max_rows: usize) {
        let answer_task = &self.answered.predictor.signature().task;
        let answer = match &self.request {
            CopiedRequest::Rows(_, predictions) => outputs(predictions),
            CopiedRequest::Tensors(_, outputs) => outputs.clone(),
        };
        let rows = answer.len() / answer_task.outputs();
        let others = self.shadows.iter().filter(|shadow| shadow.record.version != self.answered.record.version);
        for shadow in others {
            // The panic hook has logged a panic. A shadow version must not affect the others.
            let predicted = catch_unwind(AssertUnwindSafe(|| self.predict(shadow, max_rows))).unwrap_or(None);
            let task = &shadow.predictor.signature().task;
            let compared = predicted.and_then(|predicted| compare((answer_task, &answer), (task, &predicted)));
            record(shadow, rows, compared);
        }
    }

    /// The outputs of a shadow version; `None` if it can't predict the rows.
    fn predict(&self, shadow: &LoadedModel, max_rows: usize) -> Option<Vec<f64>> {
        match &self.request {
            CopiedRequest::Rows(rows, _) => {
                shadow.predictor.predict_many(rows).ok().map(|predictions| outputs(&predictions))
            }
            CopiedRequest::Tensors(body, _) => predict_copy(shadow, body, max_rows),
        }
    }
}

/// The output vectors of predictions, one after the other.
fn outputs(predictions: &[Prediction]) -> Vec<f64> {
    let mut outputs = Vec::with_capacity(predictions.len());
    for prediction in predictions {
        match &prediction.outcome {
            Outcome::Binary { prob, .. } => outputs.push(*prob),
            Outcome::Class { probabilities, .. } => outputs.extend(probabilities.iter().map(|(_, prob)| prob)),
            Outcome::Number(number) => outputs.push(*number),
        }
    }
    outputs
}

fn record(shadow: &LoadedModel, rows: usize, compared: Option<Comparison>) {
    let labels = || [("model", shadow.record.model.clone()), ("version", shadow.record.version.to_string())];
    let count = |outcome: &'static str, rows: usize| {
        if rows > 0 {
            let [model, version] = labels();
            let labels = [model, version, ("outcome", outcome.to_owned())];
            counter!(catalogue::INFERENCE_SHADOW_ROWS_TOTAL, &labels).increment(rows as u64);
        }
    };
    let Some(Comparison { agreed, disagreed, compared, differences }) = compared else {
        return count("failed", rows);
    };
    let histogram = histogram!(catalogue::INFERENCE_SHADOW_DIFFERENCE, &labels());
    differences.into_iter().for_each(|difference| histogram.record(difference));
    count("agreed", agreed);
    count("disagreed", disagreed);
    count("compared", compared);
}
