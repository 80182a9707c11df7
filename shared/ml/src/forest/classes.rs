//! Classification with any number of classes, with the Gini or entropy criterion.

use super::target::{BinSplit, HistogramTarget, OccupiedBins, Target, best_histogram_split, each_bin, fill};

/// The criterion that a split minimizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// Gini impurity (Breiman et al. 1984).
    Gini,
    /// Entropy (Quinlan 1986).
    Entropy,
}

/// Several classes with their weights.
#[derive(Debug)]
pub(crate) struct ClassTarget<'a> {
    /// A class index per row, below the number of weights.
    pub(crate) classes: &'a [u32],
    /// The weight of a row of each class.
    pub(crate) weights: &'a [f64],
    /// The split criterion.
    pub(crate) criterion: Criterion,
}

/// A row of the bootstrap sample.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    row: u32,
    draws: u16,
    class: u16,
}

/// A split criterion. A type parameter instead of a value, so that the innermost loop has no branch.
trait Impurity {
    /// The term of one class with this weight.
    fn share(weight: f64) -> f64;
    /// The score of one side of a split, from the sum of its terms and its weight. A higher score is purer.
    fn side(shares: f64, weight: f64) -> f64;
}

struct Gini;
impl Impurity for Gini {
    #[inline]
    fn share(weight: f64) -> f64 {
        weight * weight
    }

    #[inline]
    fn side(shares: f64, weight: f64) -> f64 {
        shares / weight
    }
}

struct Entropy;
impl Impurity for Entropy {
    #[inline]
    fn share(weight: f64) -> f64 {
        if weight > 0.0 { weight * weight.ln() } else { 0.0 }
    }

    #[inline]
    fn side(shares: f64, weight: f64) -> f64 {
        shares - weight * weight.ln()
    }
}

impl ClassTarget<'_> {
    fn shares<I: Impurity>(&self, counts: &[u32]) -> f64 {
        counts.iter().zip(self.weights).map(|(count, weight)| I::share(f64::from(*count) * weight)).sum()
    }

    fn scan_by<I: Impurity, const CLEAR: bool>(
        &self,
        cells: &mut [u32],
        bins: OccupiedBins,
        total: &[u32],
        min_leaf: u32,
    ) -> Option<BinSplit> {
        let width = self.weights.len();
        // The cells after the bins are free and hold the counts of the left side.
        let (cells, left) = cells.split_at_mut(256 * width);
        left.fill(0);
        let all: u32 = total.iter().sum();
        let weight = self.weight_of(total);
        let (mut left_draws, mut left_weight, mut left_shares) = (0, 0.0, 0.0);
        let mut right_shares = self.shares::<I>(total);
        let mut best = None;
        let mut last = None;
        each_bin(bins, |bin| {
            if let Some(last) = last
                && left_draws >= min_leaf
                && all - left_draws >= min_leaf
            {
                let score = I::side(left_shares, left_weight) + I::side(right_shares, weight - left_weight);
                BinSplit::improve(&mut best, score, last, bin);
            }
            let counts = &mut cells[usize::from(bin) * width..][..width];
            for (((count, left), total), of_class) in counts.iter_mut().zip(&mut *left).zip(total).zip(self.weights) {
                if *count > 0 {
                    let (before, after) = (*left, *left + *count);
                    let share = |draws: u32| I::share(f64::from(draws) * of_class);
                    left_shares += share(after) - share(before);
                    right_shares += share(total - after) - share(total - before);
                    left_weight += f64::from(*count) * of_class;
                    left_draws += *count;
                    *left = after;
                    if CLEAR {
                        *count = 0;
                    }
                }
            }
            last = Some(bin);
        });
        best
    }

    fn weight_of(&self, counts: &[u32]) -> f64 {
        counts.iter().zip(self.weights).map(|(count, weight)| f64::from(*count) * weight).sum()
    }
}

impl Target for ClassTarget<'_> {
    type Sample = Sample;
    /// Draws per class.
    type Total = Box<[u32]>;
    /// A cell per bin and class, and the cells of the left side of [`HistogramTarget::scan`].
    type Scratch = Vec<u32>;

    fn scratch(&self) -> Vec<u32> {
        vec![0; 257 * self.weights.len()]
    }

    fn outputs(&self) -> usize {
        self.weights.len()
    }

    fn sample(&self, row: u32, count: u32) -> Sample {
        let class = self.classes[row as usize] as u16;
        Sample { row, draws: u16::try_from(count).unwrap_or(u16::MAX), class }
    }

    #[inline]
    fn row(sample: &Sample) -> usize {
        sample.row as usize
    }

    fn total(&self, samples: &[Sample]) -> Box<[u32]> {
        let mut counts = vec![0; self.weights.len()];
        for sample in samples {
            counts[usize::from(sample.class)] += u32::from(sample.draws);
        }
        counts.into()
    }

    fn none(&self) -> Box<[u32]> {
        vec![0; self.weights.len()].into()
    }

    #[inline]
    fn add(&self, total: &mut Box<[u32]>, sample: &Sample) {
        total[usize::from(sample.class)] += u32::from(sample.draws);
    }

    fn rest(&self, whole: &Box<[u32]>, part: &Box<[u32]>) -> Box<[u32]> {
        whole.iter().zip(part).map(|(whole, part)| whole - part).collect()
    }

    fn draws(total: &Box<[u32]>) -> u32 {
        total.iter().sum()
    }

    fn is_pure(&self, total: &Box<[u32]>) -> bool {
        total.iter().filter(|count| **count > 0).count() <= 1
    }

    fn leaf(&self, total: &Box<[u32]>, out: &mut Vec<f32>) {
        let all = self.weight_of(total);
        out.extend(total.iter().zip(self.weights).map(|(count, weight)| (f64::from(*count) * weight / all) as f32));
    }

    fn score(&self, total: &Box<[u32]>) -> f64 {
        match self.criterion {
            Criterion::Gini => Gini::side(self.shares::<Gini>(total), self.weight_of(total)),
            Criterion::Entropy => Entropy::side(self.shares::<Entropy>(total), self.weight_of(total)),
        }
    }

    fn weight(&self, total: &Box<[u32]>) -> f64 {
        self.weight_of(total)
    }

    fn best_split(
        &self,
        cells: &mut Vec<u32>,
        column: &[u8],
        samples: &[Sample],
        total: &Box<[u32]>,
        min_leaf: u32,
    ) -> (Option<BinSplit>, bool) {
        best_histogram_split(self, cells, column, samples, total, min_leaf)
    }
}

impl HistogramTarget for ClassTarget<'_> {
    type Cell = u32;

    fn fill(&self, cells: &mut [u32], column: &[u8], samples: &[Sample]) -> OccupiedBins {
        let width = self.weights.len();
        let add = |cells: &mut [u32], bin: u8, sample: &Sample| {
            cells[usize::from(bin) * width + usize::from(sample.class)] += u32::from(sample.draws);
        };
        let is_empty =
            |cells: &[u32], bin: u8| cells[usize::from(bin) * width..][..width].iter().all(|count| *count == 0);
        fill::<Self, _>(cells, column, samples, add, is_empty)
    }

    fn scan<const CLEAR: bool>(
        &self,
        cells: &mut [u32],
        bins: OccupiedBins,
        total: &Box<[u32]>,
        min_leaf: u32,
    ) -> Option<BinSplit> {
        match self.criterion {
            Criterion::Gini => self.scan_by::<Gini, CLEAR>(cells, bins, total, min_leaf),
            Criterion::Entropy => self.scan_by::<Entropy, CLEAR>(cells, bins, total, min_leaf),
        }
    }
}
