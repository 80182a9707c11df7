//! Numeric targets, split by variance (Breiman et al. 1984, chapter 8).

use super::target::{Cut, Occupied, Target, each_bin, fill};

/// A number per row.
#[derive(Debug)]
pub(crate) struct NumberTarget {
    /// The targets less their mean: what is summed stays small, whatever the target's level.
    centred: Vec<f64>,
    mean: f64,
}

impl NumberTarget {
    /// A target of finite numbers, at least one.
    pub(crate) fn new(targets: &[f64]) -> Self {
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        Self { centred: targets.iter().map(|target| target - mean).collect(), mean }
    }
}

/// A drawn row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    row: u32,
    draws: u32,
    /// The centred target times the draws.
    sum: f64,
}

/// Sums over rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    draws: u32,
    sum: f64,
    /// Kept for whole nodes alone, to see when they are pure.
    squares: f64,
}

/// What is summed up in a bin: draws and targets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cell {
    draws: u32,
    sum: f64,
}

impl Target for NumberTarget {
    type Sample = Sample;
    type Cell = Cell;
    type Total = Sums;

    fn width(&self) -> usize {
        1
    }

    fn sample(&self, row: u32, count: u32) -> Sample {
        Sample { row, draws: count, sum: self.centred[row as usize] * f64::from(count) }
    }

    #[inline]
    fn row(sample: &Sample) -> usize {
        sample.row as usize
    }

    fn total(&self, samples: &[Sample]) -> Sums {
        let mut sums = Sums::default();
        for sample in samples {
            sums.draws += sample.draws;
            sums.sum += sample.sum;
            sums.squares += sample.sum * sample.sum / f64::from(sample.draws);
        }
        sums
    }

    fn rest(&self, whole: &Sums, part: &Sums) -> Sums {
        Sums { draws: whole.draws - part.draws, sum: whole.sum - part.sum, squares: whole.squares - part.squares }
    }

    fn draws(total: &Sums) -> u32 {
        total.draws
    }

    fn is_pure(&self, total: &Sums) -> bool {
        // Rounding leaves a little variance where there is none; cutting that would fit noise in the last digits.
        total.squares - self.score(total) <= total.squares * 1e-12
    }

    fn leaf(&self, total: &Sums, out: &mut Vec<f32>) {
        out.push((self.mean + total.sum / f64::from(total.draws)) as f32);
    }

    fn score(&self, total: &Sums) -> f64 {
        total.sum * total.sum / f64::from(total.draws)
    }

    fn weight(&self, total: &Sums) -> f64 {
        f64::from(total.draws)
    }

    fn fill(&self, cells: &mut [Cell], column: &[u8], samples: &[Sample]) -> Occupied {
        // An array of 256 needs no bounds check for an index of eight bits.
        let Some(cells) = cells.first_chunk_mut::<256>() else { return [0; 4] };
        let add = |cells: &mut [Cell; 256], bin: u8, sample: &Sample| {
            let cell = &mut cells[usize::from(bin)];
            cell.draws += sample.draws;
            cell.sum += sample.sum;
        };
        fill::<Self, _>(cells, column, samples, add, |cells, bin| cells[usize::from(bin)].draws == 0)
    }

    fn scan(&self, cells: &mut [Cell], occupied: Occupied, total: &Sums, min_leaf: u32) -> Option<Cut> {
        let mut best = None;
        let mut left = Cell::default();
        let mut last = None;
        each_bin(occupied, |bin| {
            if let Some(last) = last {
                let right_draws = total.draws - left.draws;
                if left.draws >= min_leaf && right_draws >= min_leaf {
                    let right = total.sum - left.sum;
                    let score = left.sum * left.sum / f64::from(left.draws) + right * right / f64::from(right_draws);
                    Cut::improve(&mut best, score, last, bin);
                }
            }
            let cell = std::mem::take(&mut cells[usize::from(bin)]);
            left.draws += cell.draws;
            left.sum += cell.sum;
            last = Some(bin);
        });
        best
    }
}
