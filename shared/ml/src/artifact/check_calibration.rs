//! Validation of calibrated models: the functions of the outputs, and the estimator before the calibration.

use super::check_ensemble;
use super::check_estimator::{Shape, check_single};
use super::error::{ArtifactError, ensure};
use crate::isotonic::MAX_POINTS;
use crate::model::{CalibratedModel, Calibrator, Estimator, Signature, Task};

pub(super) fn check(calibrated: &CalibratedModel, signature: &Signature) -> Result<(), ArtifactError> {
    let (task, count) = (&signature.task, calibrated.calibrators.len());
    ensure(*task != Task::Regression, || "a calibration of a regression".into())?;
    ensure(count == task.outputs(), || format!("{count} calibrations"))?;
    for (output, calibrator) in calibrated.calibrators.iter().enumerate() {
        ensure(is_calibrator(calibrator), || format!("the calibration of output {output}"))?;
    }
    match &*calibrated.base {
        Estimator::Ensemble(ensemble) => check_ensemble::check(ensemble, signature),
        base => check_single(base, &Shape::of(signature)),
    }
}

/// Whether every probability has a calibrated one.
fn is_calibrator(calibrator: &Calibrator) -> bool {
    let is_share = |number: &f64| (0.0..=1.0).contains(number);
    match calibrator {
        Calibrator::Platt { a, b } => a.is_finite() && *a <= 0.0 && b.is_finite(),
        Calibrator::Isotonic { scores, shares } => {
            (1..=MAX_POINTS).contains(&scores.len())
                && scores.len() == shares.len()
                && scores.iter().chain(shares).all(is_share)
                && scores.is_sorted_by(|a, b| a < b)
                && shares.is_sorted()
        }
    }
}
