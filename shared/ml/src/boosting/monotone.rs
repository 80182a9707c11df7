//! Monotone constraints: the prediction never falls, or never rises, with a feature.
//!
//! A split of a constrained column has its steps in the required order, and the mean of both steps is a bound for the steps
//! of all leaves below (the basic method of LightGBM and scikit-learn). So each tree keeps the constraint, and the sum of
//! the trees does, too.

use super::histogram::Sums;
use super::split::SplitRules;

/// How the prediction depends on a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The prediction never falls with the column.
    Rising,
    /// The prediction never rises with the column.
    Falling,
}

/// The bounds of the step of a node, in the units of the sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) lower: f64,
    pub(super) upper: f64,
}

impl Bounds {
    pub(super) const NONE: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    /// The step of a node: the Newton step within the bounds; 0 without a hessian.
    pub(super) fn step(self, rules: &SplitRules, sums: Sums) -> f64 {
        let hessian = sums.hessian() + rules.l2;
        let step = if hessian > 0.0 { -sums.gradient() / hessian } else { 0.0 };
        step.clamp(self.lower, self.upper)
    }

    /// The score of a node whose step is bounded; without bounds it is the gradient squared, divided by the hessian.
    pub(super) fn score(self, rules: &SplitRules, sums: Sums) -> f64 {
        let step = self.step(rules, sums);
        -step * (2.0 * sums.gradient() + (sums.hessian() + rules.l2) * step)
    }

    /// The bounds of both children of a split.
    pub(super) fn children(self, direction: Option<Direction>, steps: [f64; 2]) -> [Self; 2] {
        let middle = f64::midpoint(steps[0], steps[1]);
        let (below, above) = (Self { upper: middle, ..self }, Self { lower: middle, ..self });
        match direction {
            None => [self, self],
            Some(Direction::Rising) => [below, above],
            Some(Direction::Falling) => [above, below],
        }
    }
}

impl Direction {
    /// Whether a split with these steps on its left and right side keeps the constraint.
    pub(super) fn allows(self, [left, right]: [f64; 2]) -> bool {
        match self {
            Self::Rising => left <= right,
            Self::Falling => left >= right,
        }
    }
}
