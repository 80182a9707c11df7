//! The encoder of the design matrix, the input of linear models and support vector classifiers. Training fits the encoder
//! on the training part; the model stores it for prediction.

/// The encoder of all raw values, in the order of a raw row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DesignMatrixEncoder {
    /// One encoder per raw value.
    pub columns: Vec<ColumnEncoder>,
}

/// The encoder of one raw value.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnEncoder {
    /// Standardizes a number or a boolean: `(value - mean) / scale`. With `missing_indicator` (the feature had missing
    /// values in training) a second column is 1 for a missing value and 0 otherwise.
    Scaled {
        /// The value that replaces a missing value.
        impute: f64,
        /// Mean of the training part, including imputed values.
        mean: f64,
        /// Standard deviation of the training part, including imputed values; 1 for a constant column.
        scale: f64,
        /// Whether there is a missing indicator column.
        missing_indicator: bool,
    },
    /// A number with few different values: the columns of `Scaled`, and one column per value, which is 1 for this value and
    /// 0 otherwise. A linear model can then learn any function of these values.
    ScaledWithLevels {
        /// The value that replaces a missing value.
        impute: f64,
        /// As for `Scaled`.
        mean: f64,
        /// As for `Scaled`.
        scale: f64,
        /// As for `Scaled`.
        missing_indicator: bool,
        /// The different raw values of the training part, ascending.
        levels: Vec<f64>,
    },
    /// One-hot encoding of a category. A missing value counts as `impute`; for an unknown category all columns are 0.
    OneHot {
        /// Number of categories.
        categories: usize,
        /// The code that replaces a missing value.
        impute: usize,
    },
}

impl ColumnEncoder {
    /// Number of columns of this raw value.
    pub fn width(&self) -> usize {
        match self {
            Self::Scaled { missing_indicator, .. } => 1 + usize::from(*missing_indicator),
            Self::ScaledWithLevels { missing_indicator, levels, .. } => {
                1 + usize::from(*missing_indicator) + levels.len()
            }
            Self::OneHot { categories, .. } => *categories,
        }
    }
}

impl DesignMatrixEncoder {
    /// Number of columns of the design matrix.
    pub fn width(&self) -> usize {
        self.columns.iter().map(ColumnEncoder::width).sum()
    }

    /// Writes a row of the design matrix (`width()` numbers) to `out`, for a raw row with one unseen flag per raw value.
    pub fn encode(&self, raw: &[f32], unseen: &[bool], out: &mut [f64]) {
        let mut rest = out;
        for ((column, &value), &unseen) in self.columns.iter().zip(raw).zip(unseen) {
            let (columns, tail) = rest.split_at_mut(column.width());
            column.encode(value, unseen, columns);
            rest = tail;
        }
    }
}

impl ColumnEncoder {
    fn encode(&self, value: f32, unseen: bool, columns: &mut [f64]) {
        match *self {
            Self::Scaled { impute, mean, scale, missing_indicator } => {
                scaled(value, (impute, mean, scale), missing_indicator, columns);
            }
            Self::ScaledWithLevels { impute, mean, scale, missing_indicator, ref levels } => {
                let number = scaled(value, (impute, mean, scale), missing_indicator, columns);
                let columns = &mut columns[1 + usize::from(missing_indicator)..];
                for (column, level) in columns.iter_mut().zip(levels) {
                    *column = f64::from(u8::from(number == *level));
                }
            }
            Self::OneHot { categories, impute } => {
                columns.fill(0.0);
                if let Some(column) = one_hot_column(value, unseen, categories, impute) {
                    columns[column] = 1.0;
                }
            }
        }
    }
}

/// The column of [`ColumnEncoder::OneHot`] that is 1. `None` for an unknown category: it has a code only if rare categories
/// were grouped.
pub(crate) fn one_hot_column(value: f32, unseen: bool, categories: usize, impute: usize) -> Option<usize> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "codes are small non-negative integers")]
    let code = if value.is_nan() { impute } else { value as usize };
    (code < categories && (!unseen || !value.is_nan())).then_some(code)
}

/// Writes the columns of [`ColumnEncoder::Scaled`] and returns the imputed number.
fn scaled(value: f32, (impute, mean, scale): (f64, f64, f64), missing_indicator: bool, columns: &mut [f64]) -> f64 {
    let missing = value.is_nan();
    let number = if missing { impute } else { f64::from(value) };
    columns[0] = (number - mean) / scale;
    if missing_indicator {
        columns[1] = f64::from(u8::from(missing));
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_levels_has_a_column_per_value() {
        for missing_indicator in [false, true] {
            let levels = vec![1.0, 2.0, 4.0];
            let encoder =
                ColumnEncoder::ScaledWithLevels { impute: 2.0, mean: 1.0, scale: 2.0, missing_indicator, levels };
            let encode = |value: f32| {
                let mut out = vec![9.0; encoder.width()];
                encoder.encode(value, false, &mut out);
                if missing_indicator {
                    assert_eq!(out.remove(1), f64::from(u8::from(value.is_nan())));
                }
                out
            };
            assert_eq!(encode(4.0), [1.5, 0.0, 0.0, 1.0]);
            assert_eq!(encode(3.0), [1.0, 0.0, 0.0, 0.0]);
            assert_eq!(encode(f32::NAN), encode(2.0));
        }
    }

    #[test]
    fn missing_and_unknown_values_are_encoded() {
        let encoder = DesignMatrixEncoder {
            columns: vec![
                ColumnEncoder::Scaled { impute: 3.0, mean: 1.0, scale: 2.0, missing_indicator: true },
                ColumnEncoder::OneHot { categories: 3, impute: 1 },
            ],
        };
        assert_eq!(encoder.width(), 5);
        let encode = |raw: [f32; 2], unseen: [bool; 2]| {
            let mut out = [9.0; 5];
            encoder.encode(&raw, &unseen, &mut out);
            out
        };
        assert_eq!(encode([5.0, 2.0], [false; 2]), [2.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(encode([f32::NAN; 2], [false; 2]), [1.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(encode([1.0, f32::NAN], [false, true]), [0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
