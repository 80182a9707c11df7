//! Validation of ensembles: the weights, how members encode the features, and the members themselves.

use std::ops::Range;

use super::check::{are_orders, are_statistics};
use super::check_estimator::{RawFeature, Shape, check_single};
use super::error::{ArtifactError, ensure};
use crate::model::{Ensemble, Feature, FeatureEncoding, FeatureKind, Member, Signature};

/// Maximum number of members.
const MAX_MEMBERS: usize = 64;
/// The sum of the weights differs from 1 by at most this much.
const WEIGHT_TOLERANCE: f64 = 1e-9;

pub(super) fn check(ensemble: &Ensemble, signature: &Signature) -> Result<(), ArtifactError> {
    let count = ensemble.members.len();
    ensure((1..=MAX_MEMBERS).contains(&count), || format!("{count} members"))?;
    let are_positive = ensemble.members.iter().all(|member| member.weight.is_finite() && member.weight > 0.0);
    let sum: f64 = ensemble.members.iter().map(|member| member.weight).sum();
    ensure(are_positive && (sum - 1.0).abs() <= WEIGHT_TOLERANCE, || "the weights of the members".into())?;
    let ranges = signature.ranges();
    for (i, member) in ensemble.members.iter().enumerate() {
        check_member(member, signature, &ranges).map_err(|error| match error {
            ArtifactError::Invalid(what) => ArtifactError::invalid(format!("{what} of member {i}")),
            error => error,
        })?;
    }
    Ok(())
}

fn check_member(member: &Member, signature: &Signature, ranges: &[Range<usize>]) -> Result<(), ArtifactError> {
    let Member { encodings, estimator, .. } = member;
    ensure(encodings.len() == signature.features.len(), || "the number of encodings".into())?;
    let mut features = Vec::with_capacity(encodings.len());
    for ((feature, encoding), range) in signature.features.iter().zip(encodings).zip(ranges) {
        ensure(is_encoding(encoding, feature, range), || format!("the encoding of feature '{}'", feature.name))?;
        let codes = feature.kind.is_category().then(|| feature.kind.codes());
        features.push(RawFeature { name: &feature.name, width: encoding.width(), codes });
    }
    check_single(estimator, &Shape { features, task: &signature.task })
}

/// Whether an encoding reads only raw values of its feature, at least one.
fn is_encoding(encoding: &FeatureEncoding, feature: &Feature, range: &Range<usize>) -> bool {
    let is_code = |code: u32| match &feature.kind {
        FeatureKind::Category { orders, statistics, .. } => {
            orders.is_empty() && statistics.is_empty() && code as usize == range.start
        }
        _ => false,
    };
    let codes = feature.kind.codes();
    match encoding {
        FeatureEncoding::Select(positions) => {
            (1..=range.len()).contains(&positions.len())
                && positions.iter().all(|position| range.contains(&(*position as usize)))
        }
        FeatureEncoding::Orders { code, orders } => is_code(*code) && !orders.is_empty() && are_orders(orders, codes),
        FeatureEncoding::Statistics { code, statistics } => {
            is_code(*code) && !statistics.is_empty() && are_statistics(statistics, codes)
        }
    }
}
