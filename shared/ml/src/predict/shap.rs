//! Exact Shapley values of the prediction of a tree: how much each feature of a row moves the prediction away from the mean.
//!
//! The value of a set of features is the expected leaf value when only these features are known: a node that tests another
//! feature averages its children by their training weights (TreeSHAP, Lundberg et al., "From local explanations to global
//! understanding with explainable AI for trees", Nature Machine Intelligence 2020, the path-dependent form).
//!
//! One leaf with the value `v` contributes `v · Π f_j` to this value, where `j` runs over the features that its path tests.
//! `f_j` is `passed_j` for a known feature (1 if the row passes all its tests on the path, else 0) and `share_j` for another
//! one (the share of training weight that passes them). The Shapley value of such a product is an integral (Owen,
//! "Multilinear extensions of games", Management Science 1972):
//!
//! ```text
//! v · (passed_i − share_i) · ∫₀¹ Π_{j ≠ i} ((1 − t) · share_j + t · passed_j) dt
//! ```
//!
//! The integrand is a polynomial, so Gauss-Legendre quadrature is exact, with half as many points as features on the path.
//! The sums over the leaves below a node are shared, so a tree costs `nodes × points` steps (as in Yu, Bifet, Read, Xu,
//! "Linear TreeShap", NeurIPS 2022).

use super::node::Node;

/// Points in (0, 1) and weights of a quadrature.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quadrature {
    points: Vec<f64>,
    weights: Vec<f64>,
}

impl Quadrature {
    /// The Gauss-Legendre quadrature with the fewest points that is exact for polynomials of this degree.
    pub(super) fn exact_for(degree: usize) -> Self {
        let count = degree / 2 + 1;
        let (mut points, mut weights) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for i in 0..count {
            let (root, derivative) = legendre_root(count, i);
            points.push(f64::midpoint(root, 1.0));
            // The interval is (0, 1) instead of (-1, 1), which halves the weights.
            weights.push(1.0 / ((1.0 - root * root) * derivative * derivative));
        }
        Self { points, weights }
    }

    /// The points with their weights.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().copied().zip(self.weights.iter().copied())
    }
}

/// Root `i` of the Legendre polynomial of this degree, and the derivative there, by Newton's method.
fn legendre_root(degree: usize, i: usize) -> (f64, f64) {
    let n = degree as f64;
    let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
    let mut derivative = 1.0;
    // The start is so close to the root that a few steps are enough.
    for _ in 0..20 {
        let (mut last, mut value) = (1.0, x);
        for k in 2..=degree {
            let k = k as f64;
            (last, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * last) / k);
        }
        derivative = n * (x * value - last) / (x * x - 1.0);
        let step = value / derivative;
        x -= step;
        if step.abs() < 1e-15 {
            break;
        }
    }
    (x, derivative)
}

/// The nodes of one tree, with the training weight of each, and a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightedTree<'a, N: Node> {
    pub(super) nodes: &'a [N],
    pub(super) payloads: &'a [u32],
    pub(super) covers: &'a [f32],
    /// The keys of the row.
    pub(super) keys: &'a [N::Key],
    /// The feature of each column of keys, without that of the leaves.
    pub(super) feature_of: &'a [u32],
}

/// What the trees of a model have in common for one row, and buffers.
#[derive(Debug)]
pub(super) struct Explainer {
    quadrature: Quadrature,
    /// Per feature, its tests on the path to the current node.
    tests: Vec<Tests>,
    /// Per depth and point: the product over the features on the path.
    products: Vec<f64>,
    /// Per depth and point: the sum over the leaves below the current node.
    sums: Vec<f64>,
    steps: Vec<Step>,
    /// The sum of the Shapley values of the explained trees, per feature.
    pub(super) contributions: Vec<f64>,
    /// The sum of the mean predictions of the explained trees.
    pub(super) baseline: f64,
}

/// The tests of a feature on a path.
#[derive(Debug, Clone, Copy)]
struct Tests {
    /// The share of training weight that passes all tests; more than 0.
    share: f64,
    /// 1 if the row passes all tests, else 0.
    passed: f64,
}

impl Tests {
    const NONE: Self = Self { share: 1.0, passed: 1.0 };

    /// The factor of the feature at the point `t`; more than 0, because `t` is less than 1.
    fn factor(self, t: f64) -> f64 {
        (1.0 - t) * self.share + t * self.passed
    }

    /// The derivative of the factor, divided by the factor.
    fn relative_slope(self, t: f64) -> f64 {
        (self.passed - self.share) / self.factor(t)
    }
}

/// The branch from a node to a child.
#[derive(Debug, Clone, Copy)]
struct Branch {
    feature: usize,
    /// The share of the node's training weight in the child.
    share: f64,
    passed: bool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Enter { node: usize, depth: usize, branch: Option<Branch> },
    Leave { depth: usize, feature: usize, before: Tests },
}

impl Explainer {
    /// For a model with this number of features; `deepest` is the depth of the deepest tree.
    pub(super) fn new(features: usize, deepest: u32) -> Self {
        let on_path = features.min(deepest as usize);
        Self {
            quadrature: Quadrature::exact_for(on_path.saturating_sub(1)),
            tests: vec![Tests::NONE; features],
            products: Vec::new(),
            sums: Vec::new(),
            steps: Vec::new(),
            contributions: vec![0.0; features],
            baseline: 0.0,
        }
    }

    /// Adds the Shapley values of a tree. `value` is the leaf value of a payload.
    pub(super) fn add<N: Node>(&mut self, tree: WeightedTree<'_, N>, value: impl Fn(u32) -> f64) {
        let points = self.quadrature.points.len();
        // A tree can be deep, so there is no recursion.
        self.steps.push(Step::Enter { node: 0, depth: 0, branch: None });
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Enter { node, depth, branch } => {
                    let end = (depth + 1) * points;
                    if self.products.len() < end {
                        self.products.resize(end, 1.0);
                        self.sums.resize(end, 0.0);
                    }
                    self.sums[end - points..end].fill(0.0);
                    if let Some(branch) = branch {
                        self.follow(branch, depth);
                    } else {
                        self.products[..points].fill(1.0);
                    }
                    self.enter(tree, node, depth, &value);
                }
                Step::Leave { depth, feature, before } => self.leave(depth, feature, before),
            }
        }
    }

    /// Updates the products for a branch to a node of this depth.
    fn follow(&mut self, branch: Branch, depth: usize) {
        let points = &self.quadrature.points;
        let before = self.tests[branch.feature];
        let after =
            Tests { share: before.share * branch.share, passed: if branch.passed { before.passed } else { 0.0 } };
        self.tests[branch.feature] = after;
        let (above, own) = self.products.split_at_mut(depth * points.len());
        let above = &above[(depth - 1) * points.len()..];
        for ((own, above), t) in own.iter_mut().zip(above).zip(points) {
            *own = above / before.factor(*t) * after.factor(*t);
        }
        self.steps.push(Step::Leave { depth, feature: branch.feature, before });
    }

    /// Adds the value of a leaf, or enters the children of a split.
    fn enter<N: Node>(&mut self, tree: WeightedTree<'_, N>, at: usize, depth: usize, value: &impl Fn(u32) -> f64) {
        let (node, cover) = (&tree.nodes[at], f64::from(tree.covers[at]));
        if node.column() as usize == tree.feature_of.len() {
            let (value, points) = (value(tree.payloads[at]), self.quadrature.points.len());
            let range = depth * points..(depth + 1) * points;
            for (sum, product) in self.sums[range.clone()].iter_mut().zip(&self.products[range]) {
                *sum = value * product;
            }
            self.baseline += value * cover / f64::from(tree.covers[0]);
            return;
        }
        let (column, left) = (node.column() as usize, node.left() as usize);
        let goes_right = node.goes_right(tree.keys[column]);
        for (child, passed) in [(left + 1, goes_right), (left, !goes_right)] {
            let share = f64::from(tree.covers[child]) / cover;
            let branch = Branch { feature: tree.feature_of[column] as usize, share, passed };
            self.steps.push(Step::Enter { node: child, depth: depth + 1, branch: Some(branch) });
        }
    }

    /// Adds the contribution of the branch to a node, whose subtree is done.
    fn leave(&mut self, depth: usize, feature: usize, before: Tests) {
        let Quadrature { points, weights } = &self.quadrature;
        let after = std::mem::replace(&mut self.tests[feature], before);
        let (above, own) = self.sums.split_at_mut(depth * points.len());
        let above = &mut above[(depth - 1) * points.len()..];
        let mut contribution = 0.0;
        for (((own, above), t), weight) in own.iter().zip(above).zip(points).zip(weights) {
            // Earlier tests of the feature have added their own difference, so the sum over the path is that of the last
            // test.
            contribution += weight * own * (after.relative_slope(*t) - before.relative_slope(*t));
            *above += own;
        }
        self.contributions[feature] += contribution;
    }
}

#[cfg(test)]
mod tests {
    use super::super::flat::FlatForest;
    use super::*;
    use crate::artifact::samples::{self, Stream};
    use crate::model::{LEAF, Tree};

    #[test]
    fn quadratures_are_exact_for_polynomials_of_their_degree() {
        for degree in 0..60 {
            let quadrature = Quadrature::exact_for(degree);
            for power in 0..=degree as i32 {
                let points = quadrature.points.iter().zip(&quadrature.weights);
                let integral: f64 = points.map(|(point, weight)| weight * point.powi(power)).sum();
                assert!((integral - 1.0 / f64::from(power + 1)).abs() < 1e-13, "degree {degree}, power {power}");
            }
        }
    }

    /// The feature of each of six raw values.
    const FEATURE_OF: [u32; 6] = [0, 1, 1, 2, 3, 3];
    const FEATURES: usize = 4;

    /// The expected value of a tree if the features in `known`, a set of bits, are known.
    fn expected(tree: &Tree, node: usize, row: &[f32], known: usize, output: usize, outputs: usize) -> f64 {
        let left = tree.left[node] as usize;
        if tree.feature[node] == LEAF {
            return f64::from(tree.values[left * outputs + output]);
        }
        let column = tree.feature[node] as usize;
        let of_child = |child| expected(tree, child, row, known, output, outputs);
        if known >> FEATURE_OF[column] & 1 == 1 {
            let value = row[column];
            let right = if value.is_nan() { tree.missing_right[node] } else { value > tree.threshold[node] };
            return of_child(left + usize::from(right));
        }
        let share = |child: usize| f64::from(tree.cover[child]) / f64::from(tree.cover[node]);
        share(left) * of_child(left) + share(left + 1) * of_child(left + 1)
    }

    /// Shapley's definition: the mean difference over all orders of the features.
    fn shapley(value: impl Fn(usize) -> f64) -> Vec<f64> {
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        let contribution = |feature: usize| {
            let without = (0..1 << FEATURES).filter(|set: &usize| set >> feature & 1 == 0);
            let weighted = without.map(|set| {
                let size = set.count_ones() as usize;
                let weight = factorial(size) * factorial(FEATURES - size - 1) / factorial(FEATURES);
                weight * (value(set | 1 << feature) - value(set))
            });
            weighted.sum()
        };
        (0..FEATURES).map(contribution).collect()
    }

    #[test]
    fn contributions_are_the_shapley_values_by_their_definition() {
        let random = &mut Stream(5);
        for outputs in [1, 3] {
            for _ in 0..30 {
                let ensemble = samples::forest(random, FEATURE_OF.len(), outputs, 3, 40);
                let forest = FlatForest::compile(&ensemble, FEATURE_OF.len());
                let value = |_: usize| match random.below(8) {
                    7 => f32::NAN,
                    number => number as f32 - 2.0,
                };
                let row: Vec<f32> = (0..FEATURE_OF.len()).map(value).collect();
                for output in 0..outputs {
                    let mut explainer = Explainer::new(FEATURES, forest.deepest());
                    forest.explain(&row, output, &FEATURE_OF, &mut explainer);
                    let value = |known| {
                        let trees = ensemble.trees.iter();
                        trees.map(|tree| expected(tree, 0, &row, known, output, outputs)).sum::<f64>()
                    };
                    assert!((explainer.baseline - value(0)).abs() < 1e-9);
                    for (found, expected) in explainer.contributions.iter().zip(shapley(value)) {
                        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
                    }
                }
            }
        }
    }
}
