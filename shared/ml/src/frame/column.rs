//! A typed feature column.

use super::text::TextColumn;

/// The values of one feature, in row order.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Finite numbers, NaN where missing.
    Number(Vec<f64>),
    /// Booleans.
    Boolean(Vec<Option<bool>>),
    /// Texts by their code.
    Category {
        /// Distinct texts in order of first appearance.
        names: Vec<String>,
        /// Position in `names`, or [`Column::MISSING`].
        codes: Vec<u32>,
    },
}

impl Column {
    /// Stands in `codes` for a missing value.
    pub const MISSING: u32 = u32::MAX;

    /// Types a column of text.
    pub(super) fn read(texts: TextColumn) -> Self {
        if let Some(booleans) = texts.booleans() {
            return Self::Boolean(booleans);
        }
        if let Some(numbers) = texts.numbers() {
            return Self::Number(numbers);
        }
        let (names, codes) = texts.distinct();
        Self::Category { names: names.into_iter().map(str::to_owned).collect(), codes }
    }

    /// How many distinct values a set of rows has; missing is not one.
    pub fn distinct(&self, rows: &[usize]) -> usize {
        let mut seen: Vec<u64> = rows.iter().filter_map(|row| self.bits(*row)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }

    /// A number that is equal for equal values; `None` where missing.
    fn bits(&self, row: usize) -> Option<u64> {
        match self {
            Self::Number(values) => Some(values[row]).filter(|value| !value.is_nan()).map(f64::to_bits),
            Self::Boolean(values) => values[row].map(u64::from),
            Self::Category { codes, .. } => Some(codes[row]).filter(|code| *code != Self::MISSING).map(u64::from),
        }
    }
}
