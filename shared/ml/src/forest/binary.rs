//! Two classes, split by the Gini index (Breiman et al. 1984): the most common case, with a bin's two counts packed in
//! one word.

use super::target::{Cut, Occupied, Target, each_bin, fill};

/// Two classes with their weights.
#[derive(Debug)]
pub(crate) struct BinaryTarget<'a> {
    /// 0 or 1 per row.
    pub(crate) classes: &'a [u32],
    /// What a row of each class counts.
    pub(crate) weights: [f64; 2],
}

/// A drawn row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    row: u32,
    /// Draws in the upper half, draws that are positive in the lower: what is added to a bin, halved in width.
    draws: u16,
    positive: u16,
}

/// Draws in the upper 32 bits, positive draws in the lower: at most 2^32 of either, which rows as `u32` ensure.
type Packed = u64;

impl BinaryTarget<'_> {
    fn sides(&self, packed: Packed) -> (f64, f64) {
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
        // A row drawn 65,536 times over is past belief; were it to happen, the draws beyond are dropped.
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
        let (negative, positive) = self.sides(*total);
        out.push((positive / (negative + positive)) as f32);
    }

    fn score(&self, total: &Packed) -> f64 {
        let (negative, positive) = self.sides(*total);
        (negative * negative + positive * positive) / (negative + positive)
    }

    fn weight(&self, total: &Packed) -> f64 {
        let (negative, positive) = self.sides(*total);
        negative + positive
    }

    fn fill(&self, cells: &mut [Packed], column: &[u8], samples: &[Sample]) -> Occupied {
        // An array of 256 needs no bounds check for an index of eight bits.
        let Some(cells) = cells.first_chunk_mut::<256>() else { return [0; 4] };
        let add = |cells: &mut [Packed; 256], bin: u8, sample: &Sample| cells[usize::from(bin)] += packed(sample);
        fill::<Self, _>(cells, column, samples, add, |cells, bin| cells[usize::from(bin)] == 0)
    }

    fn scan(&self, cells: &mut [Packed], occupied: Occupied, total: &Packed, min_leaf: u32) -> Option<Cut> {
        let cells = cells.first_chunk_mut::<256>()?;
        let all = Self::draws(total);
        let (negative, positive) = self.sides(*total);
        let mut best = None;
        let mut left: Packed = 0;
        let mut last = None;
        each_bin(occupied, |bin| {
            if let Some(last) = last {
                let draws = Self::draws(&left);
                if draws >= min_leaf && all - draws >= min_leaf {
                    let (left_neg, left_pos) = self.sides(left);
                    let (right_neg, right_pos) = (negative - left_neg, positive - left_pos);
                    let (left_all, right_all) = (left_neg + left_pos, right_neg + right_pos);
                    // Both sides' scores over one common denominator: a division less in the innermost loop.
                    let score = ((left_neg * left_neg + left_pos * left_pos) * right_all
                        + (right_neg * right_neg + right_pos * right_pos) * left_all)
                        / (left_all * right_all);
                    Cut::improve(&mut best, score, last, bin);
                }
            }
            left += std::mem::take(&mut cells[usize::from(bin)]);
            last = Some(bin);
        });
        best
    }
}
