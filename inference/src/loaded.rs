//! One version, compiled and ready: its predictor, the name its prediction goes by, and its meters.

use std::sync::atomic::{AtomicU64, Ordering};

use trainyard_ml::predict::Predictor;

use crate::meters::Meters;
use crate::record::Record;

/// Fields of an answer that a target of the same name may not shadow.
pub(crate) const TAKEN: [&str; 5] = ["prob", "probabilities", "model", "version", "warnings"];
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
}

impl Loaded {
    /// Puts a predictor into service.
    pub(crate) fn new(record: Record, predictor: Predictor) -> Self {
        let target = predictor.signature().target.as_str();
        let field = if TAKEN.contains(&target) { FALLBACK_FIELD } else { target }.to_owned();
        let meters = Meters::of(&record);
        Self { record, predictor, meters, field, last_used: AtomicU64::new(0) }
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
