//! The design vector: what linear models and support vector machines see of a raw row. Fitted by training on its own
//! part alone, saved in the model, and carried out here for both sides.

/// How each feature becomes columns, in feature order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DesignEncoding {
    /// One entry per feature.
    pub features: Vec<FeatureEncoding>,
}

/// How one feature becomes columns.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureEncoding {
    /// A number or a boolean: `(value - mean) / scale`, and behind it, where `missing_indicator` is set (the column had
    /// missing values in training), a column that is 1 when the value is missing and 0 otherwise.
    Scaled {
        /// Stands in for a missing value.
        impute: f64,
        /// Mean of the training part, imputed values counted.
        mean: f64,
        /// Standard deviation of the same; positive (1 for a constant column).
        scale: f64,
        /// Whether a missing-value column follows.
        missing_indicator: bool,
    },
    /// A category: one 0/1 column per code. Missing counts as `impute`; an unseen category leaves all columns 0.
    OneHot {
        /// How many codes there are.
        categories: usize,
        /// The code that stands in for a missing value.
        impute: usize,
    },
}

impl FeatureEncoding {
    /// Columns this feature takes.
    pub fn width(&self) -> usize {
        match self {
            Self::Scaled { missing_indicator, .. } => 1 + usize::from(*missing_indicator),
            Self::OneHot { categories, .. } => *categories,
        }
    }
}

impl DesignEncoding {
    /// Columns of the design vector.
    pub fn width(&self) -> usize {
        self.features.iter().map(FeatureEncoding::width).sum()
    }

    /// Fills `out` (`width()` numbers) from a raw row: one number and one unseen flag per feature.
    pub fn encode(&self, raw: &[f32], unseen: &[bool], out: &mut [f64]) {
        let mut rest = out;
        for ((feature, &value), &unseen) in self.features.iter().zip(raw).zip(unseen) {
            let (columns, tail) = rest.split_at_mut(feature.width());
            feature.encode(value, unseen, columns);
            rest = tail;
        }
    }
}

impl FeatureEncoding {
    fn encode(&self, value: f32, unseen: bool, columns: &mut [f64]) {
        match *self {
            Self::Scaled { impute, mean, scale, .. } => {
                let missing = value.is_nan();
                columns[0] = (if missing { impute } else { f64::from(value) } - mean) / scale;
                if let Some(indicator) = columns.get_mut(1) {
                    *indicator = f64::from(u8::from(missing));
                }
            }
            Self::OneHot { impute, .. } => {
                columns.fill(0.0);
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a code; `as` saturates")]
                let code = if value.is_nan() { impute } else { value as usize };
                if let Some(column) = columns.get_mut(code).filter(|_| !unseen) {
                    *column = 1.0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_unseen_values_have_their_own_shapes() {
        let encoding = DesignEncoding {
            features: vec![
                FeatureEncoding::Scaled { impute: 3.0, mean: 1.0, scale: 2.0, missing_indicator: true },
                FeatureEncoding::OneHot { categories: 3, impute: 1 },
            ],
        };
        assert_eq!(encoding.width(), 5);
        let encode = |raw: [f32; 2], unseen: [bool; 2]| {
            let mut out = [9.0; 5];
            encoding.encode(&raw, &unseen, &mut out);
            out
        };
        assert_eq!(encode([5.0, 2.0], [false; 2]), [2.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(encode([f32::NAN; 2], [false; 2]), [1.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(encode([1.0, f32::NAN], [false, true]), [0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
