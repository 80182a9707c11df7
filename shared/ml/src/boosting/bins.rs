//! The binned columns in blocks of [`LANES`] columns. Within a block the bins of a row are adjacent, so that a histogram
//! of a few rows reads few cache lines.

use rayon::prelude::*;

use super::monotone::Direction;
use crate::bins::{MISSING, bin_column, threshold};

/// Number of columns of a block. The histograms of a block fit into the first-level cache.
pub(super) const LANES: usize = 8;

/// The bins of a row in one block.
pub(super) type BlockRow = [u8; LANES];

/// A column for training.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrainColumn<'a> {
    /// One value per row; NaN is a missing value.
    pub(crate) values: &'a [f32],
    /// The raw column of the model that a split of this column uses.
    pub(crate) raw: usize,
    /// With a number, only the rounds of this permutation use the column; see [`crate::preprocess::OrderedColumns`].
    pub(crate) permutation: Option<usize>,
    /// The monotone constraint.
    pub(crate) direction: Option<Direction>,
}

impl<'a> TrainColumn<'a> {
    /// One column per raw column.
    pub(super) fn plain(raw: &'a [Vec<f32>]) -> Vec<Self> {
        raw.iter().enumerate().map(|(raw, values)| Self { values, raw, permutation: None, direction: None }).collect()
    }
}

/// Binned columns. Columns with one value are left out.
#[derive(Debug)]
pub(crate) struct Bins {
    rows: usize,
    raw_columns: usize,
    columns: Vec<BinnedColumn>,
    blocks: Vec<Vec<BlockRow>>,
}

/// A column without its values.
#[derive(Debug)]
pub(super) struct BinnedColumn {
    /// See [`TrainColumn::raw`].
    pub(super) raw: usize,
    /// See [`TrainColumn::permutation`].
    pub(super) permutation: Option<usize>,
    /// The monotone constraint.
    pub(super) direction: Option<Direction>,
    edges: Vec<f32>,
}

impl BinnedColumn {
    /// Number of bins, with that of missing values.
    pub(super) fn bins(&self) -> usize {
        self.edges.len() + 2
    }

    /// The raw threshold that corresponds to `bin <= b`.
    pub(super) fn threshold(&self, bin: u8) -> f32 {
        threshold(&self.edges, bin)
    }
}

impl Bins {
    /// Bins columns of `rows` values each, of a model with this number of raw columns.
    pub(crate) fn new(rows: usize, raw_columns: usize, columns: &[TrainColumn<'_>]) -> Self {
        let mut varying: Vec<&TrainColumn<'_>> = columns.iter().filter(|column| varies(column.values)).collect();
        // The columns of a permutation share blocks, so that other rounds can skip the blocks.
        varying.sort_by_key(|column| column.permutation);
        let of_block = |columns: &[&TrainColumn<'_>]| {
            let mut block = vec![[MISSING; LANES]; rows];
            let mut bins = vec![MISSING; rows];
            let of_column = |(lane, column): (usize, &&TrainColumn<'_>)| {
                bins.fill(MISSING);
                let edges = bin_column(column.values, &mut bins);
                block.iter_mut().zip(&bins).for_each(|(row, bin)| row[lane] = *bin);
                BinnedColumn { raw: column.raw, permutation: column.permutation, direction: column.direction, edges }
            };
            let columns: Vec<BinnedColumn> = columns.iter().enumerate().map(of_column).collect();
            (block, columns)
        };
        let blocks: Vec<_> = varying.par_chunks(LANES).map(of_block).collect();
        let (blocks, columns): (Vec<_>, Vec<_>) = blocks.into_iter().unzip();
        Self { rows, raw_columns, columns: columns.into_iter().flatten().collect(), blocks }
    }

    /// Number of raw columns of the model.
    pub(super) fn raw_columns(&self) -> usize {
        self.raw_columns
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in the order of their blocks.
    pub(super) fn columns(&self) -> &[BinnedColumn] {
        &self.columns
    }

    /// The bins of a block, row by row.
    pub(super) fn block(&self, block: usize) -> &[BlockRow] {
        &self.blocks[block]
    }

    /// The bin of a row.
    #[cfg(test)]
    fn bin(&self, column: usize, row: u32) -> u8 {
        self.blocks[column / LANES][row as usize][column % LANES]
    }
}

/// Whether a column has two different values; a missing value is different from a number.
fn varies(values: &[f32]) -> bool {
    let first = values.first().copied().unwrap_or(f32::NAN);
    // Comparisons with NaN are false.
    values.iter().any(|value| if first.is_nan() { !value.is_nan() } else { *value != first })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_columns_are_left_out_and_permutations_share_blocks() {
        let (a, b, constant, missing) = ([1.0, 2.0], [f32::NAN, 2.0], [3.0, 3.0], [f32::NAN; 2]);
        let column = |values, raw, permutation| TrainColumn { values, raw, permutation, direction: None };
        let bins = Bins::new(
            2,
            4,
            &[column(&a, 0, Some(1)), column(&constant, 1, None), column(&b, 2, None), column(&missing, 3, None)],
        );
        assert_eq!(bins.columns().iter().map(|column| column.raw).collect::<Vec<_>>(), [2, 0]);
        assert_eq!([bins.bin(0, 0), bins.bin(0, 1), bins.bin(1, 0), bins.bin(1, 1)], [0, 1, 1, 2]);
    }
}
