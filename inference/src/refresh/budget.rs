//! The memory budget of the loaded versions (`inference.memory_budget_mb`).

use std::sync::Arc;

use trainyard_telemetry::catalogue;

use super::Refresher;
use crate::loaded_model::LoadedModel;
use crate::model_record::{Key, ModelRecord};
use crate::registry::LookupError;

/// Maximum number of versions whose size is remembered because they did not fit.
pub(super) const MAX_OVERSIZED: usize = 10_000;

impl Refresher {
    /// Unloads versions that nothing needs, least recently used first, until the budget suffices. Returns the error for requests if
    /// `newest`, which has just been loaded, had to be unloaded itself.
    pub(super) fn keep_within_budget(&mut self, newest: Option<&Arc<LoadedModel>>) -> Option<LookupError> {
        let budget = self.limits.memory_budget?;
        let newest_key = newest.map(|loaded| loaded.record.key());
        let unloaded = self.plan.shrink_to(budget, newest_key.as_ref());
        for (model, version) in &unloaded {
            tracing::info!(model, version, "unloaded a version that nothing needs, because of the memory budget");
        }
        self.unloaded(&unloaded, "memory_budget");
        let is_over = self.plan.loaded_bytes() > budget;
        if is_over && !self.over_budget {
            let (needed, budget) = (self.plan.needed_bytes(), budget);
            tracing::warn!(
                needed,
                budget,
                "the versions that must be loaded need more than inference.memory_budget_mb"
            );
        }
        self.over_budget = is_over;
        let newest = newest.filter(|loaded| unloaded.contains(&loaded.record.key()))?;
        // The next request for the version is refused without another load.
        self.oversized.insert(newest.record.sha256.clone(), newest.memory_bytes());
        Some(self.too_large(&newest.record, newest.memory_bytes()))
    }

    /// The error for requests that name a version for which the budget has no room, if that is known before its load.
    /// `artifact_bytes` is the size of the artifact, which is in memory during the load.
    pub(super) fn refuse_oversized(&self, record: &ModelRecord, artifact_bytes: u64) -> Option<LookupError> {
        // An alias that the last read did not contain yet may need the version.
        let budget = self.limits.memory_budget.filter(|_| record.aliases.is_empty())?;
        let known = self.oversized.peek(&record.sha256).copied();
        let bytes = known.or(Some(artifact_bytes).filter(|bytes| *bytes > budget))?;
        (bytes > budget.saturating_sub(self.plan.needed_bytes())).then(|| self.too_large(record, bytes))
    }

    /// Counts versions that were unloaded although they are still published. A running read must not bring them back.
    pub(super) fn unloaded(&mut self, versions: &[Key], reason: &'static str) {
        count_unloads(versions.len(), reason);
        if self.reading {
            self.released.extend(versions.iter().cloned());
        }
    }

    fn too_large(&self, record: &ModelRecord, bytes: u64) -> LookupError {
        let budget = self.limits.memory_budget.unwrap_or(u64::MAX);
        let left = budget.saturating_sub(self.plan.needed_bytes());
        LookupError::TooLarge { model: record.model.clone(), version: record.version, bytes, left }
    }
}

/// Counts unloaded versions.
pub(super) fn count_unloads(versions: usize, reason: &'static str) {
    if versions > 0 {
        metrics::counter!(catalogue::INFERENCE_UNLOADS_TOTAL, "reason" => reason).increment(versions as u64);
    }
}
