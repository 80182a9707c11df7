//! The algorithm `auto`: a search over algorithms and parameters within a time budget, and an ensemble of the best models.
//!
//! 1. [`plan`] defines the candidates, their samples of the rows and the folds: a pure function of seed and table shape.
//! 2. [`search`] works through the plan until the budget ends. Each [`trial`] gives out-of-fold predictions for the training
//!    part; the held-out part is not used.
//! 3. After each trial [`select`] chooses an ensemble. The best one of all is kept, so that more trials never have a worse
//!    validation score.
//! 4. The members are trained again on the whole training part, as a job with their parameters and the same seed would train
//!    them. A member that is alone is saved as the plain model of its algorithm.

mod bagging;
mod budget;
mod chosen_folds;
mod combine;
mod cost;
mod library;
mod plan;
mod refits;
mod report;
mod saved;
mod search;
mod select;
mod space;
mod trial;

use std::time::Duration;

use serde_json::{Map, Value, json};
use trainyard_domain::Algorithm;
use trainyard_domain::algorithm::{BUDGET_S, SKIP_TRIALS};
use trainyard_domain::training_memory::TrainingShape;

use self::budget::Budget;
use self::combine::combine;
use self::cost::ModelCost;
use self::library::{LIBRARY, Member};
use self::plan::{Candidate, Plan, TableShape};
use self::refits::{Refit, Refits};
pub(super) use self::report::SearchReport;
use self::report::Summary;
use self::saved::{RefitCheckpoints, SavedSearch};
use self::search::{Search, Setting};
use self::select::{Limits, Targets};
use self::trial::TrialRows;
use super::decisions::Options;
use super::encoded::{Encoded, ModelSpec};
use super::engine::{self, Fitted};
use super::folds::Folds;
use super::out_of_fold::OutOfFold;
use super::training_rows::TrainingRows;
use super::{Chosen, Elapsed, Run, TRAINED, Table, Warnings, memory, self_test, single, warnings};
use crate::artifact;
use crate::error::TrainError;
use crate::frame::{Frame, Target};
use crate::model::{Feature, Signature, Task};
use crate::preprocess::{self, ModelFamily, Part};
use crate::progress::Progress;

/// With more rows the models of all folds are trained one after the other: each of them occupies all threads, and memory
/// for one is enough.
const MAX_ROWS_AT_ONCE: usize = 20_000;
/// The model file of an ensemble has at most this share of its limit, because the sizes are predicted.
const ARTIFACT_SHARE: f64 = 0.8;
/// The bytes of the members in the model file have at most this share of the memory limit: while the file is written and
/// checked, several forms of each model are in memory.
const MEMORY_SHARE: f64 = 0.125;

/// Searches, and trains the chosen models on the training part.
pub(super) fn fit<'p>(
    run: &Run<'_>,
    table: Table,
    warnings: &mut Warnings<'_>,
    progress: Progress<'p>,
    elapsed: Elapsed<'_>,
) -> Result<(Chosen, Progress<'p>), TrainError> {
    let (request, params, seed) = (run.request, run.params, run.request.spec.seed);
    let Table { mut frame, task, split, copies, leaks, mut dropped } = table;
    let mut fitted = preprocess::fit(&mut frame, &split.train, &copies, ModelFamily::Ensemble, seed)?;
    dropped.append(&mut fitted.dropped);
    let about_data = {
        let training = Part::new(&frame, &fitted.features, &split.train)?;
        warnings::find(&frame, &split, &training, &request.spec, &leaks)
    };
    warnings.extend(about_data);
    warnings.extend(leaks);
    warnings.extend(fitted.warnings);
    let self_test_rows = self_test::choose(&frame, &split.test);
    let missing = std::mem::take(&mut frame.missing);
    frame.row_hashes = Vec::new();
    let features = &fitted.features[..];
    let memory_limit = request.memory_limit;
    let training =
        Training { frame: &frame, task: &task, rows: &split.train, copies: &copies, seed, features, memory_limit };

    let progress = progress.next("searching", 0.85)?;
    let earlier = saved::restore(progress.checkpoints());
    let before = earlier.as_ref().map_or(Duration::ZERO, |earlier: &SavedSearch| earlier.used);
    // The budget is that of all runs.
    let elapsed: Elapsed<'_> = &|| before + elapsed();
    let options = Options::of(params);
    let Outcome { summary, members, refits, finished, encoded, out_of_fold } =
        search(run, &training, earlier, warnings, &progress, elapsed)?;
    let decisions = options.decide_by_search(out_of_fold, &task, seed, warnings);
    let progress = progress.next("training", TRAINED)?;
    let checkpoints = RefitCheckpoints { checkpoints: progress.checkpoints(), search: encoded };
    let (members, summary) = training.fit_members((members, refits), summary, &checkpoints, warnings, &progress)?;

    let signature = |features: Vec<Feature>| {
        let (target, task) = (request.spec.target.clone(), task.clone());
        Signature { features, target, task, dropped: dropped.clone(), missing: missing.clone() }
    };
    let mut chosen = match <[Refitted; 1]>::try_from(members) {
        Ok([Refitted { features, fitted, .. }]) => {
            let held_out = Part::new(&frame, &features, &split.test)?;
            single::chosen(fitted, signature(features), held_out, warnings)
        }
        Err(members) => {
            let held_out = Part::new(&frame, &fitted.features, &split.test)?;
            combine(members, signature(fitted.features), held_out)
        }
    };
    (chosen.estimator, chosen.signature.task) = decisions.apply(chosen.estimator, chosen.signature.task);
    chosen.decisions = decisions;
    (chosen.rows, chosen.self_test_rows, chosen.distributions) =
        (split.train.len(), self_test_rows, fitted.distributions);
    chosen.params = replay_params(params.as_map(), finished, &summary.skip_trials);
    chosen.search = Some(SearchReport { summary, before, predict_us: 0.0 });
    Ok((chosen, progress))
}

/// The parameters in the model file: those of a job with the same result. The search ended after `finished` trials and left
/// out others, whatever its budget was.
fn replay_params(params: &Map<String, Value>, finished: u64, skip_trials: &[usize]) -> Map<String, Value> {
    let mut params = params.clone();
    params.remove(BUDGET_S);
    params.insert("max_trials".into(), json!((finished > 0).then_some(finished)));
    params.insert(SKIP_TRIALS.into(), json!(skip_trials));
    params
}

/// The result of the search.
struct Outcome {
    summary: Summary,
    /// The trial, the candidate and the weight of each chosen model; empty if no trial has a score.
    members: Vec<Member>,
    /// Models of members that are trained already.
    refits: Refits,
    finished: u64,
    /// For the checkpoints of the next phase.
    encoded: Vec<u8>,
    /// The predictions of the chosen models for two classes; else empty.
    out_of_fold: OutOfFold,
}

/// Searches; `earlier` is the search of an earlier run.
fn search(
    run: &Run<'_>,
    training: &Training<'_>,
    earlier: Option<SavedSearch>,
    warnings: &mut Warnings<'_>,
    progress: &Progress<'_>,
    elapsed: Elapsed<'_>,
) -> Result<Outcome, TrainError> {
    let params = run.params;
    let Training { frame, task, rows, copies, seed, .. } = *training;
    let shape = training.shape();
    let plan = Plan::new(shape, seed);
    let classes: Option<Vec<u32>> = match &frame.target {
        Target::Classes { classes, .. } => Some(rows.iter().map(|row| classes[*row]).collect()),
        Target::Numbers(_) => None,
    };
    let classes = classes.as_ref().map(|classes| (&classes[..], shape.classes));
    let folds = Folds::new(rows.len(), classes, copies, (plan.folds, plan.validated), seed);
    let validated = folds.validated(1.0);
    let numbers: Vec<f64> = match &frame.target {
        Target::Numbers(numbers) => validated.iter().map(|at| numbers[rows[*at]]).collect(),
        Target::Classes { .. } => Vec::new(),
    };
    let targets = if classes.is_some() { Targets::Classes } else { Targets::Numbers(&numbers) };
    let at_once = rows.len() <= MAX_ROWS_AT_ONCE;
    let models_at_once = if at_once { plan.validated.min(rayon::current_num_threads()) } else { 1 };
    let budget = Budget {
        elapsed,
        seconds: params.float(BUDGET_S).unwrap_or(60.0),
        max_trials: params.int("max_trials").map(|max| max.unsigned_abs()),
    };
    let memory = |candidate: &Candidate, bytes: f64| {
        let predictions = (LIBRARY * rows.len() * size_of::<f64>()) as u64;
        // Models that are trained ahead have at most twice their size in the file.
        let extra = (models_at_once as u64, predictions + 2 * bytes as u64);
        let shape = training.memory_shape(candidate.algorithm);
        memory::excess(&shape, candidate.algorithm, &candidate.params, extra, training.memory_limit)
    };
    let growth = plan.folds as f64 / (plan.folds as f64 - 1.0);
    let fit_model = |candidate: &Candidate, progress: &Progress<'_>| training.fit(candidate, progress);
    let setting = Setting {
        plan: &plan,
        rows: TrialRows {
            training: TrainingRows { frame, task, rows, copies },
            folds: &folds,
            validated: plan.validated,
            at_once,
            seed,
        },
        targets,
        limits: limits(run, &plan),
        budget,
        memory: &memory,
        fit_model: &fit_model,
        skip_trials: params.numbers(SKIP_TRIALS).into_iter().map(|trial| trial as usize).collect(),
        refit_share: models_at_once as f64 / plan.validated as f64 * growth,
        progress,
    };
    if validated.is_empty() {
        warnings.extend(["the training part has too few rows to compare models".to_owned()]);
        let summary = Summary::new(&mut Search::new(&setting), targets.name(), budget.seconds, budget.used());
        let refits = Refits::default();
        let (members, encoded, out_of_fold) = (Vec::new(), Vec::new(), Vec::new());
        return Ok(Outcome { summary, members, refits, finished: 0, encoded, out_of_fold });
    }
    let mut search = Search::run(&setting, earlier)?;
    let encoded = progress.checkpoints().map_or_else(Vec::new, |_| search.encode());
    let (finished, members) = (search.finished, chosen_members(&mut search, &setting, warnings));
    if members.is_empty() {
        let mut reasons = search.records.iter().filter_map(|record| record.skipped.as_deref());
        let reason = reasons.next_back().unwrap_or("the budget has ended");
        warnings.extend([format!("no trial has a result within the budget of {} s ({reason})", budget.seconds)]);
    }
    let predictions = search.best.as_ref().map_or(&[][..], |best| &best.predictions);
    let out_of_fold = chosen_folds::outputs(predictions, &setting.rows.training, &folds);
    let fold_scores = chosen_folds::scores(predictions, targets, &folds);
    let mut summary = Summary::new(&mut search, targets.name(), budget.seconds, budget.used());
    summary.fold_scores = fold_scores;
    if let ([(trial, ..)], None) = (&members[..], &search.best) {
        summary.set_single(*trial);
    }
    let refits = search.refits;
    Ok(Outcome { summary, members, refits, finished, encoded, out_of_fold })
}

/// The best ensemble, or the model with the fastest predictions if none is within the limits.
fn chosen_members(search: &mut Search<'_>, setting: &Setting<'_>, warnings: &mut Warnings<'_>) -> Vec<Member> {
    if let Some(best) = &search.best {
        setting.progress.note(&best.message(setting.targets.name()));
        return best.members.clone();
    }
    let Some((trial, candidate, cost)) = search.fastest.take() else { return Vec::new() };
    warnings.extend([format!(
        "no model is within max_predict_us and the limit of the model file; {} of trial {trial} has the fastest predictions, \
         about {:.1} µs",
        candidate.algorithm.as_str(),
        cost.predict_us
    )]);
    vec![(trial, candidate, 1.0)]
}

fn limits(run: &Run<'_>, plan: &Plan) -> Limits {
    let Run { request, params } = run;
    let share = |limit: Option<u64>, share: f64| limit.map_or(f64::INFINITY, |limit| limit as f64 * share);
    let bytes = share(Some(artifact::MAX_BYTES as u64), ARTIFACT_SHARE)
        .min(share(request.artifact_limit, ARTIFACT_SHARE))
        .min(share(request.memory_limit, MEMORY_SHARE));
    let predict_us = params.float("max_predict_us").unwrap_or(f64::INFINITY);
    Limits {
        max_members: plan.max_members,
        combine: params.choice("ensemble") != "off",
        cost: ModelCost { predict_us, bytes },
    }
}

/// The training part.
#[derive(Clone, Copy)]
struct Training<'a> {
    frame: &'a Frame,
    task: &'a Task,
    rows: &'a [usize],
    copies: &'a [u32],
    seed: u64,
    /// The features of the ensemble.
    features: &'a [Feature],
    memory_limit: Option<u64>,
}

/// A model that was trained on the whole training part.
struct Refitted {
    features: Vec<Feature>,
    fitted: Fitted,
    weight: f64,
}

impl Training<'_> {
    fn shape(&self) -> TableShape {
        TableShape { rows: self.rows.len(), features: self.features.len(), classes: self.task.labels().len() }
    }

    /// The size of a training run of an algorithm.
    fn memory_shape(&self, algorithm: Algorithm) -> TrainingShape {
        memory::shape_of_family(self.frame.rows, self.features, self.task.outputs(), engine::family(algorithm))
    }

    /// Trains the chosen models on the whole training part. Without a chosen one, and if none can be trained, the cheapest
    /// algorithm with its defaults is trained.
    fn fit_members(
        &self,
        (members, mut refits): (Vec<Member>, Refits),
        mut summary: Summary,
        checkpoints: &RefitCheckpoints<'_>,
        warnings: &mut Warnings<'_>,
        progress: &Progress<'_>,
    ) -> Result<(Vec<Refitted>, Summary), TrainError> {
        let count = members.len();
        refits.retain(&members);
        for (at, (trial, candidate, _)) in members.iter().enumerate() {
            let part = progress.part(at, count).without_checkpoints();
            let is_new = refits.train(*trial, || self.fit(candidate, &part));
            // A cancelled run saves the models that are finished.
            if !matches!(is_new, Ok(false)) {
                checkpoints.save_if_due(&refits);
            }
            is_new?;
        }
        let mut refitted = Vec::with_capacity(count);
        // Both are in the order of the trials.
        for ((trial, candidate, weight), model) in members.into_iter().zip(refits.into_models()) {
            let name = format!("{} of trial {trial}", candidate.algorithm.as_str());
            match model {
                Ok((features, mut fitted)) => {
                    if count > 1 {
                        warnings.extend(fitted.warning.take().map(|warning| format!("{name}: {warning}")));
                    }
                    refitted.push(Refitted { features, fitted, weight });
                }
                Err(message) => {
                    warnings.extend([format!("{name} can't be trained on all rows: {message}")]);
                    summary.remove(trial);
                }
            }
        }
        if refitted.is_empty() {
            refitted.push(self.fit_cheapest(warnings, progress)?);
        }
        let sum: f64 = refitted.iter().map(|member| member.weight).sum();
        refitted.iter_mut().for_each(|member| member.weight /= sum);
        Ok((refitted, summary))
    }

    /// Trains the first algorithm of the plan that can be trained.
    fn fit_cheapest(&self, warnings: &mut Warnings<'_>, progress: &Progress<'_>) -> Result<Refitted, TrainError> {
        let mut last = TrainError::bad_data("no algorithm suits the table");
        let unsaved = progress.part(0, 1).without_checkpoints();
        for candidate in Plan::new(self.shape(), self.seed).defaults() {
            let Candidate { algorithm, params, .. } = &candidate;
            let fits = memory::check(&self.memory_shape(*algorithm), *algorithm, params, self.memory_limit);
            match fits.and_then(|_| self.fit(&candidate, &unsaved)) {
                Ok((features, fitted)) => {
                    let name = candidate.algorithm.as_str();
                    warnings.extend([format!("{name} was trained with its defaults, without a comparison of models")]);
                    return Ok(Refitted { features, fitted, weight: 1.0 });
                }
                Err(TrainError::Cancelled) => return Err(TrainError::Cancelled),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn fit(&self, candidate: &Candidate, progress: &Progress<'_>) -> Result<Refit, TrainError> {
        let Self { frame, task, rows, copies, seed, .. } = *self;
        let model = ModelSpec { algorithm: candidate.algorithm, params: &candidate.params, seed };
        let mut frame = frame.share();
        let fitted = preprocess::fit(&mut frame, rows, copies, engine::family(candidate.algorithm), seed)?;
        let encoded = Encoded::new(model, task, &frame, fitted, rows, copies.to_vec())?;
        drop(frame);
        let fitted = encoded.fit(progress)?;
        Ok((encoded.signature.features, fitted))
    }
}
