//! The design matrix of linear models and support vector machines: imputed, one-hot, standardised.

use ndarray::Array2;

use super::Part;
use crate::model::{DesignEncoding, Feature, FeatureEncoding, FeatureKind};

/// Most numbers in a design matrix: 2 GiB of them.
const MAX_CELLS: usize = 1 << 28;

/// The training part as a matrix, with the encoding that makes any other row of the same shape.
#[derive(Debug)]
pub struct Design {
    /// How raw rows become design vectors.
    pub encoding: DesignEncoding,
    /// A design vector per row.
    pub matrix: Array2<f64>,
}

/// Fits the encoding on the training part and applies it; `None` when the matrix would be too large to hold.
pub fn design(features: &[Feature], training: &Part) -> Option<Design> {
    let encoding = DesignEncoding {
        features: features.iter().zip(&training.raw).map(|(feature, raw)| encode(feature, raw)).collect(),
    };
    let width = encoding.width();
    if training.rows.checked_mul(width).is_none_or(|cells| cells > MAX_CELLS) {
        return None;
    }
    let mut matrix = Array2::zeros((training.rows, width));
    let (mut raw, mut unseen) = (vec![0.0; features.len()], vec![false; features.len()]);
    let mut vector = vec![0.0; width];
    for (row, mut out) in matrix.rows_mut().into_iter().enumerate() {
        training.row(row, &mut raw, &mut unseen);
        encoding.encode(&raw, &unseen, &mut vector);
        out.iter_mut().zip(&vector).for_each(|(out, value)| *out = *value);
    }
    Some(Design { encoding, matrix })
}

fn encode(feature: &Feature, raw: &[f32]) -> FeatureEncoding {
    if let FeatureKind::Category { categories, mode } = &feature.kind {
        return FeatureEncoding::OneHot { categories: categories.len(), impute: *mode };
    }
    // What is imputed goes through f32 as present values do, so that a client who sends the median gets the same answer.
    let impute = f64::from(feature.imputed().clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32);
    let values = || raw.iter().map(|value| if value.is_nan() { impute } else { f64::from(*value) });
    let count = raw.len() as f64;
    let mean = values().map(|value| value / count).sum::<f64>();
    let deviation = values().map(|value| (value - mean).powi(2) / count).sum::<f64>().sqrt();
    // Rounding leaves a constant column a trace of spread, which must not be blown up to 1.
    let varies = deviation.is_finite() && deviation > mean.abs() * 1e-12;
    FeatureEncoding::Scaled {
        impute,
        mean,
        scale: if varies { deviation } else { 1.0 },
        missing_indicator: feature.missing_in_training > 0,
    }
}

/// Sums a number per design column over each feature's columns.
pub(crate) fn per_feature(encoding: &DesignEncoding, columns: &[f64]) -> Vec<f64> {
    let mut rest = columns;
    let widths = encoding.features.iter().map(FeatureEncoding::width);
    widths
        .map(|width| {
            let (own, tail) = rest.split_at(width);
            rest = tail;
            own.iter().sum()
        })
        .collect()
}
