//! The ensemble of several models that were trained on the whole training part.

use serde_json::Map;

use super::Refitted;
use crate::metrics::importances::per_feature;
use crate::model::signature::ranges;
use crate::model::{Ensemble, Estimator, Feature, FeatureEncoding, FeatureKind, Member, Signature};
use crate::preprocess::Part;
use crate::train::Chosen;
use crate::train::decisions::Decisions;

/// Combines the models.
pub(super) fn combine(members: Vec<Refitted>, signature: Signature, held_out: Part) -> Chosen {
    let importances = weighted_importances(&members);
    let member = |Refitted { features, fitted, weight }: Refitted| Member {
        weight,
        encodings: encodings(&signature.features, &features),
        estimator: fitted.estimator,
    };
    let ensemble = Ensemble { members: members.into_iter().map(member).collect() };
    Chosen {
        estimator: Estimator::Ensemble(ensemble),
        distributions: Vec::new(),
        signature,
        held_out,
        rows: 0,
        self_test_rows: Vec::new(),
        importances,
        metrics: Map::new(),
        params: Map::new(),
        decisions: Decisions::default(),
        search: None,
    }
}

/// The weighted mean of the importances of all members. `None` if a member has none, so that they are measured by
/// permutation.
fn weighted_importances(members: &[Refitted]) -> Option<Vec<f64>> {
    let mut sum = vec![0.0; members.first()?.features.len()];
    for Refitted { features, fitted, weight } in members {
        let importances = per_feature(fitted.importances.as_ref()?, &ranges(features));
        sum.iter_mut().zip(importances).for_each(|(sum, importance)| *sum += weight * importance);
    }
    Some(sum)
}

/// How a member with the features `own` encodes the features of the signature. Both were fitted on the same rows, so they
/// have the same categories, scalings and parts of dates.
fn encodings(signature: &[Feature], own: &[Feature]) -> Vec<FeatureEncoding> {
    let positions = ranges(signature);
    let encoding = |((feature, own), range): ((&Feature, &Feature), &std::ops::Range<usize>)| {
        let first = range.start as u32;
        match (&feature.kind, &own.kind) {
            (_, FeatureKind::Category { orders, .. }) if !orders.is_empty() => {
                FeatureEncoding::Orders { code: first, orders: orders.clone() }
            }
            (_, FeatureKind::Category { statistics, .. }) if !statistics.is_empty() => {
                FeatureEncoding::Statistics { code: first, statistics: statistics.clone() }
            }
            (FeatureKind::Datetime { parts: all, .. }, FeatureKind::Datetime { parts, .. }) => {
                let position = |part| all.iter().position(|other| other == part).map(|at| first + at as u32);
                FeatureEncoding::Select(parts.iter().filter_map(position).collect())
            }
            _ => FeatureEncoding::Select(vec![first]),
        }
    };
    signature.iter().zip(own).zip(&positions).map(encoding).collect()
}
