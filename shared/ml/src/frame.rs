//! The columns of a job, read from a stored table by its schema. Rows without a target are skipped.

mod builder;
mod column;
mod row_hash;
mod target;

use std::io::Read;
use std::sync::Arc;

use trainyard_csv::{CsvError, Rows};
use trainyard_domain::table::{CellReading, TableSchema};

use crate::error::TrainError;
use builder::ColumnBuilder;
pub use column::Column;
use target::TargetBuilder;
pub use target::{Target, TargetOptions};

/// Typed feature columns with the target.
#[derive(Debug)]
pub struct Frame {
    /// The feature columns, in the requested order.
    pub columns: Vec<Arc<FrameColumn>>,
    /// The target of every row.
    pub target: Target,
    /// Number of rows with a target.
    pub rows: usize,
    /// A hash of all cells of each row, also of columns that the job does not use.
    pub row_hashes: Vec<u64>,
    /// Texts that mean a missing value, besides the common ones.
    pub missing: Vec<String>,
    /// Warnings about cells that could not be used.
    pub warnings: Vec<String>,
}

/// A feature column.
#[derive(Debug)]
pub struct FrameColumn {
    /// The column's name.
    pub name: String,
    /// How its cells are read.
    pub reading: CellReading,
    /// The values, in row order.
    pub values: Column,
}

impl Frame {
    /// Reads the columns `features` and the target.
    ///
    /// # Errors
    /// [`TrainError::Failed`] with `bad_data` or `bad_params`: an invalid CSV, a missing column, no row with a target, or
    /// a target that does not fit the options.
    pub fn read(
        csv: impl Read,
        schema: &TableSchema,
        features: &[String],
        target: &TargetOptions<'_>,
    ) -> Result<Self, TrainError> {
        let position = |name: &str| {
            let mut columns = schema.columns.iter();
            columns
                .position(|column| column.name == name)
                .ok_or_else(|| TrainError::bad_data(format!("the dataset has no column '{name}'")))
        };
        let target_at = position(target.name)?;
        let features_at = features.iter().map(|feature| position(feature)).collect::<Result<Vec<_>, _>>()?;
        let mut columns: Vec<ColumnBuilder> =
            features_at.iter().map(|at| ColumnBuilder::new(&schema.format, &schema.columns[*at])).collect();
        let mut targets = TargetBuilder::new(&schema.format, &schema.columns[target_at], target)?;
        let mut rows = Rows::open(csv, schema).map_err(|error| unreadable(&error))?;
        let mut row_hashes = Vec::new();
        let mut row = 0;
        while let Some(record) = rows.next().map_err(|error| unreadable(&error))? {
            row += 1;
            if targets.push(record.get(target_at), row) {
                let cells = (0..schema.columns.len()).map(|at| record.get(at));
                row_hashes.push(cells.fold(0, |hash, cell| row_hash::add(hash, cell.trim())));
                for (column, at) in columns.iter_mut().zip(&features_at) {
                    column.push(record.get(*at), row);
                }
            }
        }
        let rows = targets.len();
        let mut warnings = Vec::new();
        let target = targets.finish(target, &mut warnings)?;
        warnings.extend(columns.iter().filter_map(ColumnBuilder::warning));
        let columns = columns.into_iter().map(|column| Arc::new(column.finish())).collect();
        Ok(Self { columns, target, rows, row_hashes, missing: schema.format.missing.clone(), warnings })
    }

    /// A frame with the same columns, which share their memory, for preprocessing that drops some of them. Without the
    /// hashes and warnings.
    pub(crate) fn share(&self) -> Self {
        let (row_hashes, missing, warnings) = Default::default();
        let (columns, target) = (self.columns.clone(), self.target.clone());
        Self { columns, target, rows: self.rows, row_hashes, missing, warnings }
    }
}

fn unreadable(error: &CsvError) -> TrainError {
    TrainError::bad_data(format!("invalid CSV: {error}"))
}

#[cfg(test)]
mod tests;
