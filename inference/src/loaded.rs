//! One version, compiled and ready: its predictor, the name its prediction goes by, and its meters.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use trainyard_ml::predict::Predictor;
use trainyard_telemetry::{Span, TraceParent};

use crate::meters::Meters;
use crate::record::Record;

/// Fields of an answer that a target of the same name may not shadow.
pub(crate) const TAKEN: [&str; 6] = ["prob", "probabilities", "model", "version", "warnings", "predictions"];
/// Where the prediction stands when the target's name is one of [`TAKEN`].
pub(crate) const FALLBACK_FIELD: &str = "prediction";

/// A version that answers requests.
pub(crate) struct Loaded {
    /// Which version, and from which artifact.
    pub(crate) record: Record,
    /// Does the work.
    pub(crate) predictor: Predictor,
    /// Counts what it answers.
    pub(crate) meters: Meters,
    field: String,
    last_used: AtomicU64,
    /// Where in the trace of its training it was loaded.
    loaded_at: Option<TraceParent>,
    has_predicted: AtomicBool,
}

impl Loaded {
    /// Puts a predictor into service.
    pub(crate) fn new(record: Record, predictor: Predictor) -> Self {
        let target = predictor.signature().target.as_str();
        let field = if TAKEN.contains(&target) { FALLBACK_FIELD } else { target }.to_owned();
        let meters = Meters::of(&record);
        let (last_used, has_predicted) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { record, predictor, meters, field, last_used, loaded_at: None, has_predicted }
    }

    /// The same, loaded within `span`.
    pub(crate) fn within(self, span: &Span) -> Self {
        Self { loaded_at: span.place(), ..self }
    }

    /// Begins the span of a prediction: the first one ends the trace of this version's training and points at its
    /// request; the others belong to their requests alone.
    pub(crate) fn predicts(&self, request: TraceParent, rows: usize) -> Span {
        let first = self.loaded_at.filter(|_| !self.has_predicted.swap(true, Ordering::Relaxed));
        let mut span = Span::child_of(first.or(Some(request)), "inference.predict");
        if first.is_some() {
            span.link(request);
        }
        span.describe(|span| {
            span.text("model.name", &self.record.model);
            span.number("model.version", self.record.version);
            span.number("rows", i64::try_from(rows).unwrap_or(i64::MAX));
            span.truth("first", first.is_some());
        });
        span
    }

    /// The field of an answer that holds the prediction: the target's name, unless the answer needs that name itself.
    pub(crate) fn field(&self) -> &str {
        &self.field
    }

    /// Notes that a request pinned this version; `tick` grows with time.
    pub(crate) fn touch(&self, tick: u64) {
        self.last_used.store(tick, Ordering::Relaxed);
    }

    /// The last tick at which a request pinned it.
    pub(crate) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }
}
