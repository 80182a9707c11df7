//! Explanations: how much each feature of a row moves the prediction away from the mean.

use super::engine::Engine;
use super::ensemble::CompiledEnsemble;
use super::flat::FlatForest;
use super::shap::{Explainer, Quadrature};
use super::{Batch, Extras, Predictor, Row};
use crate::model::ensemble::encode_member;
use crate::model::{LinearModel, Link, RawRow, Task};

/// The contributions of the features to one prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The unit of the other numbers.
    pub scale: Scale,
    /// The explained value: of the positive class with two classes, of the predicted class with several.
    pub value: f64,
    /// The value if no feature is known.
    pub baseline: f64,
    /// One number per feature of the signature. The baseline and all contributions add up to the value.
    pub contributions: Vec<f64>,
}

/// What an explanation adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// A probability.
    Probability,
    /// The logarithm of the odds, whose sigmoid is the probability.
    LogOdds,
    /// The score of a class. The softmax of the scores of all classes gives the probabilities.
    Score,
    /// The predicted number.
    Number,
    /// The logarithm of the predicted number.
    Logarithm,
    /// A probability before its calibration.
    UncalibratedProbability,
    /// The logarithm of the odds before the calibration of their probability.
    UncalibratedLogOdds,
    /// The score of a class before the calibration of the probabilities.
    UncalibratedScore,
}

impl Scale {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::LogOdds => "log_odds",
            Self::Score => "score",
            Self::Number => "number",
            Self::Logarithm => "logarithm",
            Self::UncalibratedProbability => "uncalibrated_probability",
            Self::UncalibratedLogOdds => "uncalibrated_log_odds",
            Self::UncalibratedScore => "uncalibrated_score",
        }
    }

    /// The scale of a model whose probabilities are calibrated afterwards.
    fn before_calibration(self) -> Self {
        match self {
            Self::Probability => Self::UncalibratedProbability,
            Self::LogOdds => Self::UncalibratedLogOdds,
            Self::Score => Self::UncalibratedScore,
            other => other,
        }
    }
}

impl Predictor {
    /// Whether [`Self::explain`] supports the model: all except support vector machines, and ensembles of them.
    pub fn explains(&self) -> bool {
        self.unexplained().is_none()
    }

    /// The name of an algorithm in the model whose predictions have no explanation.
    pub fn unexplained(&self) -> Option<&'static str> {
        self.engine.unexplained()
    }

    /// Explains the prediction for a row that [`Self::predict_one`] accepts. `None` if the model can't be explained, or the
    /// row has no prediction.
    ///
    /// Trees have exact Shapley values ([`super::shap`]), of which the value without a feature is the mean of the model by
    /// the training weights of its nodes. Linear models have the exact Shapley values of independent features: the weight
    /// times the distance from the mean (Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS
    /// 2017). The explanation of an ensemble is the weighted sum of those of its members ([`explain_members`]). Of a calibrated
    /// model the prediction before the calibration is explained, and the scale says so: the calibration has no features.
    pub fn explain(&self, row: &Row) -> Option<Explanation> {
        let mut explanations = Vec::with_capacity(1);
        let extras = Extras { explanations: Some(&mut explanations), ..Extras::default() };
        self.predict_one_with(row, extras).ok()?;
        explanations.pop()?
    }

    /// Adds the explanation of each row of a batch with its outputs.
    pub(super) fn explain_batch(&self, batch: &Batch, explanations: &mut Vec<Option<Explanation>>) {
        let (signature, task) = (self.signature(), &self.signature().task);
        let widths: Vec<usize> = signature.features.iter().map(|feature| feature.kind.width()).collect();
        let inputs = batch.raw.chunks_exact(self.width).zip(batch.unseen.chunks_exact(self.width));
        let predicted = inputs.zip(batch.outputs.chunks_exact(task.outputs()));
        explanations.extend(predicted.map(|((raw, unseen), outputs)| {
            let row = RawRow { raw: raw.to_vec(), unseen: unseen.to_vec() };
            let output = if outputs.len() == 1 { 0 } else { task.predicted_class(outputs) };
            explain(&self.engine, task, &widths, &row, output)
        }));
    }
}

/// Explains one output of an engine. `widths` are the numbers of raw values of the features.
fn explain(engine: &Engine, task: &Task, widths: &[usize], raw: &RawRow, output: usize) -> Option<Explanation> {
    match engine {
        Engine::Trees(forest) => {
            let scale = if *task == Task::Regression { Scale::Number } else { Scale::Probability };
            let sums = shapley(forest, output, widths, raw);
            Some(scaled(scale, sums, 1.0 / forest.trees() as f64, 0.0))
        }
        Engine::Boosting(boosted) => {
            let (forest, response) = boosted.output(output);
            let scale = match response.link {
                Link::Identity => Scale::Number,
                Link::Log => Scale::Logarithm,
                Link::Logit => Scale::LogOdds,
                Link::Softmax => Scale::Score,
            };
            let sums = shapley(forest, 0, widths, raw);
            Some(scaled(scale, sums, response.scale, response.baseline[output]))
        }
        Engine::Linear(linear) => Some(explain_linear(linear, task, widths, raw, output)),
        Engine::Ensemble(ensemble) => explain_members(ensemble, task, raw, output),
        Engine::Calibrated(base, _) => {
            let explained = explain(base, task, widths, raw, output)?;
            Some(Explanation { scale: explained.scale.before_calibration(), ..explained })
        }
        Engine::Svm(_) => None,
    }
}

/// The weighted sum of the explanations of all members, as probabilities or as numbers. `None` if a member has none.
///
/// Members that are explained as log-odds, scores or logarithms are converted: a feature moves the probability by its
/// contributions to the scores, times the mean slope of the probability on the straight line from the baseline to the
/// prediction (the path of Aumann and Shapley 1974; the rescale rule of Chen, Lundberg and Lee, "Explaining a series of
/// models by propagating Shapley values", Nature Communications 2022, if there is one score).
fn explain_members(ensemble: &CompiledEnsemble, task: &Task, raw: &RawRow, output: usize) -> Option<Explanation> {
    let scale = if *task == Task::Regression { Scale::Number } else { Scale::Probability };
    let mut sum = Explanation { scale, value: 0.0, baseline: 0.0, contributions: Vec::new() };
    for member in ensemble.members() {
        let mut own = RawRow::new(member.width);
        encode_member(&member.encodings, &raw.raw, &raw.unseen, &mut own.raw, &mut own.unseen);
        let widths: Vec<usize> = member.encodings.iter().map(|encoding| encoding.width()).collect();
        let of = |output| explain(&member.engine, task, &widths, &own, output);
        let explained = of(output)?;
        let link = match explained.scale {
            Scale::Logarithm => Some(Link::Log),
            Scale::LogOdds => Some(Link::Logit),
            Scale::Score => Some(Link::Softmax),
            // No member is calibrated.
            _ => None,
        };
        let explained = match link {
            None => explained,
            Some(Link::Softmax) => {
                let scores = (0..task.outputs()).map(of).collect::<Option<Vec<_>>>()?;
                convert(Link::Softmax, &scores, output, scale)
            }
            Some(link) => convert(link, &[explained], 0, scale),
        };
        sum.contributions.resize(explained.contributions.len(), 0.0);
        sum.value += member.weight * explained.value;
        sum.baseline += member.weight * explained.baseline;
        for (sum, part) in sum.contributions.iter_mut().zip(&explained.contributions) {
            *sum += member.weight * part;
        }
    }
    Some(sum)
}

/// Converts the explanations of all scores into that of one output of the link.
fn convert(link: Link, scores: &[Explanation], output: usize, scale: Scale) -> Explanation {
    let at = |share: f64| {
        let mut outputs: Vec<f64> =
            scores.iter().map(|score| score.baseline + share * (score.value - score.baseline)).collect();
        link.apply(&mut outputs);
        outputs
    };
    let (baseline, value) = (at(0.0)[output], at(1.0)[output]);
    let mut slopes = vec![0.0; scores.len()];
    for (share, weight) in Quadrature::exact_for(PATH_DEGREE).points() {
        let outputs = at(share);
        for (score, slope) in slopes.iter_mut().enumerate() {
            *slope += weight * link.slope(&outputs, output, score);
        }
    }
    let features = scores[output].contributions.len();
    let mut contributions = vec![0.0; features];
    for (score, slope) in scores.iter().zip(&slopes) {
        contributions.iter_mut().zip(&score.contributions).for_each(|(sum, part)| *sum += slope * part);
    }
    // The quadrature of a steep slope has an error, which is spread in proportion.
    let sum: f64 = contributions.iter().sum();
    if sum.abs() > MIN_SUM * (value - baseline).abs() {
        contributions.iter_mut().for_each(|part| *part *= (value - baseline) / sum);
    }
    Explanation { scale, value, baseline, contributions }
}

/// The degree of the polynomials for which the quadrature along the path is exact.
const PATH_DEGREE: usize = 63;
/// Contributions whose sum is a smaller share of the difference that they explain are not rescaled.
const MIN_SUM: f64 = 1e-3;

/// The sums over all trees of the mean prediction and of the Shapley values.
fn shapley(forest: &FlatForest, output: usize, widths: &[usize], raw: &RawRow) -> (f64, Vec<f64>) {
    let feature_of: Vec<u32> =
        (0..).zip(widths).flat_map(|(feature, width)| std::iter::repeat_n(feature, *width)).collect();
    let mut explainer = Explainer::new(widths.len(), forest.deepest());
    forest.explain(&raw.raw, output, &feature_of, &mut explainer);
    (explainer.baseline, explainer.contributions)
}

/// The explanation for trees, whose sums are multiplied by `factor` and added to `start`.
fn scaled(scale: Scale, (baseline, contributions): (f64, Vec<f64>), factor: f64, start: f64) -> Explanation {
    let baseline = start + factor * baseline;
    let contributions: Vec<f64> = contributions.iter().map(|sum| factor * sum).collect();
    Explanation { scale, value: baseline + contributions.iter().sum::<f64>(), baseline, contributions }
}

fn explain_linear(linear: &LinearModel, task: &Task, widths: &[usize], raw: &RawRow, output: usize) -> Explanation {
    let width = linear.encoder.width();
    let mut inputs = vec![0.0; width];
    linear.encoder.encode(&raw.raw, &raw.unseen, &mut inputs);
    let weights = &linear.weights[output * width..(output + 1) * width];
    let mean: f64 = weights.iter().zip(&linear.means).map(|(weight, mean)| weight * mean).sum();
    let mut parts = weights.iter().zip(&inputs).zip(&linear.means).map(|((weight, x), mean)| weight * (x - mean));
    let mut columns = linear.encoder.columns.iter();
    let contributions: Vec<f64> = widths
        .iter()
        .map(|width| {
            let width = columns.by_ref().take(*width).map(|column| column.width()).sum();
            parts.by_ref().take(width).sum()
        })
        .collect();
    let baseline = linear.intercepts[output] + mean;
    let scale = match task {
        Task::Regression => Scale::Number,
        Task::Binary { .. } => Scale::LogOdds,
        Task::MultiClass { .. } => Scale::Score,
    };
    Explanation { scale, value: baseline + contributions.iter().sum::<f64>(), baseline, contributions }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(baseline: f64, contributions: &[f64]) -> Explanation {
        let value = baseline + contributions.iter().sum::<f64>();
        Explanation { scale: Scale::Score, value, baseline, contributions: contributions.to_vec() }
    }

    #[test]
    fn converted_contributions_add_up_to_the_difference_of_the_outputs() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        for (baseline, contributions) in [(-0.5, [0.75, -0.25]), (0.1, [30.0, 1.0]), (2.0, [0.0, 0.0])] {
            let found = convert(Link::Logit, &[score(baseline, &contributions)], 0, Scale::Probability);
            let value = baseline + contributions[0] + contributions[1];
            assert!((found.baseline - sigmoid(baseline)).abs() < 1e-12 && (found.value - sigmoid(value)).abs() < 1e-12);
            let sum = found.baseline + found.contributions.iter().sum::<f64>();
            assert!((sum - found.value).abs() < 1e-9, "{found:?}");
            // With one score the contributions keep their proportions.
            assert!(
                (found.contributions[0] * contributions[1] - found.contributions[1] * contributions[0]).abs() < 1e-9
            );
        }
        let scores = [score(0.2, &[1.0, 0.0, 0.5]), score(-0.1, &[0.0, 2.0, 0.5]), score(0.0, &[0.0, 0.0, 0.5])];
        let found = convert(Link::Softmax, &scores, 1, Scale::Probability);
        let sum = found.baseline + found.contributions.iter().sum::<f64>();
        assert!((sum - found.value).abs() < 1e-9, "{found:?}");
        // The first feature moves the prediction to another class; the third moves all scores by the same amount.
        assert!(found.contributions[0] < -0.05 && found.contributions[1] > 0.2, "{found:?}");
        assert!(found.contributions[2].abs() < 1e-9, "{found:?}");
    }
}
