//! Any number of classes, split by the Gini index or by entropy.

use super::target::{Cut, Occupied, Target, bins};

/// What a split of classes minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// The Gini index (Breiman et al. 1984).
    Gini,
    /// Shannon's entropy (Quinlan 1986).
    Entropy,
}

/// Several classes with their weights.
#[derive(Debug)]
pub(crate) struct ClassTarget<'a> {
    /// A class index per row, below the number of weights.
    pub(crate) classes: &'a [u32],
    /// What a row of each class counts.
    pub(crate) weights: &'a [f64],
    /// What splits minimise.
    pub(crate) criterion: Criterion,
}

/// A drawn row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    row: u32,
    draws: u16,
    class: u16,
}

impl ClassTarget<'_> {
    /// A class's share in a side's score, of the class's weight in it.
    #[inline]
    fn share(&self, weight: f64) -> f64 {
        match self.criterion {
            Criterion::Gini => weight * weight,
            Criterion::Entropy if weight > 0.0 => weight * weight.ln(),
            Criterion::Entropy => 0.0,
        }
    }

    /// A side's score, of its classes' shares and its weight; the larger the purer.
    #[inline]
    fn side(&self, shares: f64, weight: f64) -> f64 {
        match self.criterion {
            Criterion::Gini => shares / weight,
            Criterion::Entropy => shares - weight * weight.ln(),
        }
    }

    fn shares(&self, counts: &[u32]) -> f64 {
        counts.iter().zip(self.weights).map(|(count, weight)| self.share(f64::from(*count) * weight)).sum()
    }
}

impl Target for ClassTarget<'_> {
    type Sample = Sample;
    type Cell = u32;
    /// Draws per class.
    type Total = Box<[u32]>;

    fn width(&self) -> usize {
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
        let all = self.weight(total);
        out.extend(total.iter().zip(self.weights).map(|(count, weight)| (f64::from(*count) * weight / all) as f32));
    }

    fn score(&self, total: &Box<[u32]>) -> f64 {
        self.side(self.shares(total), self.weight(total))
    }

    fn weight(&self, total: &Box<[u32]>) -> f64 {
        total.iter().zip(self.weights).map(|(count, weight)| f64::from(*count) * weight).sum()
    }

    #[inline]
    fn add(&self, cells: &mut [u32], bin: u8, sample: &Sample) {
        cells[usize::from(bin) * self.weights.len() + usize::from(sample.class)] += u32::from(sample.draws);
    }

    #[inline]
    fn is_empty(&self, cells: &[u32], bin: u8) -> bool {
        let width = self.weights.len();
        cells[usize::from(bin) * width..][..width].iter().all(|count| *count == 0)
    }

    fn scan(&self, cells: &mut [u32], occupied: Occupied, total: &Box<[u32]>, min_leaf: u32) -> Option<Cut> {
        let width = self.weights.len();
        let all = Self::draws(total);
        let weight = self.weight(total);
        let mut left = vec![0_u32; width];
        let (mut left_draws, mut left_weight, mut left_shares) = (0, 0.0, 0.0);
        let mut right_shares = self.shares(total);
        let mut best = None;
        let mut last = None;
        for bin in bins(occupied) {
            if let Some(last) = last
                && left_draws >= min_leaf
                && all - left_draws >= min_leaf
            {
                let score = self.side(left_shares, left_weight) + self.side(right_shares, weight - left_weight);
                Cut::improve(&mut best, score, last, bin);
            }
            let counts = &mut cells[usize::from(bin) * width..][..width];
            for (class, count) in counts.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
                let count = std::mem::take(count);
                let (before, right, of_class) = (left[class], total[class] - left[class], self.weights[class]);
                let share = |draws: u32| self.share(f64::from(draws) * of_class);
                left_shares += share(before + count) - share(before);
                right_shares += share(right - count) - share(right);
                left[class] += count;
                left_draws += count;
                left_weight += f64::from(count) * of_class;
            }
            last = Some(bin);
        }
        best
    }
}
