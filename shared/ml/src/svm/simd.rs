//! The inner loops, for each kind of CPU ([`crate::simd`]).
//!
//! A value depends only on its own row and query, not on its position, so results do not depend on the number of threads,
//! the cache or the active set. Between kinds of CPUs kernel values differ in the last bits, and trained coefficients
//! within the stopping tolerance.

use std::ops::Range;

use super::blocks::{LANES, RowBlocks};
use crate::simd::dispatched;

/// Queries that are computed together: their sums and a block's column fit into the registers of AVX2.
pub(super) const TILE: usize = 4;

/// A kernel function in `f32`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// `x·y`
    Linear,
    /// `exp(-gamma |x - y|²)`
    Rbf {
        /// Positive.
        gamma: f32,
    },
    /// `(gamma x·y + 1)^degree`
    Polynomial {
        /// Positive.
        gamma: f32,
        /// At least 1.
        degree: u32,
    },
}

/// [`TILE`] rows as the queries of a kernel function.
#[derive(Debug)]
pub(super) struct Queries {
    /// Column by column, one value per query.
    values: Vec<[f32; TILE]>,
    squares: [f32; TILE],
}

impl Queries {
    /// At most [`TILE`] rows of `blocks`; missing queries are zero.
    pub(super) fn new(blocks: &RowBlocks, rows: &[u32]) -> Self {
        let mut queries = Self { values: vec![[0.0; TILE]; blocks.width()], squares: [0.0; TILE] };
        for (at, row) in rows.iter().enumerate() {
            queries.squares[at] = blocks.squares()[*row as usize];
            for (values, value) in queries.values.iter_mut().zip(blocks.row(*row as usize)) {
                values[at] = value;
            }
        }
        queries
    }
}

dispatched! {
    /// Writes the kernel values of the queries and the rows of some blocks, one padded row per query.
    kernel_rows => generic_kernel_rows(
        form: Form, blocks: &RowBlocks, range: Range<usize>, queries: &Queries, out: &mut [&mut [f32]]
    )
}

dispatched! {
    /// Computes the squared length of each row, with the roundings of the dot product of the row with itself: the distance
    /// of a row from itself is exactly 0.
    squares => generic_squares(values: &[f32], width: usize, out: &mut [f32])
}

dispatched! {
    /// Returns the largest `residual + up_offset` with its index, and the smallest `residual + low_offset`.
    extremes => generic_extremes(residual: &[f64], up_offset: &[f64], low_offset: &[f64]) -> (f64, usize, f64)
}

dispatched! {
    /// Second-order selection (Fan, Chen and Lin 2005, WSS 2): the index that maximizes the decrease of the objective
    /// together with the variable `up`, whose value is `max_up` and whose kernel row is `row`. `None` if none decreases it.
    best_partner => generic_best_partner(
        max_up: f64, own: f32, residual: &[f64], low_offset: &[f64], row: &[f32], diagonal: &[f32], scores: &mut [f32],
    ) -> Option<usize>
}

dispatched! {
    /// Subtracts `step · (up - low)` from the residuals.
    subtract => generic_subtract(residual: &mut [f64], step: f64, up: &[f32], low: &[f32])
}

dispatched! {
    /// Adds `Σ factor · row` to `sums`, in the order of the rows. The rows start at `from`.
    add_rows => generic_add_rows(sums: &mut [f64], rows: &[(f64, &[f32])], from: usize)
}

#[inline(always)]
fn multiply_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn generic_kernel_rows<const FMA: bool>(
    form: Form,
    blocks: &RowBlocks,
    range: Range<usize>,
    queries: &Queries,
    out: &mut [&mut [f32]],
) {
    let block_values = LANES * blocks.width();
    for (at, block) in range.enumerate() {
        let values = &blocks.values()[block * block_values..][..block_values];
        let mut dots = block_dots::<FMA>(values, &queries.values);
        match form {
            Form::Linear => {}
            Form::Rbf { gamma } => {
                let Some((squares, _)) = blocks.squares()[block * LANES..].split_first_chunk::<LANES>() else { return };
                for (dots, own) in dots.iter_mut().zip(queries.squares) {
                    for (dot, square) in dots.iter_mut().zip(squares) {
                        let distance = own + square - 2.0 * *dot;
                        *dot = exp::<FMA>(-gamma * if distance > 0.0 { distance } else { 0.0 });
                    }
                }
            }
            Form::Polynomial { gamma, degree } => {
                for dots in &mut dots {
                    let base = dots.map(|dot| multiply_add::<FMA>(gamma, dot, 1.0));
                    *dots = base;
                    for _ in 1..degree {
                        dots.iter_mut().zip(base).for_each(|(power, base)| *power *= base);
                    }
                }
            }
        }
        for (out, dots) in out.iter_mut().zip(&dots) {
            out[at * LANES..][..LANES].copy_from_slice(dots);
        }
    }
}

/// The dot products of the queries and the rows of a block.
#[inline(always)]
fn block_dots<const FMA: bool>(block: &[f32], queries: &[[f32; TILE]]) -> [[f32; LANES]; TILE] {
    #[cfg(target_arch = "x86_64")]
    if FMA {
        // SAFETY: on x86-64 only functions with AVX2 and FMA use this instance.
        return unsafe { block_dots_avx2(block, queries) };
    }
    let mut dots = [[0.0_f32; LANES]; TILE];
    for (column, query) in block.as_chunks::<LANES>().0.iter().zip(queries) {
        for (dots, value) in dots.iter_mut().zip(query) {
            for (dot, x) in dots.iter_mut().zip(column) {
                *dot = multiply_add::<FMA>(*value, *x, *dot);
            }
        }
    }
    dots
}

/// As [`block_dots`], with the sums in registers: the compiler keeps those of the loop above in memory.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn block_dots_avx2(block: &[f32], queries: &[[f32; TILE]]) -> [[f32; LANES]; TILE] {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps};
    let mut sums = [[_mm256_setzero_ps(); 2]; TILE];
    for (column, [a, b, c, d]) in block.as_chunks::<LANES>().0.iter().zip(queries) {
        // SAFETY: a column has 16 numbers.
        let x = unsafe { [_mm256_loadu_ps(column.as_ptr()), _mm256_loadu_ps(column.as_ptr().add(8))] };
        let [a, b, c, d] = [_mm256_set1_ps(*a), _mm256_set1_ps(*b), _mm256_set1_ps(*c), _mm256_set1_ps(*d)];
        sums = [
            [_mm256_fmadd_ps(a, x[0], sums[0][0]), _mm256_fmadd_ps(a, x[1], sums[0][1])],
            [_mm256_fmadd_ps(b, x[0], sums[1][0]), _mm256_fmadd_ps(b, x[1], sums[1][1])],
            [_mm256_fmadd_ps(c, x[0], sums[2][0]), _mm256_fmadd_ps(c, x[1], sums[2][1])],
            [_mm256_fmadd_ps(d, x[0], sums[3][0]), _mm256_fmadd_ps(d, x[1], sums[3][1])],
        ];
    }
    let mut dots = [[0.0_f32; LANES]; TILE];
    for (dots, sums) in dots.iter_mut().zip(sums) {
        // SAFETY: each array has 16 numbers.
        unsafe {
            _mm256_storeu_ps(dots.as_mut_ptr(), sums[0]);
            _mm256_storeu_ps(dots.as_mut_ptr().add(8), sums[1]);
        }
    }
    dots
}

#[inline(always)]
fn generic_squares<const FMA: bool>(values: &[f32], width: usize, out: &mut [f32]) {
    for (block, out) in values.chunks_exact((LANES * width).max(1)).zip(out.as_chunks_mut::<LANES>().0) {
        for column in block.as_chunks::<LANES>().0 {
            for (square, x) in out.iter_mut().zip(column) {
                *square = multiply_add::<FMA>(*x, *x, *square);
            }
        }
    }
}

/// Numbers per step of [`add_rows`]: their sums stay in the first-level cache.
const STEP: usize = 512;

#[inline(always)]
fn generic_add_rows<const FMA: bool>(sums: &mut [f64], rows: &[(f64, &[f32])], from: usize) {
    let add = |sum: f64, factor: f64, value: f32| {
        if FMA { factor.mul_add(f64::from(value), sum) } else { sum + factor * f64::from(value) }
    };
    for (step, sums) in sums.chunks_mut(STEP).enumerate() {
        let start = from + step * STEP;
        let (fours, rest) = rows.as_chunks::<4>();
        for [(f0, r0), (f1, r1), (f2, r2), (f3, r3)] in fours {
            let (r0, r1) = (&r0[start..][..sums.len()], &r1[start..][..sums.len()]);
            let (r2, r3) = (&r2[start..][..sums.len()], &r3[start..][..sums.len()]);
            for ((((sum, v0), v1), v2), v3) in sums.iter_mut().zip(r0).zip(r1).zip(r2).zip(r3) {
                *sum = add(add(add(add(*sum, *f0, *v0), *f1, *v1), *f2, *v2), *f3, *v3);
            }
        }
        for (factor, row) in rest {
            for (sum, value) in sums.iter_mut().zip(&row[start..]) {
                *sum = add(*sum, *factor, *value);
            }
        }
    }
}

/// Chains of comparisons that run in parallel.
const CHAINS: usize = 8;

#[inline(always)]
fn generic_extremes<const FMA: bool>(residual: &[f64], up_offset: &[f64], low_offset: &[f64]) -> (f64, usize, f64) {
    let (mut max, mut min) = ([f64::NEG_INFINITY; CHAINS], [f64::INFINITY; CHAINS]);
    let offsets = up_offset.as_chunks::<CHAINS>().0.iter().zip(low_offset.as_chunks::<CHAINS>().0);
    for (residual, (up, low)) in residual.as_chunks::<CHAINS>().0.iter().zip(offsets) {
        for chain in 0..CHAINS {
            let (up, low) = (residual[chain] + up[chain], residual[chain] + low[chain]);
            max[chain] = if up > max[chain] { up } else { max[chain] };
            min[chain] = if low < min[chain] { low } else { min[chain] };
        }
    }
    let max = max.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let min = min.into_iter().fold(f64::INFINITY, f64::min);
    let at = residual.iter().zip(up_offset).position(|(residual, offset)| residual + offset == max);
    (max, at.unwrap_or_default(), min)
}

/// Minimum curvature: rows that are equal, or a kernel that is not positive definite, give less.
pub(super) const MIN_CURVATURE: f32 = 1e-12;

#[inline(always)]
fn generic_best_partner<const FMA: bool>(
    max_up: f64,
    own: f32,
    residual: &[f64],
    low_offset: &[f64],
    row: &[f32],
    diagonal: &[f32],
    scores: &mut [f32],
) -> Option<usize> {
    let mut best = [0.0_f32; 2 * CHAINS];
    let low = residual.as_chunks::<{ 2 * CHAINS }>().0.iter().zip(low_offset.as_chunks::<{ 2 * CHAINS }>().0);
    let kernel = row.as_chunks::<{ 2 * CHAINS }>().0.iter().zip(diagonal.as_chunks::<{ 2 * CHAINS }>().0);
    for (((residual, offset), (row, diagonal)), scores) in
        low.zip(kernel).zip(scores.as_chunks_mut::<{ 2 * CHAINS }>().0)
    {
        for chain in 0..2 * CHAINS {
            let gain = (max_up - (residual[chain] + offset[chain])) as f32;
            let gain = if gain > 0.0 { gain } else { 0.0 };
            let curvature = own + diagonal[chain] - 2.0 * row[chain];
            let curvature = if curvature > MIN_CURVATURE { curvature } else { MIN_CURVATURE };
            let score = gain * gain / curvature;
            scores[chain] = score;
            best[chain] = if score > best[chain] { score } else { best[chain] };
        }
    }
    let best = best.into_iter().fold(0.0, f32::max);
    if best > 0.0 { scores.iter().position(|score| *score == best) } else { None }
}

#[inline(always)]
fn generic_subtract<const FMA: bool>(residual: &mut [f64], step: f64, up: &[f32], low: &[f32]) {
    for ((residual, up), low) in residual.iter_mut().zip(up).zip(low) {
        *residual -= step * (f64::from(*up) - f64::from(*low));
    }
}

/// e^x for x ≤ 0, with a relative error below 3e-7 and 0 replaced by 1e-38: the polynomial of Cephes (Moshier 1989).
/// Exactly 1 for x = 0.
#[inline(always)]
fn exp<const FMA: bool>(x: f32) -> f32 {
    // Adding and subtracting 1.5 · 2^23 rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const POLYNOMIAL: [f32; 6] = [1.987_569_2e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_66, 0.5];
    let x = if x > -87.0 { x } else { -87.0 };
    let rounded = multiply_add::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let exponent = rounded - ROUND;
    let rest = multiply_add::<FMA>(-exponent, LN2_HIGH, x);
    let rest = multiply_add::<FMA>(-exponent, LN2_LOW, rest);
    let mut sum = POLYNOMIAL[0];
    for coefficient in &POLYNOMIAL[1..] {
        sum = multiply_add::<FMA>(sum, rest, *coefficient);
    }
    let sum = multiply_add::<FMA>(sum * rest, rest, rest) + 1.0;
    // The last bits of `rounded` are the exponent, from -126 to 0, and vectorize better than a conversion.
    f32::from_bits(rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23) * sum
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::artifact::samples::Stream;

    fn rows(rows: usize, width: usize) -> Array2<f64> {
        let mut random = Stream(3);
        Array2::from_shape_fn((rows, width), |_| random.unit() * 6.0 - 3.0)
    }

    fn computed(form: Form, blocks: &RowBlocks, queries: &[u32]) -> Vec<Vec<f32>> {
        let mut out = vec![vec![0.0; blocks.padded()]; queries.len()];
        let mut rows: Vec<&mut [f32]> = out.iter_mut().map(Vec::as_mut_slice).collect();
        kernel_rows(form, blocks, 0..blocks.padded() / LANES, &Queries::new(blocks, queries), &mut rows);
        out.iter_mut().for_each(|row| row.truncate(blocks.rows()));
        out
    }

    #[test]
    fn kernel_values_equal_those_of_the_model() {
        use crate::model::Kernel;
        let matrix = rows(37, 5);
        let forms = [
            (Form::Linear, Kernel::Linear, 1.0),
            (Form::Rbf { gamma: 0.3 }, Kernel::Rbf { gamma: 0.3 }, 1.0),
            (Form::Polynomial { gamma: 0.5, degree: 3 }, Kernel::Polynomial { constant: 2.0, degree: 3 }, 0.125),
        ];
        for (form, kernel, scale) in forms {
            let found = computed(form, &RowBlocks::new(&matrix.view()), &[11]).remove(0);
            for (row, value) in found.into_iter().enumerate() {
                let row = matrix.row(row).to_vec();
                let expected = scale * kernel.value(&matrix.row(11).to_vec(), &row);
                let difference = (f64::from(value) - expected).abs();
                assert!(difference < 1e-5 * expected.abs().max(1.0), "{form:?}: {value} for {expected}");
            }
        }
    }

    #[test]
    fn a_value_does_not_depend_on_its_position() {
        let matrix = rows(50, 7);
        let blocks = RowBlocks::new(&matrix.view());
        let order: Vec<u32> = (0..50).rev().collect();
        let reversed = blocks.select(&order);
        let form = Form::Rbf { gamma: 0.1 };
        let straight = computed(form, &blocks, &[5, 6, 7, 8]);
        let alone = computed(form, &reversed, &[41]);
        assert!((0..50).all(|row| straight[3][row].to_bits() == alone[0][49 - row].to_bits()));
        assert_eq!(straight[3][8], 1.0, "the distance from itself is exactly 0");
        assert_eq!(straight[0][8].to_bits(), straight[3][5].to_bits(), "symmetric to the last bit");
    }

    #[test]
    fn the_exponential_is_accurate() {
        for step in 0..=8_700 {
            let x = -f64::from(step) / 100.0;
            let found = f64::from(exp::<false>(x as f32));
            assert!((found / f64::from(x as f32).exp() - 1.0).abs() < 3e-7, "e^{x} is not {found}");
        }
        assert!(exp::<false>(f32::NEG_INFINITY) < 2e-38);
    }

    #[test]
    fn weighted_rows_are_added() {
        let row = |factor: f32| (0..1_000).map(|at| at as f32 * factor).collect::<Vec<_>>();
        let stored: Vec<Vec<f32>> = [1.0, 2.0, 3.0, 4.0, 5.0].map(row).into();
        let weighted: Vec<(f64, &[f32])> = stored.iter().map(|row| (2.0, row.as_slice())).collect();
        let mut sums = vec![1.0; 700];
        add_rows(&mut sums, &weighted, 300);
        assert!((0..700).all(|at| sums[at] == 1.0 + 30.0 * (at + 300) as f64));
    }
}
