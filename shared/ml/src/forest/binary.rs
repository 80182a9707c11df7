//! Binary classification with the Gini criterion (Breiman et al. 1984): the most common case. A bin packs both counts
//! into one word.

use super::target::{BinSplit, OccupiedBins, Target, each_bin, fill};

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
    /// The number of draws, and the draws of positive rows: the fields of [`Packed`] at half the width.
    draws: u16,
    positive: u16,
}

/// Draws in the upper 32 bits, positive draws in the lower 32 bits. Row numbers are u32, so both fit.
type Packed = u64;

impl BinaryTarget<'_> {
    fn class_weights(&self, packed: Packed) -> (f64, f64) {
        let (draws, positive) = ((packed >> 32) as u32, packed as u32);
        (f64::from(draws - positive) * self.weights[0], f64::from(positive) * self.weights[1])
    }
}

fn packed(sample: &Sample) -> Packed {
    (u64::from(sample.draws) << 32) | u64::from(sample.positive)
}

impl Target for BinaryTarget<'_> {
    type Sample = Sample;
    type Cell = Packed;
    type Total = Packed;

    fn width(&self) -> usize {
        1
    }

    fn sample(&self, row: u32, count: u32) -> Sample {
        // 65,536 draws of one row are practically impossible; further draws would be dropped.
        let draws = u16::try_from(count).unwrap_or(u16::MAX);
        Sample { row, draws, positive: draws * self.classes[row as usize] as u16 }
    }

    #[inline]
    fn row(sample: &Sample) -> usize {
        sample.row as usize
    }

    fn total(&self, samples: &[Sample]) -> Packed {
        samples.iter().map(packed).sum()
    }

    fn none(&self) -> Packed {
        0
    }

    #[inline]
    fn add(&self, total: &mut Packed, sample: &Sample) {
        *total += packed(sample);
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

    fn fill(&self, cells: &mut [Packed], column: &[u8], samples: &[Sample]) -> OccupiedBins {
        // Indexing an array of 256 with a u8 needs no bounds check.
        let Some(cells) = cells.first_chunk_mut::<256>() else { return [0; 4] };
        let add = |cells: &mut [Packed; 256], bin: u8, sample: &Sample| cells[usize::from(bin)] += packed(sample);
        fill::<Self, _>(cells, column, samples, add, |cells, bin| cells[usize::from(bin)] == 0)
    }

    fn scan<const CLEAR: bool>(
        &self,
        cells: &mut [Packed],
        bins: OccupiedBins,
        total: &Packed,
        min_leaf: u32,
    ) -> Option<BinSplit> {
        let cells = cells.first_chunk_mut::<256>()?;
        let all = Self::draws(total);
        let (negative, positive) = self.class_weights(*total);
        let mut best = None;
        let mut left: Packed = 0;
        let mut last = None;
        each_bin(bins, |bin| {
            if let Some(last) = last {
                let draws = Self::draws(&left);
                if draws >= min_leaf && all - draws >= min_leaf {
                    let (left_neg, left_pos) = self.class_weights(left);
                    let (right_neg, right_pos) = (negative - left_neg, positive - left_pos);
                    let (left_all, right_all) = (left_neg + left_pos, right_neg + right_pos);
                    // The sum of both scores with a common denominator saves a division.
                    let score = ((left_neg * left_neg + left_pos * left_pos) * right_all
                        + (right_neg * right_neg + right_pos * right_pos) * left_all)
                        / (left_all * right_all);
                    BinSplit::improve(&mut best, score, last, bin);
                }
            }
            left += cells[usize::from(bin)];
            if CLEAR {
                cells[usize::from(bin)] = 0;
            }
            last = Some(bin);
        });
        best
    }
}
