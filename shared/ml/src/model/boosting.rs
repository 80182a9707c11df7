//! Boosted trees: the sum of the leaf values of all trees, and the link from this score to the prediction.

use super::linear::{sigmoid, softmax};
use super::trees::TreeEnsemble;

/// From scores to the output vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Regression: the score itself.
    Identity,
    /// Regression: the score is the logarithm of the number.
    Log,
    /// Two classes: the score is the log-odds of the positive class.
    Logit,
    /// Three or more classes: the softmax of the scores.
    Softmax,
}

impl Link {
    /// Turns the scores of a row into its output vector.
    pub fn apply(self, scores: &mut [f64]) {
        match self {
            Self::Identity => {}
            Self::Log => scores.iter_mut().for_each(|score| *score = score.exp()),
            Self::Logit => scores.iter_mut().for_each(|score| *score = sigmoid(*score)),
            Self::Softmax => softmax(scores),
        }
    }

    /// The derivative of an output by a score, at the scores with these outputs.
    pub fn slope(self, outputs: &[f64], output: usize, score: usize) -> f64 {
        let (p, q) = (outputs[output], outputs[score]);
        match self {
            Self::Identity => 1.0,
            Self::Log => p,
            Self::Logit => p * (1.0 - p),
            Self::Softmax if output == score => p * (1.0 - p),
            Self::Softmax => -p * q,
        }
    }
}

/// From the sums of leaf values to the output vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The score of each output without any tree.
    pub baseline: Vec<f64>,
    /// The sum of the leaf values is multiplied by this number: the standard deviation of the target for regression, so
    /// that `f32` leaf values suit targets of any magnitude.
    pub scale: f64,
    /// From scores to the output vector.
    pub link: Link,
}

impl Response {
    /// Turns the sums of the leaf values of a row into its output vector.
    pub fn apply(&self, sums: &mut [f64]) {
        for (sum, baseline) in sums.iter_mut().zip(&self.baseline) {
            *sum = baseline + self.scale * *sum;
        }
        self.link.apply(sums);
    }
}

/// Boosted trees. With several outputs tree `i` belongs to output `i % outputs`.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostedTrees {
    /// Trees with one value per leaf; the number of trees is a multiple of the outputs.
    pub trees: TreeEnsemble,
    /// From the sums of leaf values to the output vector.
    pub response: Response,
}

impl BoostedTrees {
    /// Computes the output vector of a raw row.
    pub fn predict(&self, raw: &[f32], outputs: &mut [f64]) {
        outputs.fill(0.0);
        let count = outputs.len();
        for (i, tree) in self.trees.trees.iter().enumerate() {
            if let Some([value]) = tree.leaf(raw, 1) {
                outputs[i % count] += f64::from(*value);
            }
        }
        self.response.apply(outputs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tree;

    fn constant(value: f32) -> Tree {
        let mut tree = Tree::default();
        let root = tree.push_empty_leaf(1.0);
        tree.set_values(root, &[value]);
        tree
    }

    #[test]
    fn trees_alternate_between_outputs_and_the_link_comes_last() {
        let of = |values: &[f32], baseline: &[f64], scale, link| {
            let trees = TreeEnsemble { outputs: 1, trees: values.iter().map(|value| constant(*value)).collect() };
            let model = BoostedTrees { trees, response: Response { baseline: baseline.to_vec(), scale, link } };
            let mut outputs = vec![9.0; baseline.len()];
            model.predict(&[], &mut outputs);
            outputs
        };
        assert_eq!(of(&[1.0, 0.5], &[10.0], 2.0, Link::Identity), [13.0]);
        assert_eq!(of(&[1.0, -1.0], &[0.0], 1.0, Link::Log), [1.0]);
        assert_eq!(of(&[1.0, -1.0], &[0.0], 1.0, Link::Logit), [0.5]);
        let shares = of(&[1.0, 2.0, 3.0, 1.0, 0.0, -1.0], &[0.0; 3], 1.0, Link::Softmax);
        assert!(shares.iter().all(|share| (share - 1.0 / 3.0).abs() < 1e-12), "{shares:?}");
    }
}
