//! Trees as arrays, and the plain walker that the compiled ones are held against.

/// In [`Tree::feature`], marks a leaf.
pub const LEAF: u32 = u32::MAX;

/// One tree or several; their leaf values are averaged.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeEnsemble {
    /// Numbers per leaf, [`crate::model::Task::outputs`]: the positive class's share for two classes, every class's
    /// share for more, the mean for regression.
    pub outputs: usize,
    /// At least one.
    pub trees: Vec<Tree>,
}

/// One tree: three arrays with an entry per node, the root at 0, and the leaves' values.
///
/// A row goes left where `value <= threshold` and where the value is NaN (missing or unseen): missing sorts below
/// everything, as the trainer's bin 0 does. Children lie side by side, `left` and `left + 1`, behind their parent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// Index of the feature that is asked, or [`LEAF`].
    pub feature: Vec<u32>,
    /// Finite; 0 for a leaf.
    pub threshold: Vec<f32>,
    /// Index of the left child; for a leaf, its number, which picks its values.
    pub left: Vec<u32>,
    /// `outputs` numbers per leaf, by leaf number; finite.
    pub values: Vec<f32>,
}

impl Tree {
    /// Appends an inner node whose children are still to come and returns its index; set `left` when they are there.
    pub fn push_split(&mut self, feature: u32, threshold: f32, left: u32) -> usize {
        self.push(feature, threshold, left)
    }

    /// Appends a leaf with its values and returns its index.
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

    /// Whether there is no node at all; such a tree can't be saved.
    pub fn is_empty(&self) -> bool {
        self.feature.is_empty()
    }

    /// The values of the leaf a raw row ends in; `None` for a tree that [`crate::artifact`] would refuse.
    pub fn leaf(&self, raw: &[f32], outputs: usize) -> Option<&[f32]> {
        let mut node = 0_usize;
        for _ in 0..self.len() {
            let (feature, left) = (*self.feature.get(node)?, *self.left.get(node)? as usize);
            if feature == LEAF {
                return self.values.get(left.checked_mul(outputs)?..)?.get(..outputs);
            }
            let value = *raw.get(feature as usize)?;
            // NaN compares false, so it goes left.
            node = left + usize::from(value > *self.threshold.get(node)?);
        }
        None
    }
}

impl TreeEnsemble {
    /// The mean of the trees' leaf values for one raw row.
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

    /// Nodes of all trees.
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
        let answer = |value| tree.leaf(&[value], 1).unwrap()[0];
        assert_eq!([answer(1.5), answer(f32::NAN), answer(f32::NEG_INFINITY)], [0.25; 3]);
        assert_eq!([answer(1.500_001), answer(f32::INFINITY)], [0.75; 2]);
    }
}
