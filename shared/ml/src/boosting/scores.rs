//! The scores of all splits of a node by a column, several at once ([`crate::simd`]).

use super::histogram::Sums;
use crate::simd::dispatched;

/// What the splits of a node by a column have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// The sums of the node.
    pub(super) sums: Sums,
    /// The sums of the bins before the first one, which are on the right side.
    pub(super) before: Sums,
    /// The L2 penalty, in the units of the hessian.
    pub(super) l2: f64,
}

/// An integer from -2^51 to 2^51, added to the bits of this number, 2^52 + 2^51, gives the bits of the sum of both numbers.
/// CPUs without AVX-512 cannot convert several integers at once.
const INTEGER: f64 = 6_755_399_441_055_744.0;
/// The same for integers from 0 to 2^52: 2^52.
const NATURAL: f64 = 4_503_599_627_370_496.0;

dispatched! {
    /// Writes the score of a split after each bin: the sum over both sides of the squared gradient divided by the hessian,
    /// with the penalty. Returns the largest one. The lists are those of a cumulative histogram.
    scores => generic_scores(gradients: &[i64], hessians_and_rows: &[u64], node: Node, scores: &mut [f64]) -> f64
}

#[inline(always)]
fn generic_scores<const FMA: bool>(
    gradients: &[i64],
    hessians_and_rows: &[u64],
    node: Node,
    scores: &mut [f64],
) -> f64 {
    // Sums and differences of integers below 2^53 have no error.
    let (gradient, hessian) = (node.sums.gradient(), node.sums.hessian());
    let (integer, natural) = (INTEGER + node.before.gradient(), NATURAL + node.before.hessian());
    // Scores are not negative, and such numbers have the order of their bits.
    let mut largest = 0;
    for ((left_gradient, left_hessian), score) in gradients.iter().zip(hessians_and_rows).zip(scores) {
        let left_gradient = f64::from_bits((*left_gradient as u64).wrapping_add(INTEGER.to_bits())) - integer;
        let left_hessian = f64::from_bits((left_hessian >> 32) | NATURAL.to_bits()) - natural;
        let (right_gradient, right_hessian) = (gradient - left_gradient, hessian - left_hessian + node.l2);
        let left_hessian = left_hessian + node.l2;
        // A common denominator saves a division.
        *score = (left_gradient * left_gradient * right_hessian + right_gradient * right_gradient * left_hessian)
            / (left_hessian * right_hessian);
        largest = score.to_bits().cast_signed().max(largest);
    }
    f64::from_bits(largest.cast_unsigned())
}
