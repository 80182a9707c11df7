//! The predicted cost of serving a model: the time of a prediction for one row, and the size of the model file.
//!
//! The time is computed from the size of the model and never measured, because the choice of the members of an ensemble must
//! not depend on the speed of the machine.

use serde::{Deserialize, Serialize};

use crate::model::{ColumnEncoder, DesignMatrixEncoder, Estimator, LEAF, Tree};

/// Nanoseconds of a prediction besides the model.
const BASE_NS: f64 = 100.0;
/// Nanoseconds per raw value: reading and encoding.
const RAW_VALUE_NS: f64 = 1.5;
/// Nanoseconds per tree and per node on the path of a row. Walks of several trees are interleaved.
const TREE_NS: f64 = 4.0;
const NODE_NS: f64 = 1.6;
/// Nanoseconds per column of a design matrix, per weight, and per support vector and its numbers.
const COLUMN_NS: f64 = 1.5;
const WEIGHT_NS: f64 = 0.5;
const VECTOR_NS: f64 = 1.5;
const VECTOR_NUMBER_NS: f64 = 0.25;
/// Nanoseconds of a decision function, and of an output.
const FUNCTION_NS: f64 = 20.0;
const OUTPUT_NS: f64 = 15.0;

/// The predicted cost of serving a model.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct ModelCost {
    /// Microseconds of a prediction for one row.
    pub(super) predict_us: f64,
    /// Bytes in the model file.
    pub(super) bytes: f64,
}

impl ModelCost {
    /// The cost of a model with this many raw values and outputs.
    pub(super) fn of(estimator: &Estimator, raw_values: usize, outputs: usize) -> Self {
        let outputs = outputs as f64;
        let (ns, bytes) = match estimator {
            Estimator::Trees(trees) => of_trees(&trees.trees, outputs),
            Estimator::Boosting(boosted) => of_trees(&boosted.trees.trees, 1.0),
            Estimator::Linear(linear) => {
                let numbers = (linear.weights.len() + linear.means.len() + linear.intercepts.len()) as f64;
                let ns = linear.encoder.width() as f64 * COLUMN_NS + linear.weights.len() as f64 * WEIGHT_NS;
                (ns, 8.0 * numbers + encoder_bytes(&linear.encoder))
            }
            Estimator::Svm(svm) => {
                let width = svm.encoder.width();
                let vectors = (svm.vectors.len() / width.max(1)) as f64;
                let coefficients: usize = svm.functions.iter().map(|function| function.support.len()).sum();
                let ns = width as f64 * COLUMN_NS
                    + vectors * (VECTOR_NS + width as f64 * VECTOR_NUMBER_NS)
                    + coefficients as f64 * WEIGHT_NS
                    + svm.functions.len() as f64 * FUNCTION_NS;
                (ns, 8.0 * svm.vectors.len() as f64 + 12.0 * coefficients as f64 + encoder_bytes(&svm.encoder))
            }
            // No candidate is an ensemble or calibrated.
            Estimator::Ensemble(_) | Estimator::Calibrated(_) => (f64::INFINITY, f64::INFINITY),
        };
        let ns = BASE_NS + raw_values as f64 * RAW_VALUE_NS + outputs * OUTPUT_NS + ns;
        Self { predict_us: ns / 1_000.0, bytes }
    }

    /// The larger cost of two models.
    pub(super) fn max(self, other: Self) -> Self {
        Self { predict_us: self.predict_us.max(other.predict_us), bytes: self.bytes.max(other.bytes) }
    }

    /// The cost of a model that is trained on more rows by this factor.
    pub(super) fn grown(self, factor: f64) -> Self {
        Self { predict_us: self.predict_us * factor, bytes: self.bytes * factor }
    }
}

fn of_trees(trees: &[Tree], values_per_leaf: f64) -> (f64, f64) {
    let (mut ns, mut bytes) = (0.0, 0.0);
    for tree in trees {
        ns += TREE_NS + values_per_leaf + NODE_NS * mean_path(tree);
        bytes += 8.0 + 16.0 * tree.len() as f64 + 4.0 * tree.values.len() as f64;
    }
    (ns, bytes)
}

/// The mean number of splits on the path of a training row.
fn mean_path(tree: &Tree) -> f64 {
    let splits = tree.feature.iter().zip(&tree.cover).filter(|(feature, _)| **feature != LEAF);
    let covers: f64 = splits.map(|(_, cover)| f64::from(*cover)).sum();
    covers / tree.cover.first().map_or(1.0, |root| f64::from(*root))
}

fn encoder_bytes(encoder: &DesignMatrixEncoder) -> f64 {
    let column = |column: &ColumnEncoder| match column {
        ColumnEncoder::ScaledWithLevels { levels, .. } => 32.0 + 8.0 * levels.len() as f64,
        ColumnEncoder::Scaled { .. } | ColumnEncoder::OneHot { .. } => 28.0,
    };
    encoder.columns.iter().map(column).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::samples::{self, Stream};
    use crate::model::NodeSplit;

    #[test]
    fn larger_models_cost_more() {
        let random = &mut Stream(3);
        let forest = |random: &mut Stream, trees, splits| {
            let forest = samples::forest(random, 3, 1, trees, splits);
            ModelCost::of(&Estimator::Trees(forest), 3, 1)
        };
        let (small, more, deeper) = (forest(random, 10, 20), forest(random, 100, 20), forest(random, 10, 400));
        assert!(small.predict_us < more.predict_us && small.bytes < more.bytes);
        assert!(small.predict_us < deeper.predict_us && small.bytes < deeper.bytes);
        let linear = ModelCost::of(&Estimator::Linear(samples::linear(random, 1)), 3, 1);
        assert!(linear.predict_us < more.predict_us && linear.predict_us > 0.1, "{linear:?}");
        let mut svm = samples::svm(random, 2);
        let few = ModelCost::of(&Estimator::Svm(svm.clone()), 3, 1);
        svm.vectors = svm.vectors.repeat(100);
        let many = ModelCost::of(&Estimator::Svm(svm), 3, 1);
        assert!(few.predict_us < many.predict_us && few.bytes < many.bytes);
    }

    #[test]
    fn the_path_is_weighted_by_the_training_rows() {
        let mut tree = Tree::default();
        tree.push_empty_leaf(10.0);
        let split = |covers| NodeSplit { feature: 0, threshold: 0.0, missing_right: false, covers };
        let left = tree.split(0, split([8.0, 2.0]));
        let last = tree.split(left, split([7.0, 1.0]));
        [left + 1, last, last + 1].into_iter().for_each(|leaf| tree.set_values(leaf, &[0.5]));
        assert!((mean_path(&tree) - 1.8).abs() < 1e-9);
    }
}
