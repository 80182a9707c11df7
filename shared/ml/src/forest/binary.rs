//! Binary classification with the Gini criterion (Breiman et al. 1984): the most common case. A word packs both counts of
//! a bin.
//!
//! With the counts `l0`, `l1` on the left side and `n0`, `n1` in the node, the Gini gain of a split is
//! `2 (w0 w1)² / W · (l1 n0 - l0 n1)² / (L R)`, where `w0`, `w1` are the class weights and `W`, `L`, `R` the weights of the
//! node and of its sides. Only the last factors depend on the split, so a split costs one division. The numerator is an
//! integer, so equal splits have equal gains.

mod histogram;
mod small;

use super::target::{BinSplit, Target};
use crate::bins::Side;
use histogram::Histogram;
use small::SmallNode;

/// Two classes with their weights.
#[derive(Debug)]
pub(crate) struct BinaryTarget<'a> {
    /// 0 or 1 per row.
    pub(crate) classes: &'a [u32],
    /// The weight of a row of each class.
    pub(crate) weights: [f64; 2],
}

/// A row of the bootstrap sample.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    row: u32,
    /// The draws in the upper 16 bits, the draws of positive rows in the lower 16 bits.
    counts: u32,
}

/// Draws in the upper 32 bits, positive draws in the lower 32 bits. Row numbers are u32, so both fit.
type Packed = u64;

/// The working memory of one tree.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    histogram: Histogram,
    small: SmallNode,
}

impl Sample {
    fn draws(self) -> u16 {
        (self.counts >> 16) as u16
    }

    fn positive(self) -> u16 {
        self.counts as u16
    }

    fn packed(self) -> Packed {
        (Packed::from(self.draws()) << 32) | Packed::from(self.positive())
    }
}

/// A node whose splits are compared.
#[derive(Debug, Clone, Copy)]
struct Node {
    draws: i32,
    negative: i32,
    positive: i32,
    /// The class weights, and the weight of the node.
    weights: [f64; 2],
    weight: f64,
    /// The class weights with fewer digits.
    short_weights: [f32; 2],
    /// Minimum number of draws on the left side, and on the right side.
    min_leaf: [i32; 2],
}

/// What [`Node::merit`] returns for a split that leaves too few draws on a side.
const REFUSED: f32 = -1.0;

impl Node {
    fn new((draws, positive): (u32, u32), weights: [f64; 2], min_leaf: u32) -> Self {
        // Draws are below 2^31, as many as rows. They are signed, because vector instructions convert only signed numbers.
        let [draws, positive, min_leaf] = [draws, positive, min_leaf.max(1)].map(u32::cast_signed);
        let negative = draws - positive;
        let weight = f64::from(negative) * weights[0] + f64::from(positive) * weights[1];
        let short_weights = weights.map(|weight| weight as f32);
        Self { draws, negative, positive, weights, weight, short_weights, min_leaf: [min_leaf; 2] }
    }

    /// The part of the gain that depends on the split, for the draws on the left side and `l1 n0 - l0 n1`. Without branches
    /// and with short numbers, for vector instructions.
    #[inline(always)]
    fn merit(&self, draws: i32, positive: i32, difference: f32) -> f32 {
        let weight = |negative: i32, positive: i32| {
            negative as f32 * self.short_weights[0] + positive as f32 * self.short_weights[1]
        };
        let left = weight(draws - positive, positive);
        // Not the rest of the weight of the node, whose rounding error can be as large as a small side.
        let right = weight(self.negative - (draws - positive), self.positive - positive);
        let fits = (draws >= self.min_leaf[0]) & (self.draws - draws >= self.min_leaf[1]);
        let merit = difference * difference / (left * right);
        if fits { merit } else { REFUSED }
    }

    /// `l1 n0 - l0 n1` for nodes with fewer than 65,536 draws: no product has more than 31 bits.
    #[inline(always)]
    fn difference(&self, draws: i32, positive: i32) -> f32 {
        (positive * self.negative - (draws - positive) * self.positive) as f32
    }

    /// The merit with all digits, which decides between columns.
    fn exact_merit(&self, draws: i32, positive: i32) -> f64 {
        let [negative, positive] = [draws - positive, positive].map(f64::from);
        let difference = positive * f64::from(self.negative) - negative * f64::from(self.positive);
        let left = negative * self.weights[0] + positive * self.weights[1];
        difference * difference / (left * (self.weight - left))
    }

    /// The same node, with this number of draws with missing values that all go right. They do not go there alone: the
    /// opposite, in which they go left alone, is already a split.
    #[inline(always)]
    fn with_missing_right(self, missing: i32) -> Self {
        Self { min_leaf: [self.min_leaf[0], self.min_leaf[1].max(missing + 1)], ..self }
    }
}

/// The best split of a column with missing values on one side.
#[derive(Debug, Clone, Copy)]
struct Found {
    merit: f64,
    /// The highest bin on the left side.
    last: u8,
    /// The lowest bin on the right side.
    next: u8,
}

/// The better one of the best splits with missing values on the left and on the right side.
fn better(left: Option<Found>, right: Option<Found>, has_missing: bool) -> Option<(Found, Option<Side>)> {
    match (left, right) {
        _ if !has_missing => Some((left?, None)),
        (Some(left), Some(right)) if right.merit > left.merit => Some((right, Some(Side::Right))),
        (Some(left), _) => Some((left, Some(Side::Left))),
        (None, right) => Some((right?, Some(Side::Right))),
    }
}

impl BinaryTarget<'_> {
    fn class_weights(&self, packed: Packed) -> (f64, f64) {
        let (draws, positive) = ((packed >> 32) as u32, packed as u32);
        (f64::from(draws - positive) * self.weights[0], f64::from(positive) * self.weights[1])
    }
}

impl Target for BinaryTarget<'_> {
    type Sample = Sample;
    type Total = Packed;
    type Scratch = Scratch;

    fn scratch(&self) -> Scratch {
        Scratch::default()
    }

    fn outputs(&self) -> usize {
        1
    }

    fn sample(&self, row: u32, count: u32) -> Sample {
        // 65,536 draws of one row are practically impossible; further draws would be dropped.
        let draws = count.min(u32::from(u16::MAX));
        Sample { row, counts: (draws << 16) | (draws * self.classes[row as usize]) }
    }

    #[inline]
    fn row(sample: &Sample) -> usize {
        sample.row as usize
    }

    fn total(&self, samples: &[Sample]) -> Packed {
        samples.iter().map(|sample| sample.packed()).sum()
    }

    fn none(&self) -> Packed {
        0
    }

    #[inline]
    fn add(&self, total: &mut Packed, sample: &Sample) {
        *total += sample.packed();
    }

    fn rest(&self, whole: &Packed, part: &Packed) -> Packed {
        whole - part
    }

    fn draws(total: &Packed) -> u32 {
        (total >> 32) as u32
    }

    fn is_pure(&self, total: &Packed) -> bool {
        let positive = *total as u32;
        positive == 0 || positive == Self::draws(total)
    }

    fn leaf(&self, total: &Packed, out: &mut Vec<f32>) {
        let (negative, positive) = self.class_weights(*total);
        out.push((positive / (negative + positive)) as f32);
    }

    fn score(&self, total: &Packed) -> f64 {
        let (negative, positive) = self.class_weights(*total);
        (negative * negative + positive * positive) / (negative + positive)
    }

    fn weight(&self, total: &Packed) -> f64 {
        let (negative, positive) = self.class_weights(*total);
        negative + positive
    }

    fn start_node(&self, scratch: &mut Scratch, samples: &[Sample], total: &Packed) {
        scratch.small.start(samples, Self::draws(total));
    }

    fn best_split(
        &self,
        scratch: &mut Scratch,
        column: &[u8],
        samples: &[Sample],
        total: &Packed,
        min_leaf: u32,
    ) -> (Option<BinSplit>, bool) {
        let (draws, positive) = (Self::draws(total), *total as u32);
        let node = Node::new((draws, positive), self.weights, min_leaf);
        let (found, varies) = if scratch.small.is_used() {
            scratch.small.best_split(column, samples, &node)
        } else {
            scratch.histogram.best_split(column, samples, draws, &node)
        };
        let split = found.map(|(Found { merit, last, next }, missing)| {
            let factor = 2.0 * (self.weights[0] * self.weights[1]).powi(2) / node.weight;
            BinSplit { score: self.score(total) + factor * merit, bin: BinSplit::between(last, next), missing }
        });
        (split, varies)
    }
}

#[cfg(test)]
mod tests;
