//! Trees as arrays, with a reference implementation of prediction.

/// The value of [`Tree::feature`] for a leaf.
pub const LEAF: u32 = u32::MAX;

/// One or more trees; the prediction is the mean of their leaf values.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeEnsemble {
    /// Number of values per leaf, [`crate::model::Task::outputs`]: the share of the positive class, the share of every
    /// class, or the mean target.
    pub outputs: usize,
    /// At least one tree.
    pub trees: Vec<Tree>,
}

/// A tree: three arrays with one entry per node, the root at 0, and the leaf values.
///
/// A row goes left if `value <= threshold`, or if the value is NaN (missing or unseen). The children of a node are at
/// `left` and `left + 1`, after the node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// Index of the split feature, or [`LEAF`].
    pub feature: Vec<u32>,
    /// Finite; 0 for a leaf.
    pub threshold: Vec<f32>,
    /// Index of the left child; for a leaf the index of its values.
    pub left: Vec<u32>,
    /// `outputs` finite numbers per leaf.
    pub values: Vec<f32>,
}

impl Tree {
    /// Appends a split and returns its index. The caller sets `left` when the children exist.
    pub fn push_split(&mut self, feature: u32, threshold: f32, left: u32) -> usize {
        self.push(feature, threshold, left)
    }

    /// Appends a leaf and returns its index.
    pub fn push_leaf(&mut self, values: &[f32]) -> usize {
        let number = self.values.len() / values.len().max(1);
        self.values.extend_from_slice(values);
        self.push(LEAF, 0.0, u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn push(&mut self, feature: u32, threshold: f32, left: u32) -> usize {
        self.feature.push(feature);
        self.threshold.push(threshold);
        self.left.push(left);
        self.feature.len() - 1
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.feature.len()
    }

    /// Whether there are no nodes. Such a tree is invalid.
    pub fn is_empty(&self) -> bool {
        self.feature.is_empty()
    }

    /// The values of the leaf for a raw row; `None` for an invalid tree.
    pub fn leaf(&self, raw: &[f32], outputs: usize) -> Option<&[f32]> {
        let mut node = 0_usize;
        for _ in 0..self.len() {
            let (feature, left) = (*self.feature.get(node)?, *self.left.get(node)? as usize);
            if feature == LEAF {
                return self.values.get(left.checked_mul(outputs)?..)?.get(..outputs);
            }
            let value = *raw.get(feature as usize)?;
            // A comparison with NaN is false, so NaN goes left.
            node = left + usize::from(value > *self.threshold.get(node)?);
        }
        None
    }
}

impl TreeEnsemble {
    /// The mean of the leaf values for a raw row.
    pub fn predict(&self, raw: &[f32], outputs: &mut [f64]) {
        outputs.fill(0.0);
        for values in self.trees.iter().filter_map(|tree| tree.leaf(raw, self.outputs)) {
            for (sum, value) in outputs.iter_mut().zip(values) {
                *sum += f64::from(*value);
            }
        }
        for sum in outputs {
            *sum /= self.trees.len() as f64;
        }
    }

    /// Number of nodes of all trees.
    pub fn nodes(&self) -> usize {
        self.trees.iter().map(Tree::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_and_missing_values_go_left() {
        let mut tree = Tree::default();
        tree.push_split(0, 1.5, 1);
        tree.push_leaf(&[0.25]);
        tree.push_leaf(&[0.75]);
        let value_of = |value| tree.leaf(&[value], 1).unwrap()[0];
        assert_eq!([value_of(1.5), value_of(f32::NAN), value_of(f32::NEG_INFINITY)], [0.25; 3]);
        assert_eq!([value_of(1.500_001), value_of(f32::INFINITY)], [0.75; 2]);
    }
}
