//! The design matrix of linear models and support vector classifiers: imputed, one-hot encoded, standardized.

use ndarray::Array2;

use super::Part;
use crate::model::{ColumnEncoder, DesignMatrixEncoder, Feature, FeatureKind};

/// Maximum number of cells of a design matrix: 2 GiB.
const MAX_CELLS: usize = 1 << 28;
/// Numbers of different values with which a number has levels. Two values need none.
const LEVELS: std::ops::RangeInclusive<usize> = 3..=10;

/// The design matrix of the training part, with its encoder.
#[derive(Debug)]
pub struct DesignMatrix {
    /// The encoder for further rows.
    pub encoder: DesignMatrixEncoder,
    /// One row per training row.
    pub matrix: Array2<f64>,
}

impl DesignMatrix {
    /// The mean of each column.
    pub(crate) fn means(&self) -> Vec<f64> {
        let rows = self.matrix.nrows().max(1) as f64;
        self.matrix.columns().into_iter().map(|column| column.sum() / rows).collect()
    }
}

/// Fits the encoder on the training part and applies it; `None` if the matrix would be too large. `with_levels` adds the
/// levels of numbers with few different values, for linear models.
pub fn design_matrix(features: &[Feature], training: &Part, with_levels: bool) -> Option<DesignMatrix> {
    let encoder = DesignMatrixEncoder {
        columns: features
            .iter()
            .zip(&training.ranges)
            .flat_map(|(feature, range)| {
                training.raw[range.clone()].iter().map(|raw| encode(feature, raw, with_levels))
            })
            .collect(),
    };
    let width = encoder.width();
    if training.rows.checked_mul(width).is_none_or(|cells| cells > MAX_CELLS) {
        return None;
    }
    let mut matrix = Array2::zeros((training.rows, width));
    let (mut raw, mut unseen) = (vec![0.0; training.raw.len()], vec![false; training.raw.len()]);
    let mut vector = vec![0.0; width];
    for (row, mut out) in matrix.rows_mut().into_iter().enumerate() {
        training.row(row, &mut raw, &mut unseen);
        encoder.encode(&raw, &unseen, &mut vector);
        out.iter_mut().zip(&vector).for_each(|(out, value)| *out = *value);
    }
    Some(DesignMatrix { encoder, matrix })
}

/// The encoder of one raw column of a feature.
fn encode(feature: &Feature, raw: &[f32], with_levels: bool) -> ColumnEncoder {
    if let FeatureKind::Category { mode, .. } = &feature.kind {
        return ColumnEncoder::OneHot { categories: feature.kind.codes(), impute: *mode };
    }
    // A raw value like those of present values, so that a request with the median gets the same prediction.
    let impute = f64::from(feature.imputed().unwrap_or_else(|| median(raw)));
    let values = || raw.iter().map(|value| if value.is_nan() { impute } else { f64::from(*value) });
    let count = raw.len() as f64;
    let mean = values().map(|value| value / count).sum::<f64>();
    let deviation = values().map(|value| (value - mean).powi(2) / count).sum::<f64>().sqrt();
    // Rounding errors give a constant column a tiny deviation, which must not be scaled to 1.
    let varies = deviation.is_finite() && deviation > mean.abs() * 1e-12;
    let scale = if varies { deviation } else { 1.0 };
    let missing_indicator = feature.missing_in_training > 0;
    let levels = Some(feature).filter(|feature| with_levels && matches!(feature.kind, FeatureKind::Number { .. }));
    match levels.and_then(|_| levels_of(raw)) {
        Some(levels) => ColumnEncoder::ScaledWithLevels { impute, mean, scale, missing_indicator, levels },
        None => ColumnEncoder::Scaled { impute, mean, scale, missing_indicator },
    }
}

/// The different values, ascending, if their number is in [`LEVELS`].
fn levels_of(raw: &[f32]) -> Option<Vec<f64>> {
    let mut levels: Vec<f64> = Vec::new();
    for value in raw.iter().filter(|value| !value.is_nan()).map(|value| f64::from(*value)) {
        if let Err(at) = levels.binary_search_by(|level| level.total_cmp(&value)) {
            if levels.len() == *LEVELS.end() {
                return None;
            }
            levels.insert(at, value);
        }
    }
    LEVELS.contains(&levels.len()).then_some(levels)
}

/// The median of the present values.
fn median(raw: &[f32]) -> f32 {
    let mut present: Vec<f32> = raw.iter().copied().filter(|value| !value.is_nan()).collect();
    present.sort_unstable_by(f32::total_cmp);
    present.get(present.len() / 2).copied().unwrap_or_default()
}

/// Sums one number per design matrix column over the columns of each raw value.
pub(crate) fn per_raw_column(encoder: &DesignMatrixEncoder, columns: &[f64]) -> Vec<f64> {
    let mut rest = columns;
    let widths = encoder.columns.iter().map(ColumnEncoder::width);
    widths
        .map(|width| {
            let (own, tail) = rest.split_at(width);
            rest = tail;
            own.iter().sum()
        })
        .collect()
}
