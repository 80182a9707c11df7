//! The values of a feature column.

/// The values of a feature, in row order.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Finite numbers; NaN is missing.
    Number(Vec<f64>),
    /// Booleans.
    Boolean(Vec<Option<bool>>),
    /// Strings by code.
    Category {
        /// Distinct strings in the order of their first occurrence.
        names: Vec<String>,
        /// Index into `names`, or [`Column::MISSING`].
        codes: Vec<u32>,
    },
    /// Dates in seconds since 1970; NaN is missing.
    Datetime(Vec<f64>),
}

impl Column {
    /// The code of a missing value.
    pub const MISSING: u32 = u32::MAX;

    /// Number of distinct values in the given rows, without missing values.
    pub fn distinct(&self, rows: &[usize]) -> usize {
        let mut seen: Vec<u64> = rows.iter().filter_map(|row| self.bits(*row)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }

    /// A value that is equal for equal cells; `None` if missing.
    pub fn bits(&self, row: usize) -> Option<u64> {
        match self {
            Self::Number(values) | Self::Datetime(values) => {
                Some(values[row]).filter(|value| !value.is_nan()).map(f64::to_bits)
            }
            Self::Boolean(values) => values[row].map(u64::from),
            Self::Category { codes, .. } => Some(codes[row]).filter(|code| *code != Self::MISSING).map(u64::from),
        }
    }
}
