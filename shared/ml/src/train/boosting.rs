//! Gradient boosting: converts the parameters of the job, and trains in one or two stages.

use trainyard_domain::algorithm::MONOTONE_CONSTRAINTS;
use trainyard_domain::params::Params;
use trainyard_domain::{Algorithm, shown};

use super::encoded::ModelSpec;
use super::engine::{CURVE_POINTS, FitRequest, Fitted, checked, class_weight};
use crate::boosting::{
    self, Bins, Boosted, BoostingParams, Direction, Failure, RegressionLoss, Rows, Stage, TrainColumn,
};
use crate::error::TrainError;
use crate::forest::{Classes, Numbers};
use crate::frame::{Frame, Target};
use crate::model::{Estimator, FeatureKind, Signature, Task};
use crate::preprocess::{Part, TargetValues};
use crate::progress::Progress;
use crate::split;

/// Trains a model on the training part.
pub(super) fn fit(
    request: &FitRequest<'_>,
    signature: &Signature,
    training: &Part,
    targets: &TargetValues,
    progress: &Progress<'_>,
) -> Result<Fitted, TrainError> {
    let bins = BoostingBins { request, training, directions: directions(request.params, signature, training)? };
    let trained = match targets {
        TargetValues::Classes(classes, n_classes) => {
            let params = checked(params::<Classes>(request))?;
            boosting::in_stages(
                &params,
                request.validation,
                progress.checkpoints(),
                |stage, validation, params, checkpoints| {
                    let on_round = on_round(progress, stage, request, params.n_rounds());
                    let rows = Rows { bins: &bins.of(stage), validation };
                    boosting::fit_classes(rows, classes, *n_classes, params, checkpoints, &on_round)
                },
            )
        }
        TargetValues::Numbers(targets) => {
            let params = checked(params::<Numbers>(request))?;
            boosting::in_stages(
                &params,
                request.validation,
                progress.checkpoints(),
                |stage, validation, params, checkpoints| {
                    let on_round = on_round(progress, stage, request, params.n_rounds());
                    let rows = Rows { bins: &bins.of(stage), validation };
                    boosting::fit_numbers(rows, targets, params, checkpoints, &on_round)
                },
            )
        }
    };
    from_boosted(trained, progress)
}

/// Per training row, whether it is a validation row of gradient boosting. `copies` is as in [`split::stratified`].
pub(super) fn validation(
    model: &ModelSpec<'_>,
    frame: &Frame,
    training: &[usize],
    copies: Option<&[u64]>,
) -> Vec<bool> {
    if model.algorithm != Algorithm::GradientBoosting || early_stopping_rounds(model.params).is_none() {
        return Vec::new();
    }
    let fraction = model.params.float("validation_fraction").unwrap_or(0.2);
    let validation = |classes| split::validation(training.len(), classes, copies, fraction, model.seed);
    match &frame.target {
        Target::Classes { task, classes } => {
            let classes: Vec<u32> = training.iter().map(|row| classes[*row]).collect();
            validation(Some((&classes, task.labels().len())))
        }
        Target::Numbers(_) => validation(None),
    }
}

/// The columns from which gradient boosting is trained.
struct BoostingBins<'a> {
    request: &'a FitRequest<'a>,
    training: &'a Part,
    directions: Vec<Option<Direction>>,
}

impl BoostingBins<'_> {
    /// The bins of all raw columns, and of the ordered columns in their place.
    fn of(&self, stage: Stage) -> Bins {
        let raw = &self.training.raw;
        let ordered = (self.request.ordered)(if stage == Stage::Search { self.request.validation } else { &[] });
        let is_ordered = |raw: usize| ordered.iter().any(|column| column.raw == raw);
        let plain = raw.iter().enumerate().filter(|(raw, _)| !is_ordered(*raw)).map(|(raw, values)| TrainColumn {
            values,
            raw,
            permutation: None,
            direction: self.directions[raw],
        });
        let permuted = ordered.iter().map(|column| TrainColumn {
            values: &column.values,
            raw: column.raw,
            permutation: Some(column.permutation),
            direction: None,
        });
        Bins::new(self.training.rows, raw.len(), &plain.chain(permuted).collect::<Vec<_>>())
    }
}

/// The monotone constraint of each raw column.
fn directions(params: &Params, signature: &Signature, training: &Part) -> Result<Vec<Option<Direction>>, TrainError> {
    let mut directions = vec![None; training.raw.len()];
    for (name, sign) in params.signs(MONOTONE_CONSTRAINTS) {
        if matches!(signature.task, Task::MultiClass { .. }) {
            let message = format!("{MONOTONE_CONSTRAINTS} need a target with two classes, or a regression");
            return Err(TrainError::bad_params(message));
        }
        // A feature without values was dropped, and has no influence.
        let Some(position) = signature.position(name) else { continue };
        let range = training.ranges[position].clone();
        // Categories have no order, and most parts of a date do not rise with the date.
        if !matches!(signature.features[position].kind, FeatureKind::Number { .. } | FeatureKind::Boolean { .. }) {
            let message =
                format!("{MONOTONE_CONSTRAINTS} cannot contain '{}', which is no number and no boolean", shown(name));
            return Err(TrainError::bad_params(message));
        }
        directions[range].fill(Some(if sign > 0 { Direction::Rising } else { Direction::Falling }));
    }
    Ok(directions)
}

/// Reports the progress of the rounds, and the loss of the validation rows at regular intervals. Each of two stages has
/// half of the progress.
fn on_round<'a>(
    progress: &'a Progress<'_>,
    stage: Stage,
    request: &FitRequest<'_>,
    n_rounds: usize,
) -> impl Fn(usize, Option<f64>) -> bool + Sync + 'a {
    let every = n_rounds.div_ceil(CURVE_POINTS);
    let (from, share) = match stage {
        Stage::Search => (0.0, 0.5),
        Stage::Final if request.validation.is_empty() => (0.0, 1.0),
        Stage::Final => (0.5, 0.5),
    };
    move |done, loss| {
        if let Some(loss) = loss.filter(|_| done % every == 0) {
            progress.metric("validation_loss", loss, done as u64);
        }
        progress.at(from + share * done as f64 / n_rounds as f64).is_ok()
    }
}

fn from_boosted(trained: Result<Boosted, Failure>, progress: &Progress<'_>) -> Result<Fitted, TrainError> {
    let Boosted { model, importances, n_rounds, validation_loss } = trained.map_err(|failure| match failure {
        Failure::Stopped => TrainError::Cancelled,
        Failure::Targets(message) => TrainError::bad_params(message),
    })?;
    if let Some(loss) = validation_loss {
        progress.note(&format!("{n_rounds} rounds have the smallest loss on the validation rows, {loss:.6}"));
    }
    let fitted = Fitted::new(Estimator::Boosting(model), Some(importances));
    Ok(Fitted { n_rounds: Some(n_rounds), ..fitted })
}

/// `None` without early stopping.
fn early_stopping_rounds(params: &Params) -> Option<usize> {
    params.int("early_stopping_rounds").filter(|rounds| *rounds > 0).map(|rounds| rounds as usize)
}

fn params<K>(request: &FitRequest<'_>) -> BoostingParams<K> {
    let params = request.params;
    let count = |name: &str| params.int(name).map(|count| count as usize);
    BoostingParams::default()
        .n_rounds(count("n_rounds").unwrap_or(2_000))
        .learning_rate(params.float("learning_rate").unwrap_or(0.05))
        .max_leaves(count("max_leaves").unwrap_or(31))
        .max_depth(count("max_depth"))
        .min_samples_leaf(params.int("min_samples_leaf").unwrap_or(5) as u32)
        .min_hessian(params.float("min_hessian").unwrap_or(1e-3))
        .l2(params.float("l2").unwrap_or(10.0))
        .feature_fraction(params.float("feature_fraction").unwrap_or(0.7))
        .subsample(params.float("subsample").unwrap_or(0.7))
        .early_stopping_rounds(early_stopping_rounds(params))
        .validation_fraction(params.float("validation_fraction").unwrap_or(0.2))
        .class_weight(class_weight(params))
        .loss(match params.choice("loss") {
            "quantile" => RegressionLoss::Quantile { quantile: params.float("quantile").unwrap_or(0.5) },
            "poisson" => RegressionLoss::Poisson,
            _ => RegressionLoss::Squared,
        })
        .seed(request.seed)
}
