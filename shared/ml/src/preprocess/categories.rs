//! The categories of a feature.

use super::category_orders::{self, FOLDS};
use super::{Found, ModelFamily, distribution, statistics};
use crate::frame::Column;
use crate::model::task::compare;
use crate::model::{Categories, FeatureKind};

/// Maximum number of codes of a feature. With more categories the last code is that of all rare ones.
pub(crate) const MAX_CATEGORIES: usize = 1_000;
/// With up to this many codes, and no missing values, one split by code separates them in any order.
const WITHOUT_ORDER: usize = 2;

/// What the training rows contribute to the orders and statistics of categories.
#[derive(Debug)]
pub(super) struct Targets {
    /// See [`category_orders::scores`].
    pub(super) scores: Vec<f64>,
    /// See [`category_orders::folds`].
    pub(super) folds: Vec<u8>,
    /// See [`statistics::scores`]; empty for other families than boosting.
    pub(super) statistic_scores: Vec<Vec<f32>>,
}

/// The type of a category column. No type without values.
pub(super) fn fit(
    names: &[String],
    codes: &[u32],
    targets: &Targets,
    training: &[usize],
    family: ModelFamily,
) -> Option<Found> {
    let mut counts = vec![0_u32; names.len()];
    for row in training {
        if codes[*row] != Column::MISSING {
            counts[codes[*row] as usize] += 1;
        }
    }
    let by_name = |a: &usize, b: &usize| compare(&names[*a], &names[*b]);
    let mut known: Vec<usize> = (0..names.len()).filter(|code| counts[*code] > 0).collect();
    let present: u32 = known.iter().map(|code| counts[*code]).sum();
    let grouped = known.len() > MAX_CATEGORIES;
    if grouped {
        known.sort_by(|a, b| counts[*b].cmp(&counts[*a]).then_with(|| by_name(a, b)));
        known.truncate(MAX_CATEGORIES - 1);
    }
    known.sort_by(by_name);
    let most = known.iter().map(|code| counts[*code]).max()?;
    let mode = known.iter().position(|code| counts[*code] == most)?;
    // The names of a column are distinct.
    let categories = Categories::new(known.iter().map(|code| names[*code].clone()).collect()).ok()?;
    let n_codes = categories.len() + usize::from(grouped);
    let has_missing = (present as usize) < training.len();
    let needs_order = n_codes + usize::from(has_missing) > WITHOUT_ORDER;
    let order = |uses: &dyn Fn(usize) -> bool| {
        let codes = model_codes(names, codes, &categories, grouped, training);
        category_orders::order(&categories, n_codes, &codes, &targets.scores, uses)
    };
    let orders = match family {
        ModelFamily::Tree if needs_order => vec![order(&|_| true)],
        ModelFamily::Forest if needs_order => {
            (0..FOLDS).map(|fold| order(&|row| usize::from(targets.folds[row]) != fold)).collect()
        }
        _ => Vec::new(),
    };
    let statistics = match family {
        ModelFamily::Boosting if n_codes > WITHOUT_ORDER => {
            let codes = model_codes(names, codes, &categories, grouped, training);
            targets.statistic_scores.iter().map(|scores| statistics::fit(n_codes, &codes, scores)).collect()
        }
        _ => Vec::new(),
    };
    let rows: Vec<u64> = known.iter().map(|code| counts[*code].into()).collect();
    let (others, missing) = (u64::from(present) - rows.iter().sum::<u64>(), training.len() as u64 - u64::from(present));
    let distribution = distribution::of_codes(&rows, others, missing);
    Some(Found { kind: FeatureKind::Category { categories, mode, grouped, orders, statistics }, distribution })
}

/// The code of the model per row: that of the group for a rare category, `None` for a missing or unknown one.
pub(super) fn model_codes(
    names: &[String],
    codes: &[u32],
    categories: &Categories,
    grouped: bool,
    rows: &[usize],
) -> Vec<Option<u32>> {
    let other = grouped.then_some(categories.len() as u32);
    let of_name: Vec<Option<u32>> = names.iter().map(|name| categories.code(name).or(other)).collect();
    rows.iter().map(|row| of_name.get(codes[*row] as usize).copied().flatten()).collect()
}
