//! Compiled gradient boosting: one compiled forest per output.

use std::sync::Arc;

use super::flat::FlatForest;
use super::keys::{Encoder, Keys};
use crate::model::{BoostedTrees, Response};

/// Compiled [`BoostedTrees`].
#[derive(Debug)]
pub(crate) struct CompiledBoosting {
    /// The trees of each output, in the order of the rounds: in another order the sums would have other last bits.
    forests: Vec<FlatForest>,
    response: Response,
}

impl CompiledBoosting {
    /// Compiles a model that is valid according to [`crate::artifact::check`].
    ///
    /// # Panics
    /// If the model is invalid.
    pub(super) fn new(boosted: &BoostedTrees, features: usize) -> Self {
        let outputs = boosted.response.baseline.len();
        let encoder = Arc::new(Encoder::new(boosted.trees.trees.iter(), features));
        let forest = |output: usize| {
            let trees = boosted.trees.trees.iter().skip(output).step_by(outputs);
            FlatForest::of_trees(trees, 1, encoder.clone())
        };
        Self { forests: (0..outputs).map(forest).collect(), response: boosted.response.clone() }
    }

    /// Writes the output vectors of consecutive raw rows to `outputs`; `keys` and `sums` are buffers.
    ///
    /// # Panics
    /// If `outputs` and `raw` have different numbers of rows.
    pub(super) fn predict(&self, raw: &[f32], keys: &mut Keys, sums: &mut Vec<f64>, outputs: &mut [f64]) {
        let encoder = self.forests[0].encoder();
        let (rows, count) = (raw.len() / encoder.features(), self.forests.len());
        assert_eq!(outputs.len(), rows * count);
        encoder.encode(raw, keys);
        if let [forest] = &self.forests[..] {
            outputs.fill(0.0);
            forest.add_sums(keys, outputs);
        } else {
            for (output, forest) in self.forests.iter().enumerate() {
                sums.clear();
                sums.resize(rows, 0.0);
                forest.add_sums(keys, sums);
                outputs.chunks_exact_mut(count).zip(&*sums).for_each(|(row, sum)| row[output] = *sum);
            }
        }
        outputs.chunks_exact_mut(count).for_each(|row| self.response.apply(row));
    }

    /// The trees of an output, and what is applied to their sums.
    pub(super) fn output(&self, output: usize) -> (&FlatForest, &Response) {
        (&self.forests[output], &self.response)
    }

    /// Memory size in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.forests.iter().map(FlatForest::memory_bytes).sum()
    }
}
