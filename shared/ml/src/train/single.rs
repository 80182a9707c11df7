//! Training of one model with the parameters of the job.

use serde_json::{Map, Value, json};
use trainyard_domain::algorithm::LEARNING_CURVE;

use super::decisions::{Decisions, Options};
use super::encoded::{Encoded, ModelSpec};
use super::engine::{self, Fitted};
use super::learning_curve::{self, LearningCurve};
use super::training_rows::TrainingRows;
use super::{Chosen, PREPARED, Run, TRAINED, Table, Warnings, memory, out_of_fold, self_test, warnings};
use crate::error::TrainError;
use crate::metrics::importances;
use crate::model::{Signature, Task};
use crate::preprocess::{self, Part};
use crate::progress::Progress;

/// Trains the model on the training part.
pub(super) fn fit<'p>(
    run: &Run<'_>,
    table: Table,
    warnings: &mut Warnings<'_>,
    progress: Progress<'p>,
) -> Result<(Chosen, Progress<'p>), TrainError> {
    let Run { request, params } = run;
    let spec = &request.spec;
    let Table { mut frame, task, split, copies, leaks, mut dropped } = table;
    let model = ModelSpec { algorithm: spec.algorithm, params, seed: spec.seed };
    let mut fitted = preprocess::fit(&mut frame, &split.train, &copies, engine::family(spec.algorithm), spec.seed)?;
    let shape = memory::shape(frame.rows, &fitted.features, task.outputs());
    if let Some(note) = memory::check(&shape, spec.algorithm, params, request.memory_limit)? {
        progress.note(&note);
    }
    dropped.append(&mut fitted.dropped);
    let about_features = std::mem::take(&mut fitted.warnings);
    let distributions = std::mem::take(&mut fitted.distributions);
    let encoded = Encoded::new(model, &task, &frame, fitted, &split.train, copies.clone())?;
    let held_out = Part::new(&frame, &encoded.signature.features, &split.test)?;
    warnings.extend(warnings::find(&frame, &split, &encoded.training, spec, &leaks));
    warnings.extend(leaks);
    warnings.extend(about_features);
    let self_test_rows = self_test::choose(&frame, &split.test);
    let missing = std::mem::take(&mut frame.missing);

    let training = TrainingRows { frame: &frame, task: &task, rows: &split.train, copies: &copies };
    let (validated, progress) = validate(&training, &split.test, model, warnings, progress)?;
    let Validated { decisions, mut metrics, curve } = validated;
    drop((frame, copies));
    let progress = progress.next("training", TRAINED)?;
    let mut fitted = encoded.fit(&progress)?;
    let rows = encoded.training.rows;
    if let Some(mut curve) = curve {
        curve.add_final((&fitted.estimator, &task), &encoded.training, &held_out, spec.seed, &progress)?;
        metrics.insert("learning_curve".into(), curve.report(&task));
    }
    let task;
    (fitted.estimator, task) = decisions.apply(fitted.estimator, encoded.signature.task);
    let target = spec.target.clone();
    let signature = Signature { features: encoded.signature.features, target, task, dropped, missing };
    let mut chosen = chosen(fitted, signature, held_out, warnings);
    (chosen.rows, chosen.self_test_rows, chosen.distributions) = (rows, self_test_rows, distributions);
    chosen.params = params.as_map().clone();
    chosen.metrics.extend(metrics);
    chosen.decisions = decisions;
    Ok((chosen, progress))
}

/// The results of models that are not saved.
#[derive(Default)]
struct Validated {
    decisions: Decisions,
    /// The metrics of a cross-validation.
    metrics: Map<String, Value>,
    /// Without the point of the saved model.
    curve: Option<LearningCurve>,
}

/// Trains the models of folds and samples, if the job asks for something that needs them. `held_out` are rows of the frame.
fn validate<'p>(
    training: &TrainingRows<'_>,
    held_out: &[usize],
    model: ModelSpec<'_>,
    warnings: &mut Warnings<'_>,
    progress: Progress<'p>,
) -> Result<(Validated, Progress<'p>), TrainError> {
    let (options, mut validated) = (Options::of(model.params), Validated::default());
    let (count, has_curve) = (options.folds(), model.params.choice(LEARNING_CURVE) == "on");
    if count == 0 && !has_curve {
        return Ok((validated, progress));
    }
    // The models of the folds are trained on as many rows as count - 1 models of all rows.
    let of_folds = count.saturating_sub(1) as f64;
    let cost = of_folds + if has_curve { learning_curve::COST } else { 0.0 };
    let progress = progress.next("validating", TRAINED - (TRAINED - PREPARED) / (cost + 1.0))?;
    if count > 0 {
        let own = progress.section(0.0, of_folds / cost);
        let folds = out_of_fold::divide(training, count, model.seed);
        let predicted = out_of_fold::predict(training, model, (&folds, count), &own)?;
        let Validated { metrics, decisions, .. } = &mut validated;
        *decisions = options.decide(predicted, training.task, model.seed, (metrics, warnings));
    }
    if has_curve {
        let own = progress.section(of_folds / cost, 1.0);
        let folds = out_of_fold::divide(training, 2, model.seed);
        validated.curve = Some(LearningCurve::of_samples(training, model, (&folds, held_out), &own)?);
    }
    Ok((validated, progress))
}

/// A model that is alone, with the metrics that its algorithm defines.
pub(super) fn chosen(fitted: Fitted, signature: Signature, held_out: Part, warnings: &mut Warnings<'_>) -> Chosen {
    warnings.extend(fitted.warning);
    let mut metrics = Map::new();
    if let Some(score) = fitted.out_of_bag_score {
        let name = if signature.task == Task::Regression { "oob_r2" } else { "oob_accuracy" };
        metrics.insert(name.into(), json!(score));
    }
    if let Some(n_rounds) = fitted.n_rounds {
        metrics.insert("n_rounds".into(), Value::from(n_rounds));
    }
    Chosen {
        importances: fitted.importances.map(|columns| importances::per_feature(&columns, &signature.ranges())),
        signature,
        estimator: fitted.estimator,
        distributions: Vec::new(),
        held_out,
        metrics,
        rows: 0,
        self_test_rows: Vec::new(),
        params: Map::new(),
        decisions: Decisions::default(),
        search: None,
    }
}
