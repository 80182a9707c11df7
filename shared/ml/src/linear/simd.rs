//! The inner loops, for each kind of CPU ([`crate::simd`]).

use crate::simd::dispatched;

/// Columns per register group; rows of the Gram matrix are padded to a multiple.
pub(super) const COLUMNS: usize = 8;
/// Rows of a tile of the Gram matrix.
const TILE: usize = 4;

dispatched! {
    /// Writes the dot products of each row with each vector of `width` numbers: one number per vector and row.
    dots => generic_dots(rows: &[f64], width: usize, vectors: &[&[f64]], out: &mut [f64])
}

dispatched! {
    /// Adds `Σ factor · row` to each vector; `factors` has one number per vector and row.
    add_rows => generic_add_rows(rows: &[f64], width: usize, factors: &[f64], vectors: &mut [&mut [f64]])
}

dispatched! {
    /// Adds the Gram matrix `rowsᵀ · rows` to `gram`, its upper triangle and some cells below it. `width` is a multiple of
    /// [`COLUMNS`].
    add_gram => generic_add_gram(rows: &[f64], width: usize, gram: &mut [f64])
}

#[inline(always)]
fn multiply_add<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn generic_dots<const FMA: bool>(rows: &[f64], width: usize, vectors: &[&[f64]], out: &mut [f64]) {
    let rows = rows.chunks_exact(width.max(1));
    for (row, out) in rows.zip(out.chunks_exact_mut(vectors.len().max(1))) {
        for (vector, out) in vectors.iter().zip(out) {
            let (chunks, rest) = row.as_chunks::<COLUMNS>();
            let (vector_chunks, vector_rest) = vector[..width].as_chunks::<COLUMNS>();
            let mut sums = [0.0_f64; COLUMNS];
            for (a, b) in chunks.iter().zip(vector_chunks) {
                for lane in 0..COLUMNS {
                    sums[lane] = multiply_add::<FMA>(a[lane], b[lane], sums[lane]);
                }
            }
            let mut sum = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
            for (a, b) in rest.iter().zip(vector_rest) {
                sum = multiply_add::<FMA>(*a, *b, sum);
            }
            *out = sum;
        }
    }
}

#[inline(always)]
fn generic_add_rows<const FMA: bool>(rows: &[f64], width: usize, factors: &[f64], vectors: &mut [&mut [f64]]) {
    let outputs = vectors.len().max(1);
    for (row, factors) in rows.chunks_exact(width.max(1)).zip(factors.chunks_exact(outputs)) {
        for (vector, factor) in vectors.iter_mut().zip(factors) {
            for (sum, value) in vector.iter_mut().zip(row) {
                *sum = multiply_add::<FMA>(*factor, *value, *sum);
            }
        }
    }
}

#[inline(always)]
fn generic_add_gram<const FMA: bool>(rows: &[f64], width: usize, gram: &mut [f64]) {
    for first in (0..width).step_by(TILE) {
        // The tile column that contains the diagonal, and those to its right.
        for column in (first / COLUMNS * COLUMNS..width).step_by(COLUMNS) {
            let mut sums = [[0.0_f64; COLUMNS]; TILE];
            for row in rows.chunks_exact(width) {
                let (Some(own), Some(others)) =
                    (row[first..].first_chunk::<TILE>(), row[column..].first_chunk::<COLUMNS>())
                else {
                    return;
                };
                for (sums, value) in sums.iter_mut().zip(own) {
                    for (sum, other) in sums.iter_mut().zip(others) {
                        *sum = multiply_add::<FMA>(*value, *other, *sum);
                    }
                }
            }
            for (at, sums) in sums.iter().enumerate() {
                let cells = &mut gram[(first + at) * width + column..][..COLUMNS];
                cells.iter_mut().zip(sums).for_each(|(cell, sum)| *cell += sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loops_compute_their_definitions() {
        let (width, count) = (11, 5);
        let rows: Vec<f64> = (0..width * count).map(|at| ((at * 7) % 13) as f64 - 6.0).collect();
        let vectors = [vec![1.0; width], (0..width).map(|at| at as f64).collect()];
        let mut out = vec![0.0; 2 * count];
        dots(&rows, width, &[&vectors[0], &vectors[1]], &mut out);
        for (row, out) in rows.chunks(width).zip(out.chunks(2)) {
            let dot = |vector: &[f64]| row.iter().zip(vector).map(|(a, b)| a * b).sum::<f64>();
            assert_eq!(out, [dot(&vectors[0]), dot(&vectors[1])]);
        }
        let mut sums = vec![0.0; width];
        add_rows(&rows, width, &[2.0; 5], &mut [&mut sums]);
        assert!((0..width).all(|column| sums[column] == 2.0 * rows.iter().skip(column).step_by(width).sum::<f64>()));
    }

    #[test]
    fn the_gram_matrix_has_every_product() {
        let (width, count) = (16, 9);
        let rows: Vec<f64> = (0..width * count).map(|at| ((at * 5) % 11) as f64 - 5.0).collect();
        let mut gram = vec![1.0; width * width];
        add_gram(&rows, width, &mut gram);
        for i in 0..width {
            for j in i..width {
                let product: f64 = rows.chunks(width).map(|row| row[i] * row[j]).sum();
                assert_eq!(gram[i * width + j], 1.0 + product, "{i}, {j}");
            }
        }
    }
}
