//! Checks the memory of a training run before it starts. A run that can't stay within the limit fails at its start, with
//! the figure. [`trainyard_domain::training_memory`] has the estimates.

use trainyard_domain::params::Params;
use trainyard_domain::training_memory::{BASE, MemoryEstimate, TrainingShape, cell_bytes, estimate};
use trainyard_domain::{Algorithm, Dtype, FailureCode};

use crate::error::TrainError;
use crate::model::{Feature, FeatureKind};
use crate::preprocess::{self, ModelFamily};

/// The shape for `rows` rows.
pub(super) fn shape(rows: usize, features: &[Feature], outputs: usize) -> TrainingShape {
    let design_width = |feature: &Feature| match &feature.kind {
        FeatureKind::Category { .. } => feature.kind.codes(),
        // Each raw value has an indicator if values are missing.
        kind => kind.width() * (1 + usize::from(feature.missing_in_training > 0)),
    };
    let dtype = |feature: &Feature| match feature.kind {
        FeatureKind::Number { .. } => Dtype::Number,
        FeatureKind::Boolean { .. } => Dtype::Boolean,
        FeatureKind::Datetime { .. } => Dtype::Datetime,
        FeatureKind::Category { .. } => Dtype::Category,
    };
    let statistics = |feature: &Feature| match &feature.kind {
        FeatureKind::Category { statistics, .. } => statistics.len() as u64,
        _ => 0,
    };
    TrainingShape {
        rows: rows as u64,
        row_bytes: features.iter().map(|feature| cell_bytes(dtype(feature))).sum(),
        raw_columns: features.iter().map(|feature| feature.kind.width() as u64).sum(),
        category_columns: features.iter().map(statistics).sum(),
        design_columns: features.iter().map(|feature| design_width(feature) as u64).sum(),
        outputs: outputs as u64,
    }
}

/// The largest shape that a model of this family can have, for the features of an ensemble, which are those of every family
/// before orders and statistics.
pub(super) fn shape_of_family(rows: usize, features: &[Feature], outputs: usize, family: ModelFamily) -> TrainingShape {
    let statistics = preprocess::MAX_STATISTICS.min(outputs) as u64;
    let width = |feature: &Feature| match (&feature.kind, family) {
        (FeatureKind::Category { .. }, ModelFamily::Forest) => preprocess::FOLDS as u64,
        (FeatureKind::Category { .. }, ModelFamily::Boosting) => statistics,
        (FeatureKind::Category { .. }, _) => 1,
        (kind, _) => kind.width() as u64,
    };
    let has_statistics = |feature: &&Feature| family == ModelFamily::Boosting && feature.kind.is_category();
    TrainingShape {
        raw_columns: features.iter().map(width).sum(),
        category_columns: features.iter().filter(has_statistics).count() as u64 * statistics,
        ..shape(rows, features, outputs)
    }
}

/// Refuses a run that needs more than `limit` bytes. Returns a note for the log if the run may need more.
///
/// # Errors
/// `out_of_memory` with the estimate.
pub(super) fn check(
    shape: &TrainingShape,
    algorithm: Algorithm,
    params: &Params,
    limit: Option<u64>,
) -> Result<Option<String>, TrainError> {
    let Some(limit) = limit else { return Ok(None) };
    let MemoryEstimate { least, most } = estimate(shape, algorithm, params, rayon::current_num_threads() as u64);
    let classes = if shape.outputs > 1 { format!(" and {} classes", shape.outputs) } else { String::new() };
    let describe = |verb: &str, bytes: u64| {
        let (rows, needed, limit) = (shape.rows, bytes.div_ceil(1 << 20), limit >> 20);
        format!(
            "training on {rows} rows{classes} {verb} {needed} MB of memory, more than the {limit} MB of \
            worker.child_memory_mb"
        )
    };
    if least > limit {
        let message = format!("{}; use fewer features or fewer rows", describe("needs at least", least));
        return Err(TrainError::Failed { code: FailureCode::OutOfMemory, message });
    }
    let advice = match algorithm {
        Algorithm::Svm => "if it fails, use a smaller cache_mb or fewer features",
        Algorithm::LogisticRegression | Algorithm::Ridge => "if it fails, use fewer features",
        _ => "if it fails, use fewer trees, a smaller max_depth or a larger min_samples_leaf",
    };
    Ok((most > limit).then(|| format!("{}; {advice}", describe("can need up to", most))))
}

/// Why a trial of a search does not fit: `at_once` models of it, each with its largest trees, need more than `limit` bytes
/// besides `other` bytes. A search has other trials, so it takes no risk.
pub(super) fn excess(
    shape: &TrainingShape,
    algorithm: Algorithm,
    params: &Params,
    (at_once, other): (u64, u64),
    limit: Option<u64>,
) -> Option<String> {
    let limit = limit?;
    let most = estimate(shape, algorithm, params, rayon::current_num_threads() as u64).most;
    let further = most.saturating_sub(BASE).saturating_mul(at_once.saturating_sub(1));
    let needed = most.saturating_add(further).saturating_add(other);
    (needed > limit).then(|| {
        let (needed, limit) = (needed.div_ceil(1 << 20), limit >> 20);
        format!("it can need up to {needed} MB of memory, more than the {limit} MB of worker.child_memory_mb")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trainyard_domain::training_memory::{self, boosting, linear, svm};

    use super::*;

    fn shape(rows: u64, outputs: u64) -> TrainingShape {
        TrainingShape { rows, row_bytes: 240, raw_columns: 30, category_columns: 5, design_columns: 60, outputs }
    }

    #[test]
    fn a_run_is_refused_only_if_it_needs_too_much() {
        let check = |rows, limit| {
            let params = Params::parse(Algorithm::RandomForest, json!({}).as_object().unwrap()).unwrap();
            let shape = shape(rows, 1_000);
            check(&shape, Algorithm::RandomForest, &params, limit)
        };
        assert!(check(100_000, None).unwrap().is_none() && check(100_000, Some(1 << 50)).unwrap().is_none());
        let note = check(100_000, Some(4 << 30)).unwrap().unwrap();
        assert!(note.starts_with("training on 100000 rows and 1000 classes can need up to "), "{note}");
        let refusal = check(100_000, Some(600 << 20)).unwrap_err().to_string();
        assert!(refusal.starts_with("training on 100000 rows and 1000 classes needs at least "), "{refusal}");
        assert!(refusal.contains("more than the 600 MB of worker.child_memory_mb; use fewer features"), "{refusal}");
    }

    #[test]
    fn the_estimates_have_the_constants_of_the_engines() {
        assert_eq!(crate::boosting::memory_constants(), [boosting::HISTOGRAM, boosting::POOL, boosting::LANES]);
        assert_eq!(crate::svm::memory_constants(), [svm::FOLDS, svm::MIN_WORKING_SET]);
        assert_eq!(crate::linear::SAMPLE_SHARE, linear::SAMPLE_SHARE);
        assert_eq!(preprocess::PERMUTATIONS as u64, boosting::PERMUTATIONS);
        assert_eq!(preprocess::MAX_CATEGORIES as u64, training_memory::MAX_CATEGORIES);
    }

    #[test]
    fn a_trial_that_does_not_fit_has_a_reason() {
        let params = Params::parse(Algorithm::GradientBoosting, json!({}).as_object().unwrap()).unwrap();
        let excess = |at_once, other, limit| {
            excess(&shape(10_000, 1), Algorithm::GradientBoosting, &params, (at_once, other), limit)
        };
        assert_eq!((excess(1, 0, None), excess(5, 0, Some(4 << 30))), (None, None));
        assert!(excess(5, 4 << 30, Some(4 << 30)).is_some());
        let threads = rayon::current_num_threads() as u64;
        let alone = estimate(&shape(10_000, 1), Algorithm::GradientBoosting, &params, threads).most;
        assert!(excess(1, 0, Some(alone)).is_none());
        let reason = excess(2, 0, Some(alone)).unwrap();
        assert!(
            reason.starts_with("it can need up to ") && reason.ends_with(" MB of worker.child_memory_mb"),
            "{reason}"
        );
    }
}
