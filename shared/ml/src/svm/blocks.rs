//! The rows of the design matrix in `f32`, in the layout of the kernel functions.

use ndarray::ArrayView2;

use super::simd;

/// Rows per block: two AVX registers of `f32`.
pub(super) const LANES: usize = 16;

/// Rows in blocks of [`LANES`]. Within a block the values are stored column by column, so that one load reads the same
/// column of several rows. The last block is padded with zero rows.
#[derive(Debug, Clone)]
pub(super) struct RowBlocks {
    values: Vec<f32>,
    /// The squared length of each row, padded.
    squares: Vec<f32>,
    rows: usize,
    width: usize,
}

impl RowBlocks {
    pub(super) fn new(matrix: &ArrayView2<'_, f64>) -> Self {
        let mut blocks = Self::zeros(matrix.nrows(), matrix.ncols());
        for (row, values) in matrix.rows().into_iter().enumerate() {
            let start = blocks.start(row);
            for (column, value) in values.iter().enumerate() {
                blocks.values[start + column * LANES] = *value as f32;
            }
        }
        simd::squares(&blocks.values, blocks.width, &mut blocks.squares);
        blocks
    }

    /// The rows at `positions`, in that order.
    pub(super) fn select(&self, positions: &[u32]) -> Self {
        let mut selected = Self::zeros(positions.len(), self.width);
        for (row, position) in positions.iter().enumerate() {
            let (from, to) = (self.start(*position as usize), selected.start(row));
            for column in 0..self.width {
                selected.values[to + column * LANES] = self.values[from + column * LANES];
            }
            selected.squares[row] = self.squares[*position as usize];
        }
        selected
    }

    fn zeros(rows: usize, width: usize) -> Self {
        let padded = rows.next_multiple_of(LANES);
        Self { values: vec![0.0; padded * width], squares: vec![0.0; padded], rows, width }
    }

    /// The index of the first value of a row; its columns are [`LANES`] apart.
    fn start(&self, row: usize) -> usize {
        row / LANES * LANES * self.width + row % LANES
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of rows with padding.
    pub(super) fn padded(&self) -> usize {
        self.squares.len()
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn squares(&self) -> &[f32] {
        &self.squares
    }

    /// The values of a row.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = f32> + '_ {
        let start = self.start(row);
        (0..self.width).map(move |column| self.values[start + column * LANES])
    }
}
