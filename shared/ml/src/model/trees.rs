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

/// A tree: arrays with one entry per node, the root at 0, and the leaf values.
///
/// A row goes left if `value <= threshold`, else right. A row whose value is NaN (missing, or an unseen category) goes
/// right if `missing_right`, else left. The children of a node are at `left` and `left + 1`, after the node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// Index of the split feature, or [`LEAF`].
    pub feature: Vec<u32>,
    /// Finite; 0 for a leaf.
    pub threshold: Vec<f32>,
    /// The side of missing values; false for a leaf.
    pub missing_right: Vec<bool>,
    /// Index of the left child; for a leaf the index of its values.
    pub left: Vec<u32>,
    /// `outputs` finite numbers per leaf.
    pub values: Vec<f32>,
    /// Total weight of the training rows in the node; positive. Explanations need it.
    pub cover: Vec<f32>,
}

/// A split of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeSplit {
    /// Index of the split feature.
    pub feature: u32,
    /// Finite.
    pub threshold: f32,
    /// The side of missing values.
    pub missing_right: bool,
    /// Total weight of the training rows in the left child and in the right child; positive.
    pub covers: [f32; 2],
}

impl Tree {
    /// Turns the leaf `parent` into a split with two leaves without values. Returns the index of the left child.
    pub fn split(&mut self, parent: usize, split: NodeSplit) -> usize {
        let children = self.len();
        self.feature[parent] = split.feature;
        self.threshold[parent] = split.threshold;
        self.missing_right[parent] = split.missing_right;
        self.left[parent] = children as u32;
        for cover in split.covers {
            self.push_empty_leaf(cover);
        }
        children
    }

    /// Appends a leaf without values, with the total weight of its training rows. Returns its index.
    pub fn push_empty_leaf(&mut self, cover: f32) -> usize {
        self.feature.push(LEAF);
        self.threshold.push(0.0);
        self.missing_right.push(false);
        self.left.push(0);
        self.cover.push(cover);
        self.len() - 1
    }

    /// Appends the values of a leaf.
    pub fn set_values(&mut self, leaf: usize, values: &[f32]) {
        self.left[leaf] = (self.values.len() / values.len().max(1)) as u32;
        self.values.extend_from_slice(values);
    }

    /// Releases memory that is reserved for further nodes.
    pub fn shrink_to_fit(&mut self) {
        self.feature.shrink_to_fit();
        self.threshold.shrink_to_fit();
        self.missing_right.shrink_to_fit();
        self.left.shrink_to_fit();
        self.values.shrink_to_fit();
        self.cover.shrink_to_fit();
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
            let goes_right =
                if value.is_nan() { *self.missing_right.get(node)? } else { value > *self.threshold.get(node)? };
            node = left + usize::from(goes_right);
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
    fn equal_values_go_left_and_missing_values_to_the_side_of_the_node() {
        for missing_right in [false, true] {
            let mut tree = Tree::default();
            tree.push_empty_leaf(2.0);
            let split = NodeSplit { feature: 0, threshold: 1.5, missing_right, covers: [1.0; 2] };
            let left = tree.split(0, split);
            tree.set_values(left, &[0.25]);
            tree.set_values(left + 1, &[0.75]);
            let value_of = |value| tree.leaf(&[value], 1).unwrap()[0];
            assert_eq!([value_of(1.5), value_of(f32::NEG_INFINITY)], [0.25; 2]);
            assert_eq!([value_of(1.500_001), value_of(f32::INFINITY)], [0.75; 2]);
            assert_eq!(value_of(f32::NAN), if missing_right { 0.75 } else { 0.25 });
        }
    }
}
