//! The loss of a linear model with its derivatives.
//!
//! Rows are summed in parts of a fixed size, and the parts in order, so sums do not depend on the number of threads.

use rayon::prelude::*;

use super::simd::{COLUMNS, add_gram, add_rows, dots};

/// Rows that are processed together, while they are in the cache of the CPU.
const BLOCK: usize = 64;
/// Approximate number of parts.
const PARTS: usize = 64;
/// Maximum number of cells of all Gram matrices that are summed at the same time: 64 MB.
const GRAM_CELLS: usize = 8 << 20;

/// The targets of the rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Targets<'a> {
    /// Class indices, with a weight per class; two classes have one output, more have one per class.
    Classes(&'a [u32], &'a [f64]),
    /// Numbers, for squared errors.
    Numbers(&'a [f64]),
}

/// The sum over all rows of the weighted loss, plus `alpha / 2 · |weights|²`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Objective<'a> {
    /// Row-major, `width` numbers per row.
    pub(super) rows: &'a [f64],
    pub(super) width: usize,
    pub(super) targets: Targets<'a>,
    pub(super) alpha: f64,
}

/// The objective at some coefficients.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
    /// Per row: its weight in the Hessian, or the class probabilities if there are several outputs.
    pub(super) state: Vec<f64>,
}

impl Objective<'_> {
    /// Number of linear functions.
    pub(super) fn outputs(&self) -> usize {
        match self.targets {
            Targets::Classes(_, weights) if weights.len() > 2 => weights.len(),
            Targets::Classes(..) | Targets::Numbers(_) => 1,
        }
    }

    /// Number of rows.
    pub(super) fn count(&self) -> usize {
        match self.targets {
            Targets::Classes(classes, _) => classes.len(),
            Targets::Numbers(numbers) => numbers.len(),
        }
    }

    /// Coefficients per output: one per column, and the intercept.
    pub(super) fn size(&self) -> usize {
        self.width + 1
    }

    /// The sum of the weights of all rows.
    pub(super) fn total_weight(&self) -> f64 {
        match self.targets {
            Targets::Classes(classes, weights) => classes.iter().map(|class| weights[*class as usize]).sum(),
            Targets::Numbers(numbers) => numbers.len() as f64,
        }
    }

    fn part_rows(&self, parts: usize) -> usize {
        self.count().div_ceil(parts.max(1)).next_multiple_of(BLOCK)
    }

    /// Calls `compute` for each block of rows with the linear functions of `coefficients`, and adds
    /// `Σ value · (row, 1)` for the values that it leaves. `state` is passed on block by block.
    fn sum_rows(
        &self,
        coefficients: &[f64],
        state: &mut [f64],
        compute: impl Fn(usize, &mut [f64], &mut [f64]) -> f64 + Sync,
    ) -> (f64, Vec<f64>) {
        let (outputs, size, width) = (self.outputs(), self.size(), self.width);
        let vectors: Vec<&[f64]> = coefficients.chunks_exact(size).collect();
        let part_rows = self.part_rows(PARTS);
        let sum_part = |(part, state): (usize, &mut [f64])| {
            let mut sums = vec![0.0; outputs * size];
            let mut total = 0.0;
            let mut values = vec![0.0; BLOCK * outputs];
            for (block, state) in state.chunks_mut(BLOCK * outputs).enumerate() {
                let first = part * part_rows + block * BLOCK;
                let count = state.len() / outputs;
                let rows = &self.rows[first * width..(first + count) * width];
                let values = &mut values[..count * outputs];
                if width > 0 {
                    dots(rows, width, &vectors, values);
                }
                for values in values.chunks_exact_mut(outputs) {
                    values.iter_mut().zip(&vectors).for_each(|(value, vector)| *value += vector[width]);
                }
                total += compute(first, values, state);
                let mut sums: Vec<&mut [f64]> = sums.chunks_exact_mut(size).collect();
                for values in values.chunks_exact(outputs) {
                    sums.iter_mut().zip(values).for_each(|(sums, value)| sums[width] += value);
                }
                add_rows(rows, width, values, &mut sums);
            }
            (total, sums)
        };
        let parts: Vec<(f64, Vec<f64>)> = state.par_chunks_mut(part_rows * outputs).enumerate().map(sum_part).collect();
        let mut all = (0.0, vec![0.0; outputs * size]);
        for (total, sums) in parts {
            all.0 += total;
            all.1.iter_mut().zip(sums).for_each(|(all, sum)| *all += sum);
        }
        all
    }

    pub(super) fn evaluate(&self, coefficients: &[f64]) -> Evaluation {
        let outputs = self.outputs();
        let mut state = vec![0.0; self.count() * outputs];
        let (mut value, mut gradient) =
            self.sum_rows(coefficients, &mut state, |first, values, state| match self.targets {
                Targets::Numbers(targets) => squared_errors(&targets[first..], values, state),
                Targets::Classes(classes, weights) if outputs == 1 => {
                    binary_losses(&classes[first..], weights, values, state)
                }
                Targets::Classes(classes, weights) => softmax_losses(&classes[first..], weights, values, state),
            });
        let size = self.size();
        for (coefficients, gradient) in coefficients.chunks_exact(size).zip(gradient.chunks_exact_mut(size)) {
            for (coefficient, gradient) in coefficients[..self.width].iter().zip(gradient) {
                value += 0.5 * self.alpha * coefficient * coefficient;
                *gradient += self.alpha * coefficient;
            }
        }
        Evaluation { value, gradient, state }
    }

    /// The Hessian times a vector.
    pub(super) fn hessian_times(&self, state: &[f64], vector: &[f64]) -> Vec<f64> {
        let outputs = self.outputs();
        // Only its division into parts is used.
        let mut unused = vec![0.0; state.len()];
        let (_, mut product) = self.sum_rows(vector, &mut unused, |first, values, _| {
            for (row, values) in values.chunks_exact_mut(outputs).enumerate() {
                let row = first + row;
                let state = &state[row * outputs..][..outputs];
                if let [value] = values {
                    *value *= state[0];
                    continue;
                }
                let weight = self.row_weight(row);
                let mean: f64 = values.iter().zip(state).map(|(value, p)| value * p).sum();
                values.iter_mut().zip(state).for_each(|(value, p)| *value = weight * p * (*value - mean));
            }
            0.0
        });
        let size = self.size();
        for (vector, product) in vector.chunks_exact(size).zip(product.chunks_exact_mut(size)) {
            vector[..self.width].iter().zip(product).for_each(|(value, product)| *product += self.alpha * value);
        }
        product
    }

    /// The part of the Hessian for two outputs: the upper triangle, with `stride` numbers per row.
    pub(super) fn hessian_block(&self, state: &[f64], (a, b): (usize, usize)) -> Vec<f64> {
        let outputs = self.outputs();
        let weight = |row: usize| {
            let state = &state[row * outputs..][..outputs];
            match outputs {
                1 => state[0],
                _ if a == b => self.row_weight(row) * state[a] * (1.0 - state[a]),
                _ => self.row_weight(row) * state[a] * state[b],
            }
        };
        let mut gram = self.weighted_gram(weight);
        let stride = self.stride();
        if a == b {
            (0..self.width).for_each(|column| gram[column * stride + column] += self.alpha);
        } else {
            // The probabilities of two classes depend on each other with the opposite sign.
            gram.iter_mut().for_each(|cell| *cell = -*cell);
        }
        gram
    }

    /// Numbers per row of a block of the Hessian.
    pub(super) fn stride(&self) -> usize {
        self.size().next_multiple_of(COLUMNS)
    }

    /// The diagonal of the Hessian.
    pub(super) fn hessian_diagonal(&self, state: &[f64]) -> Vec<f64> {
        let (outputs, size) = (self.outputs(), self.size());
        let mut diagonal = vec![0.0; outputs * size];
        for (row, state) in state.chunks_exact(outputs).enumerate() {
            let values = &self.rows[row * self.width..][..self.width];
            for (diagonal, p) in diagonal.chunks_exact_mut(size).zip(state) {
                let weight = if outputs == 1 { *p } else { self.row_weight(row) * p * (1.0 - p) };
                diagonal.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value * value);
                diagonal[self.width] += weight;
            }
        }
        for diagonal in diagonal.chunks_exact_mut(size) {
            diagonal[..self.width].iter_mut().for_each(|value| *value += self.alpha);
        }
        diagonal
    }

    fn row_weight(&self, row: usize) -> f64 {
        match self.targets {
            Targets::Classes(classes, weights) => weights[classes[row] as usize],
            Targets::Numbers(_) => 1.0,
        }
    }

    /// `Σ weight · (row, 1)ᵀ(row, 1)`.
    fn weighted_gram(&self, weight: impl Fn(usize) -> f64 + Sync) -> Vec<f64> {
        let (stride, width) = (self.stride(), self.width);
        let part_rows = self.part_rows((GRAM_CELLS / (stride * stride)).clamp(1, PARTS));
        let parts = self.count().div_ceil(part_rows);
        let sum_part = |part: usize| {
            let mut gram = vec![0.0; stride * stride];
            let mut scaled = vec![0.0; BLOCK * stride];
            let last = self.count().min((part + 1) * part_rows);
            for first in (part * part_rows..last).step_by(BLOCK) {
                let count = BLOCK.min(last - first);
                for (at, scaled) in scaled.chunks_exact_mut(stride).take(count).enumerate() {
                    let root = weight(first + at).sqrt();
                    let values = &self.rows[(first + at) * width..][..width];
                    scaled.iter_mut().zip(values).for_each(|(scaled, value)| *scaled = root * value);
                    scaled[width] = root;
                }
                add_gram(&scaled[..count * stride], stride, &mut gram);
            }
            gram
        };
        let grams: Vec<Vec<f64>> = (0..parts).into_par_iter().map(sum_part).collect();
        let mut sum = vec![0.0; stride * stride];
        for gram in grams {
            sum.iter_mut().zip(gram).for_each(|(sum, cell)| *sum += cell);
        }
        sum
    }
}

/// Replaces each prediction by its error.
fn squared_errors(targets: &[f64], values: &mut [f64], state: &mut [f64]) -> f64 {
    let mut loss = 0.0;
    for ((value, target), state) in values.iter_mut().zip(targets).zip(state) {
        *value -= target;
        *state = 1.0;
        loss += 0.5 * *value * *value;
    }
    loss
}

/// Replaces the log-odds of class 1 by the derivative of the loss.
fn binary_losses(classes: &[u32], weights: &[f64], values: &mut [f64], state: &mut [f64]) -> f64 {
    let mut loss = 0.0;
    // The logarithm of a product instead of a sum of logarithms; at most 2^64 per block.
    let mut products = [1.0, 1.0];
    for ((value, class), state) in values.iter_mut().zip(classes).zip(state) {
        let class = *class as usize;
        let weight = weights[class];
        let small = (-value.abs()).exp();
        let share = 1.0 / (1.0 + small);
        products[class] *= 1.0 + small;
        let is_wrong = (*value >= 0.0) != (class == 1);
        if is_wrong {
            loss += weight * value.abs();
        }
        // The probability of the other class, computed without cancellation.
        let error = if is_wrong { share } else { small * share };
        *state = weight * small * share * share;
        *value = if class == 1 { -weight * error } else { weight * error };
    }
    loss + weights[0] * products[0].ln() + weights[1] * products[1].ln()
}

/// Replaces the scores of all classes by the derivatives of the loss.
fn softmax_losses(classes: &[u32], weights: &[f64], values: &mut [f64], state: &mut [f64]) -> f64 {
    let outputs = weights.len();
    let mut loss = 0.0;
    let rows = values.chunks_exact_mut(outputs).zip(state.chunks_exact_mut(outputs));
    for ((scores, probabilities), class) in rows.zip(classes) {
        let class = *class as usize;
        let weight = weights[class];
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for (probability, score) in probabilities.iter_mut().zip(&*scores) {
            *probability = (score - max).exp();
            sum += *probability;
        }
        loss += weight * (sum.ln() + max - scores[class]);
        for (probability, score) in probabilities.iter_mut().zip(scores.iter_mut()) {
            *probability /= sum;
            *score = weight * *probability;
        }
        scores[class] -= weight;
    }
    loss
}
