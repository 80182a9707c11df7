//! Regression: splits that minimize the variance (Breiman et al. 1984, chapter 8).

use super::target::{BinSplit, HistogramTarget, OccupiedBins, Target, best_histogram_split, each_bin, fill};

/// A number per row.
#[derive(Debug)]
pub(crate) struct NumberTarget {
    /// The targets minus their mean, for the precision of the sums.
    centred: Vec<f64>,
    mean: f64,
}

impl NumberTarget {
    /// Creates a target from finite numbers, at least one.
    pub(crate) fn new(targets: &[f64]) -> Self {
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        Self { centred: targets.iter().map(|target| target - mean).collect(), mean }
    }
}

/// A row of the bootstrap sample.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    row: u32,
    draws: u32,
    /// The centred target times the number of draws.
    sum: f64,
}

/// Sums over rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    draws: u32,
    sum: f64,
    /// Used only for whole nodes, to decide whether they are pure.
    squares: f64,
}

/// The sums of a bin.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cell {
    draws: u32,
    sum: f64,
}

impl Target for NumberTarget {
    type Sample = Sample;
    type Total = Sums;
    type Scratch = Vec<Cell>;

    fn scratch(&self) -> Vec<Cell> {
        vec![Cell::default(); 256]
    }

    fn outputs(&self) -> usize {
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
        samples.iter().for_each(|sample| self.add(&mut sums, sample));
        sums
    }

    fn none(&self) -> Sums {
        Sums::default()
    }

    #[inline]
    fn add(&self, sums: &mut Sums, sample: &Sample) {
        sums.draws += sample.draws;
        sums.sum += sample.sum;
        sums.squares += sample.sum * sample.sum / f64::from(sample.draws);
    }

    fn rest(&self, whole: &Sums, part: &Sums) -> Sums {
        Sums { draws: whole.draws - part.draws, sum: whole.sum - part.sum, squares: whole.squares - part.squares }
    }

    fn draws(total: &Sums) -> u32 {
        total.draws
    }

    fn is_pure(&self, total: &Sums) -> bool {
        // Rounding errors leave a small variance in pure nodes; splitting them would fit noise.
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

    fn best_split(
        &self,
        cells: &mut Vec<Cell>,
        column: &[u8],
        samples: &[Sample],
        total: &Sums,
        min_leaf: u32,
    ) -> (Option<BinSplit>, bool) {
        best_histogram_split(self, cells, column, samples, total, min_leaf)
    }
}

impl HistogramTarget for NumberTarget {
    type Cell = Cell;

    fn fill(&self, cells: &mut [Cell], column: &[u8], samples: &[Sample]) -> OccupiedBins {
        // Indexing an array of 256 with a u8 needs no bounds check.
        let Some(cells) = cells.first_chunk_mut::<256>() else { return [0; 4] };
        let add = |cells: &mut [Cell; 256], bin: u8, sample: &Sample| {
            let cell = &mut cells[usize::from(bin)];
            cell.draws += sample.draws;
            cell.sum += sample.sum;
        };
        fill::<Self, _>(cells, column, samples, add, |cells, bin| cells[usize::from(bin)].draws == 0)
    }

    fn scan<const CLEAR: bool>(
        &self,
        cells: &mut [Cell],
        bins: OccupiedBins,
        total: &Sums,
        min_leaf: u32,
    ) -> Option<BinSplit> {
        let mut best = None;
        let mut left = Cell::default();
        let mut last = None;
        each_bin(bins, |bin| {
            if let Some(last) = last {
                let right_draws = total.draws - left.draws;
                if left.draws >= min_leaf && right_draws >= min_leaf {
                    let right = total.sum - left.sum;
                    let score = left.sum * left.sum / f64::from(left.draws) + right * right / f64::from(right_draws);
                    BinSplit::improve(&mut best, score, last, bin);
                }
            }
            let cell = cells[usize::from(bin)];
            if CLEAR {
                cells[usize::from(bin)] = Cell::default();
            }
            left.draws += cell.draws;
            left.sum += cell.sum;
            last = Some(bin);
        });
        best
    }
}
