//! Weighted sums of kernel rows: decision values, and residuals of rows that were not active.

use rayon::prelude::*;

use super::blocks::{LANES, RowBlocks};
use super::cache::sections;
use super::simd::{Form, Queries, TILE, add_rows, kernel_rows};

/// The rows of `blocks` at `rows` with a coefficient each.
#[derive(Debug)]
pub(super) struct Expansion<'a> {
    pub(super) blocks: &'a RowBlocks,
    pub(super) rows: Vec<u32>,
    pub(super) coefficients: Vec<f64>,
}

impl<'a> Expansion<'a> {
    /// The rows whose coefficient is not 0.
    pub(super) fn new(blocks: &'a RowBlocks, coefficients: &[f64]) -> Self {
        let rows: Vec<u32> = (0_u32..).zip(coefficients).filter(|(_, c)| **c != 0.0).map(|(row, _)| row).collect();
        let coefficients = rows.iter().map(|row| coefficients[*row as usize]).collect();
        Self { blocks, rows, coefficients }
    }

    /// `Σ coefficient · K(row, x)` for each row x of `queried`, in the order of the expansion.
    pub(super) fn sums(&self, form: Form, queried: &RowBlocks, parallel: bool) -> Vec<f64> {
        let tiles: Vec<(Queries, &[f64])> = (self.rows.chunks(TILE))
            .map(|rows| Queries::new(self.blocks, rows))
            .zip(self.coefficients.chunks(TILE))
            .collect();
        let mut sums = vec![0.0; queried.padded()];
        let mut rest = sums.as_mut_slice();
        let mut parts = Vec::new();
        for section in sections(queried) {
            let (part, tail) = rest.split_at_mut(section.len() * LANES);
            rest = tail;
            parts.push((section, part));
        }
        let add = |(section, sums): (std::ops::Range<usize>, &mut [f64])| {
            let mut values = vec![0.0_f32; TILE * sums.len()];
            for (queries, coefficients) in &tiles {
                let mut out: Vec<&mut [f32]> = values.chunks_exact_mut(sums.len()).collect();
                kernel_rows(form, queried, section.clone(), queries, &mut out);
                let rows = values.chunks_exact(sums.len());
                let weighted: Vec<(f64, &[f32])> = coefficients.iter().copied().zip(rows).collect();
                add_rows(sums, &weighted, 0);
            }
        };
        if parallel {
            parts.into_par_iter().for_each(add);
        } else {
            parts.into_iter().for_each(add);
        }
        sums.truncate(queried.rows());
        sums
    }
}
