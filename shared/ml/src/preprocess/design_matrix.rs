//! The design matrix of linear models and support vector classifiers: imputed, one-hot encoded, standardized.

use ndarray::Array2;

use super::Part;
use crate::model::{DesignMatrixEncoder, Feature, FeatureEncoder, FeatureKind};

/// Maximum number of cells of a design matrix: 2 GiB.
const MAX_CELLS: usize = 1 << 28;

/// The design matrix of the training part, with its encoder.
#[derive(Debug)]
pub struct DesignMatrix {
    /// The encoder for further rows.
    pub encoder: DesignMatrixEncoder,
    /// One row per training row.
    pub matrix: Array2<f64>,
}

/// Fits the encoder on the training part and applies it; `None` if the matrix would be too large.
pub fn design_matrix(features: &[Feature], training: &Part) -> Option<DesignMatrix> {
    let encoder = DesignMatrixEncoder {
        features: features.iter().zip(&training.raw).map(|(feature, raw)| encode(feature, raw)).collect(),
    };
    let width = encoder.width();
    if training.rows.checked_mul(width).is_none_or(|cells| cells > MAX_CELLS) {
        return None;
    }
    let mut matrix = Array2::zeros((training.rows, width));
    let (mut raw, mut unseen) = (vec![0.0; features.len()], vec![false; features.len()]);
    let mut vector = vec![0.0; width];
    for (row, mut out) in matrix.rows_mut().into_iter().enumerate() {
        training.row(row, &mut raw, &mut unseen);
        encoder.encode(&raw, &unseen, &mut vector);
        out.iter_mut().zip(&vector).for_each(|(out, value)| *out = *value);
    }
    Some(DesignMatrix { encoder, matrix })
}

fn encode(feature: &Feature, raw: &[f32]) -> FeatureEncoder {
    if let FeatureKind::Category { categories, mode } = &feature.kind {
        return FeatureEncoder::OneHot { categories: categories.len(), impute: *mode };
    }
    // The imputed value is rounded to f32 like present values, so that a request with the median gets the same
    // prediction.
    let impute = f64::from(feature.imputed().clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32);
    let values = || raw.iter().map(|value| if value.is_nan() { impute } else { f64::from(*value) });
    let count = raw.len() as f64;
    let mean = values().map(|value| value / count).sum::<f64>();
    let deviation = values().map(|value| (value - mean).powi(2) / count).sum::<f64>().sqrt();
    // Rounding errors give a constant column a tiny deviation, which must not be scaled to 1.
    let varies = deviation.is_finite() && deviation > mean.abs() * 1e-12;
    FeatureEncoder::Scaled {
        impute,
        mean,
        scale: if varies { deviation } else { 1.0 },
        missing_indicator: feature.missing_in_training > 0,
    }
}

/// Sums one number per design matrix column over the columns of each feature.
pub(crate) fn per_feature(encoder: &DesignMatrixEncoder, columns: &[f64]) -> Vec<f64> {
    let mut rest = columns;
    let widths = encoder.features.iter().map(FeatureEncoder::width);
    widths
        .map(|width| {
            let (own, tail) = rest.split_at(width);
            rest = tail;
            own.iter().sum()
        })
        .collect()
}
