//! Ensembles: the weighted mean of the outputs of several models, which can be of different families.
//!
//! The families need different raw values of the same feature ([`crate::preprocess::ModelFamily`]). The signature of an
//! ensemble therefore has the plain ones: the code of a category, and all parts of a date. Each member computes its own raw
//! values from these with one [`FeatureEncoding`] per feature, so a request is read once for all members.

use super::encode::rank;
use super::{CategoryOrder, CategoryStatistic, Estimator, Task};

/// The weighted mean of the outputs of its members.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// At least one; none of them is an ensemble.
    pub members: Vec<Member>,
}

/// A model of an ensemble.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Positive. The weights of all members add up to 1.
    pub weight: f64,
    /// One per feature of the signature.
    pub encodings: Vec<FeatureEncoding>,
    /// The fitted numbers, for the raw values of the member.
    pub estimator: Estimator,
}

/// How a member encodes a feature: from the raw row of the signature to the member's own raw values. Positions are those in
/// the raw row of the signature.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureEncoding {
    /// The raw values at these positions: the only one of a number, a boolean or a category, or some parts of a date.
    Select(Vec<u32>),
    /// The ranks of a category.
    Orders {
        /// The position of the category's code.
        code: u32,
        /// As in [`super::FeatureKind::Category`].
        orders: Vec<CategoryOrder>,
    },
    /// The target statistics of a category.
    Statistics {
        /// The position of the category's code.
        code: u32,
        /// As in [`super::FeatureKind::Category`].
        statistics: Vec<CategoryStatistic>,
    },
}

impl FeatureEncoding {
    /// Number of raw values of the member.
    pub fn width(&self) -> usize {
        match self {
            Self::Select(positions) => positions.len(),
            Self::Orders { orders, .. } => orders.len(),
            Self::Statistics { statistics, .. } => statistics.len(),
        }
    }

    /// The first position that is read.
    pub fn position(&self) -> usize {
        match self {
            Self::Select(positions) => positions.first().copied().unwrap_or(0) as usize,
            Self::Orders { code, .. } | Self::Statistics { code, .. } => *code as usize,
        }
    }

    /// Writes the [`Self::width`] raw values of the member, for a raw row of the signature.
    fn encode(&self, raw: &[f32], unseen: bool, out: &mut [f32]) {
        match self {
            Self::Select(positions) => {
                out.iter_mut().zip(positions).for_each(|(out, position)| *out = raw[*position as usize]);
            }
            Self::Orders { code, orders } => {
                let code = category_code(raw[*code as usize]);
                for (out, order) in out.iter_mut().zip(orders) {
                    let found = match code {
                        Some(code) => order.ranks.get(code).copied().flatten(),
                        None => order.missing.filter(|_| !unseen),
                    };
                    *out = found.map_or(f32::NAN, rank);
                }
            }
            Self::Statistics { code, statistics } => {
                let code = category_code(raw[*code as usize]);
                for (out, statistic) in out.iter_mut().zip(statistics) {
                    let found = match code {
                        Some(code) => statistic.values.get(code),
                        None => Some(&statistic.unseen).filter(|_| unseen),
                    };
                    *out = found.map_or(f32::NAN, |value| *value as f32);
                }
            }
        }
    }
}

/// The code of a category. `None` for a missing value, and for an unseen category if rare ones are not a group.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "codes are small non-negative integers")]
fn category_code(raw: f32) -> Option<usize> {
    (!raw.is_nan()).then_some(raw as usize)
}

/// Number of raw values of a member with these encodings.
pub fn width(encodings: &[FeatureEncoding]) -> usize {
    encodings.iter().map(FeatureEncoding::width).sum()
}

/// Encodes a raw row of the signature for a member. `own_raw` and `own_unseen` have one entry per raw value of the member.
///
/// # Panics
/// If a position is outside the raw row.
pub fn encode_member(
    encodings: &[FeatureEncoding],
    raw: &[f32],
    unseen: &[bool],
    own_raw: &mut [f32],
    own_unseen: &mut [bool],
) {
    let (mut own_raw, mut own_unseen) = (own_raw, own_unseen);
    for encoding in encodings {
        let (values, flags);
        (values, own_raw) = own_raw.split_at_mut(encoding.width());
        (flags, own_unseen) = own_unseen.split_at_mut(encoding.width());
        let is_unseen = unseen[encoding.position()];
        encoding.encode(raw, is_unseen, values);
        flags.fill(is_unseen);
    }
}

impl Ensemble {
    /// Computes the output vector of a raw row.
    ///
    /// # Panics
    /// If a position of an encoding is outside the raw row.
    pub fn predict(&self, task: &Task, raw: &[f32], unseen: &[bool], outputs: &mut [f64]) {
        outputs.fill(0.0);
        let mut own_outputs = vec![0.0; outputs.len()];
        for Member { weight, encodings, estimator } in &self.members {
            let width = width(encodings);
            let (mut own_raw, mut own_unseen) = (vec![f32::NAN; width], vec![false; width]);
            encode_member(encodings, raw, unseen, &mut own_raw, &mut own_unseen);
            estimator.predict(task, &own_raw, &own_unseen, &mut own_outputs);
            add_weighted(outputs, &own_outputs, *weight);
        }
    }
}

/// Adds the outputs of a member times its weight.
pub fn add_weighted(outputs: &mut [f64], own_outputs: &[f64], weight: f64) {
    outputs.iter_mut().zip(own_outputs).for_each(|(sum, output)| *sum += weight * output);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::samples::{feature, signature, three_classes};
    use crate::model::{Categories, DatePart, DateUnit, Feature, FeatureKind, Input, Scaling};

    fn parts(units: &[DateUnit]) -> FeatureKind {
        let parts = units.iter().map(|unit| DatePart { unit: *unit, scaling: Scaling::IDENTITY }).collect();
        FeatureKind::Datetime { min: 0.0, max: 9e9, parts }
    }

    /// A member encodes every value as a model of its own family.
    #[test]
    fn members_have_the_raw_values_of_their_family() {
        let categories = || Categories::new(["S", "C", "Q"].map(String::from).to_vec()).unwrap();
        for grouped in [false, true] {
            let category = |orders, statistics| {
                feature("c", FeatureKind::Category { categories: categories(), mode: 0, grouped, orders, statistics })
            };
            let codes = 3 + usize::from(grouped);
            let ranks: Vec<_> = (0..codes as u32).map(|code| (code != 1).then_some(7 - code)).collect();
            let orders = vec![
                CategoryOrder { ranks: ranks.clone(), missing: Some(9) },
                CategoryOrder { ranks: ranks.into_iter().rev().collect(), missing: None },
            ];
            let values = (0..codes).map(|code| code as f64 / 8.0).collect();
            let statistics = vec![CategoryStatistic { values, unseen: 0.3 }];
            let number = &signature(three_classes()).features[0];
            let plain = [number.clone(), category(vec![], vec![]), feature("d", parts(&DateUnit::ALL))];
            let of_trees =
                [number.clone(), category(orders.clone(), vec![]), feature("d", parts(&DateUnit::FOR_TREES))];
            let of_boosting = [number.clone(), category(vec![], statistics.clone()), of_trees[2].clone()];
            let of_dense = [number.clone(), category(vec![], vec![]), feature("d", parts(&DateUnit::FOR_DENSE_MODELS))];
            let date = |units: &[DateUnit]| {
                let position = |unit| 2 + DateUnit::ALL.iter().position(|other| other == unit).unwrap() as u32;
                FeatureEncoding::Select(units.iter().map(position).collect())
            };
            let select = |at| FeatureEncoding::Select(vec![at]);
            let families: [(&[Feature], Vec<FeatureEncoding>); 3] = [
                (&of_trees, vec![select(0), FeatureEncoding::Orders { code: 1, orders }, date(&DateUnit::FOR_TREES)]),
                (
                    &of_boosting,
                    vec![select(0), FeatureEncoding::Statistics { code: 1, statistics }, date(&DateUnit::FOR_TREES)],
                ),
                (&of_dense, vec![select(0), select(1), date(&DateUnit::FOR_DENSE_MODELS)]),
            ];
            let inputs = [
                [Input::Number(4.5), Input::Code(0), Input::Seconds(1.7e9)],
                [Input::Missing, Input::Missing, Input::Missing],
                [Input::Number(-1.0), Input::Unseen, Input::Seconds(-8e8)],
                [Input::Number(2.0), Input::Code(1), Input::Missing],
                [Input::Number(2.0), Input::Code(2), Input::Seconds(0.0)],
            ];
            for (features, encodings) in &families {
                for row in inputs {
                    let (raw, unseen) = encoded(&plain, row);
                    let width = width(encodings);
                    let (mut own_raw, mut own_unseen) = (vec![0.0; width], vec![false; width]);
                    encode_member(encodings, &raw, &unseen, &mut own_raw, &mut own_unseen);
                    let (expected, flags) = encoded(features, row);
                    let bits = |raw: &[f32]| raw.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                    assert_eq!((bits(&own_raw), own_unseen), (bits(&expected), flags), "{row:?} of {features:?}");
                }
            }
        }
    }

    fn encoded(features: &[Feature], row: [Input; 3]) -> (Vec<f32>, Vec<bool>) {
        let (mut raw, mut unseen) = (Vec::new(), Vec::new());
        for (feature, input) in features.iter().zip(row) {
            let width = feature.kind.width();
            let (mut values, mut flags) = (vec![0.0; width], vec![false; width]);
            feature.kind.encode(input, &mut values, &mut flags);
            raw.extend(values);
            unseen.extend(flags);
        }
        (raw, unseen)
    }
}
