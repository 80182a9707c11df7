//! Explanations: how much each feature of a row moves the prediction away from the mean.

use super::flat::{FlatForest, encode_keys};
use super::shap::Explainer;
use super::{Engine, Predictor, Row};
use crate::model::{Estimator, LinearModel, Link, RawRow, Signature, Task};

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
        }
    }
}

impl Predictor {
    /// Whether [`Self::explain`] supports the model: all except support vector machines.
    pub fn explains(&self) -> bool {
        !matches!(self.engine, Engine::Svm(_))
    }

    /// Explains the prediction for a row that [`Self::predict_one`] accepts. `None` if the model can't be explained, or the
    /// row has no prediction.
    ///
    /// Trees have exact Shapley values ([`super::shap`]), of which the value without a feature is the mean of the model by
    /// the training weights of its nodes. Linear models have the exact Shapley values of independent features: the weight
    /// times the distance from the mean (Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS
    /// 2017).
    pub fn explain(&self, row: &Row) -> Option<Explanation> {
        let (signature, task) = (self.signature(), &self.signature().task);
        let mut raw = RawRow::new(self.width);
        signature.encode_json(&self.readers, row, &mut raw).ok()?;
        let mut outputs = vec![0.0; task.outputs()];
        self.predict_raw(&raw.raw, &raw.unseen, &mut super::Scratch::default(), &mut outputs);
        let output = if task.outputs() == 1 { 0 } else { task.predicted_class(&outputs) };
        match &self.engine {
            Engine::Trees(forest) => {
                let scale = if *task == Task::Regression { Scale::Number } else { Scale::Probability };
                let sums = shapley(forest, output, signature, &raw);
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
                let sums = shapley(forest, 0, signature, &raw);
                Some(scaled(scale, sums, response.scale, response.baseline[output]))
            }
            Engine::Linear(Estimator::Linear(linear)) => Some(explain_linear(linear, signature, &raw, output)),
            Engine::Linear(_) | Engine::Svm(_) => None,
        }
    }
}

/// The sums over all trees of the mean prediction and of the Shapley values.
fn shapley(forest: &FlatForest, output: usize, signature: &Signature, raw: &RawRow) -> (f64, Vec<f64>) {
    let widths = signature.features.iter().map(|feature| feature.kind.width());
    let feature_of: Vec<u32> =
        (0..).zip(widths).flat_map(|(feature, width)| std::iter::repeat_n(feature, width)).collect();
    let mut keys = Vec::new();
    encode_keys(&raw.raw, feature_of.len(), &mut keys);
    let mut explainer = Explainer::new(&keys, &feature_of, signature.features.len(), forest.deepest());
    forest.explain(output, &mut explainer);
    (explainer.baseline, explainer.contributions)
}

/// The explanation for trees, whose sums are multiplied by `factor` and added to `start`.
fn scaled(scale: Scale, (baseline, contributions): (f64, Vec<f64>), factor: f64, start: f64) -> Explanation {
    let baseline = start + factor * baseline;
    let contributions: Vec<f64> = contributions.iter().map(|sum| factor * sum).collect();
    Explanation { scale, value: baseline + contributions.iter().sum::<f64>(), baseline, contributions }
}

fn explain_linear(linear: &LinearModel, signature: &Signature, raw: &RawRow, output: usize) -> Explanation {
    let width = linear.encoder.width();
    let mut inputs = vec![0.0; width];
    linear.encoder.encode(&raw.raw, &raw.unseen, &mut inputs);
    let weights = &linear.weights[output * width..(output + 1) * width];
    let mean: f64 = weights.iter().zip(&linear.means).map(|(weight, mean)| weight * mean).sum();
    let mut parts = weights.iter().zip(&inputs).zip(&linear.means).map(|((weight, x), mean)| weight * (x - mean));
    let mut columns = linear.encoder.columns.iter();
    let contributions: Vec<f64> = signature
        .features
        .iter()
        .map(|feature| {
            let width = columns.by_ref().take(feature.kind.width()).map(|column| column.width()).sum();
            parts.by_ref().take(width).sum()
        })
        .collect();
    let baseline = linear.intercepts[output] + mean;
    let scale = match signature.task {
        Task::Regression => Scale::Number,
        Task::Binary { .. } => Scale::LogOdds,
        Task::MultiClass { .. } => Scale::Score,
    };
    Explanation { scale, value: baseline + contributions.iter().sum::<f64>(), baseline, contributions }
}
