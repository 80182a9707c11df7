//! Validation of the distributions. With valid ones every value has a bin, and every bin has a number of rows.

use std::collections::HashSet;

use super::error::{ArtifactError, ensure};
use crate::model::distribution::{MAX_TOP, QUANTILE_BINS};
use crate::model::{Bins, Distribution, FeatureKind, Manifest, Task};

pub(super) fn check(manifest: &Manifest) -> Result<(), ArtifactError> {
    let (signature, distributions) = (&manifest.signature, &manifest.distributions);
    let (found, expected) = (distributions.features.len(), signature.features.len());
    ensure(found == expected, || format!("{found} distributions of {expected} features"))?;
    for (feature, distribution) in signature.features.iter().zip(&distributions.features) {
        let invalid =
            |what| ArtifactError::invalid(format!("{what} in the distribution of feature '{}'", feature.name));
        check_bins(&distribution.bins, &Values::of(&feature.kind)).map_err(invalid)?;
        let rows = rows(distribution).map_err(invalid)?;
        ensure(rows == manifest.rows, || {
            format!("the distribution of feature '{}' has {rows} rows, not {}", feature.name, manifest.rows)
        })?;
    }
    let invalid = |what| ArtifactError::invalid(format!("{what} in the distribution of the predictions"));
    let values = match &signature.task {
        Task::Regression => Values::Numbers,
        classes => Values::Codes(classes.labels().len()),
    };
    check_bins(&distributions.predictions.bins, &values).map_err(invalid)?;
    rows(&distributions.predictions).map(drop).map_err(invalid)
}

/// The values that a distribution must have.
enum Values {
    Numbers,
    Booleans,
    /// Codes below this number.
    Codes(usize),
}

impl Values {
    fn of(kind: &FeatureKind) -> Self {
        match kind {
            FeatureKind::Number { .. } | FeatureKind::Datetime { .. } => Self::Numbers,
            FeatureKind::Boolean { .. } => Self::Booleans,
            // The group of rare categories has no bin of its own.
            FeatureKind::Category { categories, .. } => Self::Codes(categories.len()),
        }
    }
}

fn check_bins(bins: &Bins, values: &Values) -> Result<(), &'static str> {
    match (bins, values) {
        (Bins::Numbers { edges }, Values::Numbers) => {
            let ascend = edges.windows(2).all(|pair| pair[0] < pair[1]);
            if edges.len() >= QUANTILE_BINS || !ascend || !edges.iter().all(|edge| edge.is_finite()) {
                return Err("the edges");
            }
        }
        (Bins::Booleans, Values::Booleans) => {}
        (Bins::Codes { top }, Values::Codes(codes)) => {
            let distinct: HashSet<_> = top.iter().collect();
            let known = top.iter().all(|code| (*code as usize) < *codes);
            if top.len() > MAX_TOP || distinct.len() != top.len() || !known {
                return Err("the codes");
            }
        }
        _ => return Err("bins of another type"),
    }
    Ok(())
}

/// The number of rows in all bins.
fn rows(distribution: &Distribution) -> Result<u64, &'static str> {
    if distribution.rows.len() != distribution.bins.count() {
        return Err("the number of bins");
    }
    distribution.rows.iter().try_fold(0_u64, |sum, rows| sum.checked_add(*rows)).ok_or("the number of rows")
}
