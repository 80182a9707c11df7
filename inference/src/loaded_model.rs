//! A loaded model: the compiled predictor of one version, with its metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use trainyard_domain::field::cut;
use trainyard_ml::model::Bins;
use trainyard_ml::predict::{Counting, Predictor, RowCounter};
use trainyard_telemetry::{Span, TraceParent};

use crate::drift::{Drift, MAX_NAME_CHARS, OTHER};
use crate::guard_counters::VersionGuards;
use crate::model_record::ModelRecord;
use crate::v2::target::Target;
use crate::version_metrics::VersionMetrics;
use crate::version_series::{SeriesLabels, VersionSeries};
use crate::version_statistics::{Phases, VersionStatistics};

/// Field names of a response that a target can't use.
pub(crate) const RESERVED_FIELDS: [&str; 8] =
    ["prob", "probabilities", "model", "version", "explanation", "warnings", "predictions", "threshold"];
/// The field of the prediction if the target's name is one of [`RESERVED_FIELDS`].
pub(crate) const FALLBACK_FIELD: &str = "prediction";

/// A version that is ready to predict.
pub(crate) struct LoadedModel {
    /// The version and its artifact.
    pub(crate) record: ModelRecord,
    /// The compiled predictor.
    pub(crate) predictor: Predictor,
    /// The type of the predictions in the Open Inference Protocol.
    pub(crate) target: Target,
    /// The statistics of this version since it was loaded.
    pub(crate) statistics: VersionStatistics,
    /// The predicted rows by bin.
    pub(crate) drift: Drift,
    /// The guards of this version.
    pub(crate) guards: VersionGuards,
    metrics: VersionMetrics,
    field: String,
    last_used: AtomicU64,
    /// The context of the span in which the version was loaded.
    load_context: Option<TraceParent>,
    has_predicted: AtomicBool,
}

impl LoadedModel {
    /// Creates a loaded model.
    pub(crate) fn new(record: ModelRecord, predictor: Predictor, series: &VersionSeries) -> Self {
        let (target, now) = (predictor.signature().target.as_str(), Instant::now());
        let field = if RESERVED_FIELDS.contains(&target) { FALLBACK_FIELD } else { target }.to_owned();
        let metrics = VersionMetrics::new(series.labels(&record.key(), now), classes(&predictor));
        let (statistics, drift) = (VersionStatistics::new(now), Drift::new(&predictor.manifest().distributions, now));
        let task_target = Target::of(&predictor.signature().task);
        let (last_used, has_predicted) = (AtomicU64::new(0), AtomicBool::new(false));
        Self {
            record,
            predictor,
            target: task_target,
            statistics,
            drift,
            guards: VersionGuards::default(),
            metrics,
            field,
            last_used,
            load_context: None,
            has_predicted,
        }
    }

    /// Sets the span in which the version was loaded.
    pub(crate) fn loaded_in(self, span: &Span) -> Self {
        Self { load_context: span.context(), ..self }
    }

    /// Starts the span of a prediction. The first prediction belongs to the trace of the training and links to its
    /// request; later predictions belong to the traces of their requests.
    pub(crate) fn start_span(&self, request: TraceParent, rows: usize) -> Span {
        let first = self.load_context.filter(|_| !self.has_predicted.swap(true, Ordering::Relaxed));
        let mut span = Span::child_of(first.or(Some(request)), "inference.predict");
        if first.is_some() {
            span.link(request);
        }
        span.describe(|span| {
            span.text("model.name", &self.record.model);
            span.number("model.version", self.record.version);
            span.number("rows", i64::try_from(rows).unwrap_or(i64::MAX));
            span.boolean("first", first.is_some());
        });
        span
    }

    /// The predictor, with every answered row counted in the metrics and for the drift.
    pub(crate) fn counting(&self) -> Counting<'_> {
        self.predictor.counted_by(self)
    }

    /// The labels of the metrics.
    pub(crate) fn labels(&self) -> &SeriesLabels {
        self.metrics.labels()
    }

    /// Starts a prediction.
    pub(crate) fn attempt(&self) -> Attempt<'_> {
        Attempt { loaded: self, is_open: true }
    }

    /// The field of a response that contains the prediction: the target's name or [`FALLBACK_FIELD`].
    pub(crate) fn field(&self) -> &str {
        &self.field
    }

    /// The approximate memory of the version, in bytes: the predictor, and the counters of the drift.
    pub(crate) fn memory_bytes(&self) -> u64 {
        (self.predictor.memory_bytes() + self.drift.memory_bytes()) as u64
    }

    /// Records that a request pinned this version. `tick` increases with each request.
    pub(crate) fn touch(&self, tick: u64) {
        self.last_used.store(tick, Ordering::Relaxed);
    }

    /// The tick of the last request that pinned this version.
    pub(crate) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }
}

impl RowCounter for LoadedModel {
    fn count(&self, column: usize, bin: usize, rows: u32) {
        self.drift.count(column, bin, rows);
        if column == self.predictor.signature().features.len() {
            self.metrics.record_predictions(bin, rows);
        }
    }
}

/// The names of the classes with their own counter, in the order of the bins of the predictions.
fn classes(predictor: &Predictor) -> Vec<String> {
    let Bins::Codes { top } = &predictor.manifest().distributions.predictions.bins else { return Vec::new() };
    let labels = predictor.signature().task.labels();
    let mut names: Vec<String> =
        top.iter().map(|code| cut(labels[*code as usize], MAX_NAME_CHARS).into_owned()).collect();
    if top.len() < labels.len() {
        names.push(OTHER.to_owned());
    }
    names
}

/// A prediction. Dropped without an outcome, as by a panic, it counts as failed.
#[must_use]
pub(crate) struct Attempt<'a> {
    loaded: &'a LoadedModel,
    is_open: bool,
}

impl Attempt<'_> {
    /// Records an answered request for `rows` predictions, after its last phase. Reading the clock once more would cost as
    /// much as the counters.
    pub(crate) fn answered(mut self, rows: usize, phases: &Phases) {
        self.is_open = false;
        self.loaded.metrics.record_success(rows, phases);
        self.loaded.statistics.record_success(rows, phases);
        self.loaded.guards.record_answer(phases.total());
    }

    /// Records a request that does not fit the model.
    pub(crate) fn refused(mut self, phases: &Phases) {
        self.is_open = false;
        self.loaded.metrics.record_refusal();
        self.loaded.statistics.record_refusal(phases.elapsed());
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.loaded.metrics.record_failure();
            self.loaded.guards.record_failure();
        }
    }
}
