//! Hierarchical shrinkage: the value of each node is shrunk towards the value of its parent, the more so the fewer rows the
//! parent has (Agarwal, Tan, Ronen, Singh and Yu, "Hierarchical Shrinkage", ICML 2022). Leaves of few rows keep their
//! splits, without probabilities of 0 and 1.

use crate::model::{LEAF, Tree};

/// Shrinks the values of the leaves. `strength` is a number of rows: with as many rows in a node, half of the difference
/// between the node and its child remains. `outputs` is the number of values per leaf.
pub(super) fn shrink(tree: &mut Tree, outputs: usize, strength: f64) {
    if strength <= 0.0 {
        return;
    }
    let nodes = tree.len();
    // The means of the training rows, from the leaves up: children are after their parent.
    let mut values = vec![0.0; nodes * outputs];
    for node in (0..nodes).rev() {
        let left = tree.left[node] as usize;
        for output in 0..outputs {
            values[node * outputs + output] = if tree.feature[node] == LEAF {
                f64::from(tree.values[left * outputs + output])
            } else {
                let [of_left, of_right] = [left, left + 1].map(|child| f64::from(tree.cover[child]));
                let sum = values[left * outputs + output] * of_left + values[(left + 1) * outputs + output] * of_right;
                sum / (of_left + of_right)
            };
        }
    }
    // The shrunk values, from the root down.
    let means = values.clone();
    for node in 0..nodes {
        let left = tree.left[node] as usize;
        if tree.feature[node] == LEAF {
            for output in 0..outputs {
                tree.values[left * outputs + output] = values[node * outputs + output] as f32;
            }
            continue;
        }
        let share = 1.0 / (1.0 + strength / f64::from(tree.cover[node]));
        for child in [left, left + 1] {
            for output in 0..outputs {
                let difference = means[child * outputs + output] - means[node * outputs + output];
                values[child * outputs + output] = values[node * outputs + output] + difference * share;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NodeSplit;

    #[test]
    fn values_are_shrunk_towards_those_of_all_ancestors() {
        // 8 rows with a mean of 0.5: 4 with 1, and 4 with a mean of 0, one of them with 1.5 and three with -0.5.
        let mut tree = Tree::default();
        tree.push_empty_leaf(8.0);
        let split = |covers| NodeSplit { feature: 0, threshold: 0.0, missing_right: false, covers };
        let left = tree.split(0, split([4.0, 4.0]));
        tree.set_values(left, &[1.0]);
        let inner = tree.split(left + 1, split([1.0, 3.0]));
        tree.set_values(inner, &[1.5]);
        tree.set_values(inner + 1, &[-0.5]);
        let mut unchanged = tree.clone();
        shrink(&mut unchanged, 1, 0.0);
        assert_eq!(unchanged, tree);
        // With a strength of 8 rows half of the difference remains at the root, and a third in the node of 4 rows.
        shrink(&mut tree, 1, 8.0);
        assert_eq!(tree.values, [0.75, 0.75, 0.25 - 0.5 / 3.0].map(|value: f64| value as f32));
    }
}
