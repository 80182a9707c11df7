//! From the probabilities of a model to its answers: calibration, and the threshold of two classes. Both are fitted on the
//! out-of-fold predictions of the training part, so the model was not trained on the rows, and the held-out part stays unused.
//!
//! The published model is trained on the whole training part and calibrated by the predictions of the models of all folds
//! (scikit-learn's `CalibratedClassifierCV` with `ensemble=False`). Wherever calibrated probabilities of the training part are
//! used, each fold has the calibration of the other folds.

use rayon::prelude::*;
use serde_json::{Map, Value, json};
use trainyard_domain::Algorithm;
use trainyard_domain::algorithm::{
    CALIBRATION, CV, FALSE_NEGATIVE_COST, FALSE_POSITIVE_COST, MIN_PRECISION, TUNE_THRESHOLD,
};
use trainyard_domain::params::Params;

use super::out_of_fold::{self, FoldOutputs, OutOfFold};
use super::{Warnings, measure};
use crate::error::TrainError;
use crate::frame::Target;
use crate::isotonic;
use crate::metrics::reliability;
use crate::metrics::threshold::{Counts, Objective, TuningResult, tune};
use crate::model::calibration::{calibrate, log_odds};
use crate::model::{CalibratedModel, Calibrator, DEFAULT_THRESHOLD, Estimator, Task};
use crate::platt;
use crate::preprocess::{Part, TargetValues};
use crate::progress::Progress;

/// The number of folds without a parameter.
const FOLDS: usize = 5;

/// What a job asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Options {
    /// The folds of a cross-validation; 0 without one.
    cross_validation: usize,
    calibration: Option<Method>,
    objective: Option<Objective>,
}

/// How probabilities are calibrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Isotonic,
    Platt,
}

/// What is applied to the probabilities of the model.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Decisions {
    calibration: Option<Calibration>,
    threshold: Option<TunedThreshold>,
}

#[derive(Debug, PartialEq)]
struct Calibration {
    method: Method,
    calibrators: Vec<Calibrator>,
    /// Number of rows that it was fitted on.
    rows: usize,
}

#[derive(Debug, PartialEq)]
struct TunedThreshold {
    objective: Objective,
    tuned: TuningResult,
}

impl Options {
    pub(super) fn of(params: &Params) -> Self {
        let cost = |name: &str| params.float(name).unwrap_or(1.0);
        Self {
            cross_validation: params.int(CV).unwrap_or(0) as usize,
            calibration: match params.choice(CALIBRATION) {
                "isotonic" => Some(Method::Isotonic),
                "platt" => Some(Method::Platt),
                _ => None,
            },
            objective: match params.choice(TUNE_THRESHOLD) {
                "f1" => Some(Objective::F1),
                "cost" => Some(Objective::Cost {
                    false_positive: cost(FALSE_POSITIVE_COST),
                    false_negative: cost(FALSE_NEGATIVE_COST),
                }),
                "recall" => Some(Objective::Recall { min_precision: params.float(MIN_PRECISION).unwrap_or(0.9) }),
                _ => None,
            },
        }
    }

    /// Refuses a target that has no classes to calibrate, or not two to decide between.
    pub(super) fn check(self, algorithm: Algorithm, target: &Target) -> Result<(), TrainError> {
        let classes = match target {
            Target::Classes { task, .. } => task.labels().len(),
            Target::Numbers(_) => 0,
        };
        if self.calibration.is_some() && classes == 0 {
            return Err(TrainError::bad_params("calibration needs classes, and this is a regression"));
        }
        if self.calibration.is_some() && classes > 2 && algorithm == Algorithm::Auto {
            return Err(TrainError::bad_params(
                "calibration of auto needs a target with two classes, because a search keeps only the probability of the \
                 actual class; choose one algorithm",
            ));
        }
        if self.objective.is_some() && classes != 2 {
            return Err(TrainError::bad_params("tune_threshold needs a target with two classes"));
        }
        Ok(())
    }

    /// The number of folds that are predicted; 0 if out-of-fold predictions are not needed.
    pub(super) fn folds(self) -> usize {
        match self.cross_validation {
            0 if self.calibration.is_some() || self.objective.is_some() => FOLDS,
            folds => folds,
        }
    }

    /// As [`Self::decide`], on the predictions of the models that a search has chosen. There are none if no trial has a score.
    pub(super) fn decide_by_search(
        self,
        folds: OutOfFold,
        task: &Task,
        seed: u64,
        warnings: &mut Warnings<'_>,
    ) -> Decisions {
        if self.folds() == 0 {
            return Decisions::default();
        }
        if folds.is_empty() {
            warnings.extend([
                "the search has no predictions that a calibration or a threshold could be fitted on; the model has neither"
                    .to_owned(),
            ]);
            return Decisions::default();
        }
        self.decide(folds, task, seed, (&mut Map::new(), warnings))
    }

    /// Fits calibration and threshold. The metrics of a cross-validation are added to `metrics`.
    pub(super) fn decide(
        self,
        mut folds: OutOfFold,
        task: &Task,
        seed: u64,
        (metrics, warnings): (&mut Map<String, Value>, &mut Warnings<'_>),
    ) -> Decisions {
        let rows = folds.iter().map(|fold| fold.outputs.len() / task.outputs()).sum();
        let calibration = self.calibration.map(|method| {
            let calibrators = method.fit(&folds, None, task);
            // All are fitted before any fold is changed.
            let of_others: Vec<_> = (0..folds.len()).map(|fold| method.fit(&folds, Some(fold), task)).collect();
            for (fold, calibrators) in folds.iter_mut().zip(&of_others) {
                fold.outputs.chunks_exact_mut(task.outputs()).for_each(|outputs| calibrate(calibrators, outputs));
            }
            Calibration { method, calibrators, rows }
        });
        let threshold = self.objective.map(|objective| {
            let tuned = tune_without(&folds, None, objective);
            if let Objective::Recall { min_precision } = objective
                && !objective.is_met(&tuned.counts)
            {
                let found = tuned.counts.precision();
                warnings.extend([format!(
                    "no threshold reaches the precision {min_precision} on the training part; the one with the highest \
                     precision ({found:.3}) is used"
                )]);
            }
            TunedThreshold { objective, tuned }
        });
        if self.cross_validation > 0 {
            let scores = |(at, fold): (usize, &FoldOutputs)| match self.objective {
                None => fold.scores(task, seed),
                Some(objective) => {
                    // The threshold of a fold is tuned without the fold.
                    let tuned = tune_without(&folds, Some(at), objective);
                    fold.scores(&task.clone().with_threshold(tuned.threshold), seed)
                }
            };
            let scores: Vec<_> = folds.iter().enumerate().map(scores).collect();
            metrics.insert("cross_validation".into(), out_of_fold::report(&scores, rows));
        }
        Decisions { calibration, threshold }
    }
}

/// The rows of all folds but one: the output vectors, and the actual classes.
fn without(folds: &[FoldOutputs], left_out: Option<usize>) -> (Vec<f64>, Vec<u32>) {
    let (mut outputs, mut classes) = (Vec::new(), Vec::new());
    for (_, fold) in folds.iter().enumerate().filter(|(at, _)| Some(*at) != left_out) {
        outputs.extend_from_slice(&fold.outputs);
        if let TargetValues::Classes(own, _) = &fold.targets {
            classes.extend_from_slice(own);
        }
    }
    (outputs, classes)
}

fn tune_without(folds: &[FoldOutputs], left_out: Option<usize>, objective: Objective) -> TuningResult {
    let (outputs, classes) = without(folds, left_out);
    tune(&outputs, |row| classes[row] == 1, objective)
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Isotonic => "isotonic",
            Self::Platt => "platt",
        }
    }

    /// Fits a function per output, on all folds but one.
    fn fit(self, folds: &[FoldOutputs], left_out: Option<usize>, task: &Task) -> Vec<Calibrator> {
        let (outputs, classes) = without(folds, left_out);
        let count = task.outputs();
        let of_output = |output: usize| {
            let class = if count == 1 { 1 } else { output as u32 };
            let scores: Vec<f64> = outputs.iter().skip(output).step_by(count).copied().collect();
            let positive: Vec<bool> = classes.iter().map(|actual| *actual == class).collect();
            self.fit_one(&scores, &positive)
        };
        (0..count).into_par_iter().map(of_output).collect()
    }

    fn fit_one(self, scores: &[f64], positive: &[bool]) -> Calibrator {
        match self {
            Self::Isotonic => {
                let (scores, shares) = isotonic::fit(scores, positive);
                Calibrator::Isotonic { scores, shares }
            }
            Self::Platt => {
                let decisions: Vec<f64> = scores.iter().map(|score| log_odds(*score)).collect();
                match platt::fit(&decisions, positive) {
                    (a, b) if a <= 0.0 && a.is_finite() && b.is_finite() => Calibrator::Platt { a, b },
                    // The probabilities are no better than chance: all rows have the share of the class.
                    _ => {
                        let positives = positive.iter().filter(|positive| **positive).count() as f64;
                        let others = positive.len() as f64 - positives;
                        Calibrator::Platt { a: 0.0, b: ((others + 1.0) / (positives + 1.0)).ln() }
                    }
                }
            }
        }
    }
}

impl Decisions {
    /// The model with its calibration, and the task with its threshold.
    pub(super) fn apply(&self, estimator: Estimator, task: Task) -> (Estimator, Task) {
        let estimator = match &self.calibration {
            Some(Calibration { calibrators, .. }) => {
                let (base, calibrators) = (Box::new(estimator), calibrators.clone());
                Estimator::Calibrated(CalibratedModel { base, calibrators })
            }
            None => estimator,
        };
        let task = match &self.threshold {
            Some(threshold) => task.with_threshold(threshold.tuned.threshold),
            None => task,
        };
        (estimator, task)
    }

    /// What calibration and threshold change on the held-out part, whose output vectors are `outputs`.
    pub(super) fn report(
        &self,
        (estimator, task): (&Estimator, &Task),
        held_out: &Part,
        outputs: &[f64],
        progress: &Progress<'_>,
    ) -> Result<Map<String, Value>, TrainError> {
        let mut metrics = Map::new();
        let (classes, _) = held_out.targets.split();
        if let (Some(Calibration { method, rows, .. }), Estimator::Calibrated(calibrated)) =
            (&self.calibration, estimator)
        {
            let before = measure::outputs(&calibrated.base, task, held_out, progress)?;
            let figures = |outputs: &[f64]| reliability::report(task, &classes, outputs);
            metrics.insert(
                "reliability".into(),
                json!({
                    "method": method.name(),
                    "rows": rows,
                    "before": figures(&before),
                    "after": figures(outputs),
                }),
            );
        }
        if let Some(TunedThreshold { objective, tuned: TuningResult { threshold, counts } }) = &self.threshold {
            let at = |threshold| Counts::at(threshold, outputs, |row| classes[row] == 1);
            metrics.insert(
                "threshold".into(),
                json!({
                    "value": threshold,
                    "tuned_for": objective.name(),
                    "rows": counts.positives + counts.negatives,
                    "training_part": objective.report(counts),
                    "held_out": objective.report(&at(*threshold)),
                    "held_out_at_half": objective.report(&at(DEFAULT_THRESHOLD)),
                }),
            );
        }
        Ok(metrics)
    }
}
