//! Histogram gradient boosting (Friedman 2001, "Greedy Function Approximation: A Gradient Boosting Machine"), with Newton
//! steps and an L2 penalty (Chen and Guestrin 2016, XGBoost) and trees that grow leaf by leaf (Ke et al. 2017, LightGBM).
//!
//! Each round adds a tree, or one per class with three or more classes, that is fitted to the derivatives of the loss. The
//! result depends only on data, parameters and seed, not on the number of threads, because histograms have integer sums
//! ([`histogram`]). Training runs in the current rayon pool. A split tries missing values (NaN) on both sides.
//!
//! With early stopping some rows are validation rows until the best number of rounds is known. The model is then trained
//! with this number on all rows, because every row helps in small tables.
//!
//! Two interfaces: [`BoostingParams`] implements linfa's traits (`Fit`, `Predict`, `ParamGuard`); [`crate::train`] calls
//! the functions below with a callback per round.

mod bins;
mod draw;
mod grow;
mod histogram;
mod linfa_api;
mod loss;
mod monotone;
mod params;
mod saved;
mod scores;
mod split;
mod stages;

use rayon::prelude::*;

use crate::forest::{Classes, Numbers};
use crate::metrics::importances;
use crate::model::{BoostedTrees, Response, Tree, TreeEnsemble};
use crate::rng::{Rng, Stream};
use crate::target_scale::TargetScale;
pub(crate) use bins::{Bins, TrainColumn};
use draw::{ColumnDraw, draw_rows};
use grow::{Grower, GrownTree, Shape};
use histogram::{Rounded, Units, round};
pub use linfa_api::{BoostedClassifier, BoostedRegressor};
use loss::Loss;
pub use monotone::Direction;
pub use params::{
    BoostingClassifierParams, BoostingParams, BoostingRegressorParams, BoostingValidParams, RegressionLoss,
};
use split::SplitRules;
pub(crate) use stages::{Stage, StageCheckpoints, in_stages};

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Boosted {
    /// The trees.
    pub model: BoostedTrees,
    /// Gain per raw column, normalized to a sum of 1; all zero if no tree has a split.
    pub importances: Vec<f64>,
    /// Number of rounds of the model.
    pub n_rounds: usize,
    /// The mean loss of the validation rows after these rounds. `None` without early stopping.
    pub validation_loss: Option<f64>,
}

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The callback stopped the training.
    Stopped,
    /// The targets do not suit the loss.
    Targets(&'static str),
}

/// Called after each round with the number of rounds and the mean loss of the validation rows. `false` stops the training.
pub(crate) type OnRound<'a> = &'a (dyn Fn(usize, Option<f64>) -> bool + Sync);

/// The rows of a training run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) bins: &'a Bins,
    /// Per row, whether it is only used for early stopping. Empty without such rows.
    pub(crate) validation: &'a [bool],
}

/// The constants of [`trainyard_domain::training_memory::boosting`].
#[cfg(test)]
pub(crate) fn memory_constants() -> [u64; 3] {
    [size_of::<histogram::ColumnHistogram>() as u64, grow::POOL_BYTES as u64, bins::LANES as u64]
}

/// Number of rounds without any split after which training ends: the next draws would find none, either.
const FRUITLESS_ROUNDS: usize = 10;
/// Number of rows that a thread works on at once.
const CHUNK_ROWS: usize = 4_096;

/// Trains a classifier: a class index below `n_classes` per row.
pub(crate) fn fit_classes(
    rows: Rows<'_>,
    classes: &[u32],
    n_classes: usize,
    params: &BoostingValidParams<Classes>,
    checkpoints: StageCheckpoints<'_>,
    on_round: OnRound<'_>,
) -> Result<Boosted, Failure> {
    let weights = &params.class_weight().weights(classes, n_classes)[..];
    let loss = match n_classes {
        2 => Loss::Logistic { classes, weights },
        _ => Loss::Softmax { classes, weights },
    };
    boost_in_pool(rows, &loss, params, checkpoints, on_round)
}

/// Trains a regressor: a finite target per row.
pub(crate) fn fit_numbers(
    rows: Rows<'_>,
    targets: &[f64],
    params: &BoostingValidParams<Numbers>,
    checkpoints: StageCheckpoints<'_>,
    on_round: OnRound<'_>,
) -> Result<Boosted, Failure> {
    let scale = TargetScale::of(targets);
    let is_poisson = params.loss() == RegressionLoss::Poisson;
    if is_poisson && targets.iter().any(|target| *target < 0.0) {
        return Err(Failure::Targets("loss 'poisson' needs targets that are not negative"));
    }
    if is_poisson && scale.mean() <= 0.0 {
        return Err(Failure::Targets("loss 'poisson' needs a target above 0"));
    }
    let scaled: Vec<f64> = if is_poisson {
        targets.iter().map(|target| target / scale.mean()).collect()
    } else {
        targets.iter().map(|target| scale.apply(*target)).collect()
    };
    let targets = &scaled[..];
    let loss = match params.loss() {
        RegressionLoss::Squared => Loss::Squared { targets },
        RegressionLoss::Quantile { quantile } => Loss::Quantile { targets, quantile },
        RegressionLoss::Poisson => Loss::Poisson { targets },
    };
    let mut boosted = boost_in_pool(rows, &loss, params, checkpoints, on_round)?;
    let response = &mut boosted.model.response;
    if is_poisson {
        response.baseline[0] += scale.mean().ln();
    } else {
        response.scale = scale.deviation();
        response.baseline[0] = scale.mean() + scale.deviation() * response.baseline[0];
    }
    Ok(boosted)
}

/// Trains within the thread pool: every parallel step that begins outside of it waits for another thread to wake up.
fn boost_in_pool<K: Sync>(
    rows: Rows<'_>,
    loss: &Loss<'_>,
    params: &BoostingValidParams<K>,
    checkpoints: StageCheckpoints<'_>,
    on_round: OnRound<'_>,
) -> Result<Boosted, Failure> {
    rayon::scope(|_| boost(rows, loss, params, checkpoints, on_round)).ok_or(Failure::Stopped)
}

/// Trains rounds until the last one, or until the validation loss does not improve. `None` if `on_round` stopped the
/// training.
fn boost<K: Sync>(
    rows: Rows<'_>,
    loss: &Loss<'_>,
    params: &BoostingValidParams<K>,
    mut checkpoints: StageCheckpoints<'_>,
    on_round: OnRound<'_>,
) -> Option<Boosted> {
    let mut run = Run::new(rows, loss, params);
    let stop_after = params.early_stopping_rounds().unwrap_or(usize::MAX);
    let mut counts = checkpoints.restore(&mut run);
    while counts.done < params.n_rounds() && counts.done - counts.last_split < FRUITLESS_ROUNDS {
        let has_split = run.add_round(counts.done);
        counts.done += 1;
        if has_split {
            counts.last_split = counts.done;
        }
        run.predict();
        let validation_loss = run.validation_loss();
        if let Some(validation_loss) = validation_loss.filter(|loss| *loss < counts.best.1) {
            counts.best = (counts.done, validation_loss);
        }
        let stops = validation_loss.is_some() && counts.done - counts.best.0 >= stop_after;
        // Asked first: a run that is cancelled now still saves its last checkpoint.
        let continues = on_round(counts.done, validation_loss);
        // A run that continues after the last round would add another one.
        if !stops {
            checkpoints.save_if_due(&run, counts);
        }
        if !continues {
            return None;
        }
        if stops {
            break;
        }
    }
    let Counts { best, last_split, .. } = counts;
    let is_validated = !run.validation.is_empty();
    let n_rounds = if is_validated { best.0 } else { last_split }.max(1);
    Some(run.finish(n_rounds, is_validated.then_some(best.1)))
}

/// The counts between rounds.
#[derive(Debug, Clone, Copy)]
struct Counts {
    /// Number of rounds.
    done: usize,
    /// Number of rounds up to the last one with a split.
    last_split: usize,
    /// Number of rounds with the least validation loss, and the loss.
    best: (usize, f64),
}

impl Default for Counts {
    fn default() -> Self {
        Self { done: 0, last_split: 0, best: (0, f64::INFINITY) }
    }
}

/// The state between rounds.
struct Run<'a, K> {
    bins: &'a Bins,
    loss: &'a Loss<'a>,
    params: &'a BoostingValidParams<K>,
    grower: Grower<'a>,
    /// The rows that trees can be trained on, and the others.
    training: Vec<u32>,
    validation: Vec<u32>,
    baseline: Vec<f64>,
    /// One score per row and output.
    scores: Vec<f64>,
    /// The predictions for the scores.
    predictions: Vec<f64>,
    derivatives: Vec<(f32, f32)>,
    rounded: Vec<Rounded>,
    trees: Vec<Tree>,
    /// Gain per tree and raw column.
    gains: Vec<Vec<(usize, f64)>>,
}

impl<'a, K: Sync> Run<'a, K> {
    fn new(rows: Rows<'a>, loss: &'a Loss<'a>, params: &'a BoostingValidParams<K>) -> Self {
        let n_rows = rows.bins.rows();
        let is_validation = |row: &u32| rows.validation.get(*row as usize) == Some(&true);
        let (validation, training): (Vec<u32>, Vec<u32>) = (0..n_rows as u32).partition(is_validation);
        let baseline = loss.baseline(&training);
        let mut run = Self {
            bins: rows.bins,
            loss,
            params,
            grower: Grower::new(rows.bins),
            training,
            validation,
            scores: (0..n_rows).flat_map(|_| baseline.iter().copied()).collect(),
            predictions: vec![0.0; n_rows * baseline.len()],
            baseline,
            derivatives: vec![(0.0, 0.0); n_rows],
            rounded: vec![Rounded::default(); n_rows],
            trees: Vec::new(),
            gains: Vec::new(),
        };
        run.predict();
        run
    }

    /// Computes the predictions for the scores.
    fn predict(&mut self) {
        let (outputs, link) = (self.baseline.len(), self.loss.link());
        let chunks = self.predictions.par_chunks_mut(CHUNK_ROWS * outputs);
        chunks.zip(self.scores.par_chunks(CHUNK_ROWS * outputs)).for_each(|(predictions, scores)| {
            predictions.copy_from_slice(scores);
            predictions.chunks_exact_mut(outputs).for_each(|row| link.apply(row));
        });
    }

    fn predictions_of(&self, row: usize) -> &[f64] {
        &self.predictions[row * self.baseline.len()..][..self.baseline.len()]
    }

    /// The weighted mean loss of the validation rows.
    fn validation_loss(&self) -> Option<f64> {
        let of_chunk = |rows: &[u32]| {
            let of_row = |row: &u32| self.loss.loss(*row as usize, self.predictions_of(*row as usize));
            rows.iter().map(of_row).fold((0.0, 0.0), |sum, row| (sum.0 + row.0, sum.1 + row.1))
        };
        let chunks: Vec<(f64, f64)> = self.validation.par_chunks(CHUNK_ROWS).map(of_chunk).collect();
        let (loss, weight) = chunks.iter().fold((0.0, 0.0), |sum, chunk| (sum.0 + chunk.0, sum.1 + chunk.1));
        (weight > 0.0).then(|| loss / weight)
    }

    /// Grows the trees of a round. Returns whether one has a split.
    fn add_round(&mut self, round: usize) -> bool {
        let columns = ColumnDraw::new(self.bins);
        let mut has_split = false;
        for output in 0..self.baseline.len() {
            let mut rng = Rng::new(self.params.seed(), Stream::Tree(self.trees.len() as u64));
            let active = columns.draw(round, self.params.feature_fraction(), &mut rng);
            let units = self.differentiate(output, rng.bits());
            let grown = self.grow(units, &active, &mut rng);
            has_split |= grown.tree.len() > 1;
            let grown = self.set_values(grown, units, output);
            let unit = units.gradient * units.gradient / units.hessian;
            let gain = |(column, gain): &(usize, f64)| (self.bins.columns()[*column].raw, gain * unit);
            self.gains.push(grown.gains.iter().map(gain).collect());
            self.trees.push(grown.tree);
        }
        has_split
    }

    /// Computes and rounds the derivatives of the loss by the scores of one output.
    fn differentiate(&mut self, output: usize, salt: u64) -> Units {
        let (outputs, loss) = (self.baseline.len(), self.loss);
        let chunks = self.derivatives.par_chunks_mut(CHUNK_ROWS).zip(self.predictions.par_chunks(CHUNK_ROWS * outputs));
        chunks.enumerate().for_each(|(chunk, (derivatives, predictions))| {
            let rows = derivatives.iter_mut().zip(predictions.chunks_exact(outputs));
            for (row, (derivatives, predictions)) in (chunk * CHUNK_ROWS..).zip(rows) {
                let (gradient, hessian) = loss.derivatives(row, predictions, output);
                *derivatives = (gradient as f32, hessian as f32);
            }
        });
        round(&self.derivatives, salt, &mut self.rounded)
    }

    fn rules(&self, units: Units) -> SplitRules {
        SplitRules {
            l2: self.params.l2() / units.hessian,
            min_rows: self.params.min_samples_leaf(),
            min_hessian: self.params.min_hessian() / units.hessian,
        }
    }

    fn grow(&mut self, units: Units, active: &[bool], rng: &mut Rng) -> GrownTree {
        let (params, rules) = (self.params, self.rules(units));
        let shape = Shape { max_leaves: params.max_leaves(), max_depth: params.max_depth().unwrap_or(usize::MAX) };
        self.grower.rows = draw_rows(&self.training, params.subsample(), rng);
        let mut drawn = self.grower.rows.iter().copied().peekable();
        let is_other = |row: &u32| drawn.next_if_eq(row).is_none();
        self.grower.others = (0..self.bins.rows() as u32).filter(is_other).collect();
        self.grower.grow(&self.rounded, rules, shape, active, rng)
    }

    /// Sets the values of the leaves and adds them to the scores of all rows.
    fn set_values(&mut self, mut grown: GrownTree, units: Units, output: usize) -> GrownTree {
        let (outputs, rate, rules) = (self.baseline.len(), self.params.learning_rate(), self.rules(units));
        for leaf in &grown.leaves {
            let rows = &self.grower.rows[leaf.rows.clone()];
            let unit = units.gradient / units.hessian;
            let step = match self.loss.leaf_step(rows, &self.scores) {
                Some(step) => step.clamp(leaf.bounds.lower * unit, leaf.bounds.upper * unit),
                None => leaf.bounds.step(&rules, leaf.sums) * unit,
            };
            let value = (rate * step) as f32;
            grown.tree.set_values(leaf.node, &[if value.is_finite() { value } else { 0.0 }]);
            let value = grown.tree.values[grown.tree.values.len() - 1];
            for row in rows.iter().chain(&self.grower.others[leaf.others.clone()]) {
                self.scores[*row as usize * outputs + output] += f64::from(value);
            }
        }
        grown
    }

    /// The model with the first rounds.
    fn finish(self, n_rounds: usize, validation_loss: Option<f64>) -> Boosted {
        let outputs = self.baseline.len();
        let mut importances = vec![0.0; self.bins.raw_columns()];
        for (column, gain) in self.gains.iter().take(n_rounds * outputs).flatten() {
            importances[*column] += gain;
        }
        importances::normalise(&mut importances);
        let trees = self.trees.into_iter().take(n_rounds * outputs).collect();
        let response = Response { baseline: self.baseline, scale: 1.0, link: self.loss.link() };
        let model = BoostedTrees { trees: TreeEnsemble { outputs: 1, trees }, response };
        Boosted { model, importances, n_rounds, validation_loss }
    }
}

#[cfg(test)]
mod tests;
