//! Orders of categories by their mean target, for trees.
//!
//! An order that contains the target of a row helps to predict that row, so an out-of-bag score would be too high. A
//! forest therefore has [`FOLDS`] orders. Each is fitted without one fold of the training rows, each tree uses one order,
//! and a tree's out-of-bag predictions count only for the rows of its fold. A single tree has no such score and uses one
//! order of all rows.
//!
//! Rare categories occur only in the fold that an order is fitted without. For the trees of this order they are like
//! categories that training did not see, so these trees learn from them where unseen categories go.

use crate::frame::Target;
use crate::model::CategoryOrder;
use crate::model::task::compare;
use crate::rng::{Rng, Stream};

/// Number of folds and orders of a forest.
pub(crate) const FOLDS: usize = 4;
/// The weight of the overall mean in the mean of a category, in rows, because the mean of a few rows is unreliable.
const PRIOR_ROWS: f64 = 2.0;

/// The fold of each training row. Copies of a row are in the same fold; see [`super::fit`] for `copies`.
pub(super) fn folds(rows: usize, copies: &[u32], seed: u64) -> Vec<u8> {
    let groups = copies.iter().max().map_or(rows, |last| *last as usize + 1);
    let mut folds: Vec<u8> = (0..groups).map(|group| (group % FOLDS) as u8).collect();
    Rng::new(seed, Stream::CategoryFolds).shuffle(&mut folds);
    if copies.is_empty() { folds } else { copies.iter().map(|group| folds[*group as usize]).collect() }
}

/// A number per training row, whose mean orders the categories: the target (regression), whether the class is positive
/// (binary), or whether it is the most frequent class (multiclass).
pub(super) fn scores(target: &Target, training: &[usize]) -> Vec<f64> {
    match target {
        Target::Numbers(numbers) => training.iter().map(|row| numbers[*row]).collect(),
        Target::Classes { task, classes } => {
            let mut counts = vec![0_u32; task.labels().len()];
            for row in training {
                counts[classes[*row] as usize] += 1;
            }
            let of = match counts.as_slice() {
                [_, _] => 1,
                counts => (0..counts.len()).rev().max_by_key(|class| counts[*class]).unwrap_or(0) as u32,
            };
            training.iter().map(|row| f64::from(u8::from(classes[*row] == of))).collect()
        }
    }
}

/// The order of the codes `0..n_codes`, and of missing values, by the mean score of the rows that `uses` selects. The codes
/// of these rows have a rank. `names` are the names of the codes; with one name less than codes the last code is the
/// group of rare categories. `codes` has the code of each row, `None` for a missing value.
pub(super) fn order(
    names: &[String],
    n_codes: usize,
    codes: &[Option<u32>],
    scores: &[f64],
    uses: impl Fn(usize) -> bool,
) -> CategoryOrder {
    let mut sums = vec![(0_u32, 0.0); n_codes + 1];
    for (row, score) in scores.iter().enumerate().filter(|(row, _)| uses(*row)) {
        let (count, sum) = &mut sums[codes[row].map_or(n_codes, |code| code as usize)];
        *count += 1;
        *sum += score;
    }
    let rows: u32 = sums.iter().map(|(count, _)| count).sum();
    let overall = sums.iter().map(|(_, sum)| sum).sum::<f64>() / f64::from(rows.max(1));
    let mean = |code: usize| {
        let (count, sum) = sums[code];
        // The overall mean is subtracted, so that the order does not depend on a large mean.
        (sum - overall * f64::from(count)) / (f64::from(count) + PRIOR_ROWS)
    };
    let name = |code: usize| names.get(code).map_or("", String::as_str);
    let mut order: Vec<usize> = (0..=n_codes).filter(|code| sums[*code].0 > 0).collect();
    order.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)).then_with(|| compare(name(*a), name(*b))));
    let mut ranks = vec![None; n_codes + 1];
    (0_u32..).zip(&order).for_each(|(rank, code)| ranks[*code] = Some(rank));
    let missing = ranks.pop().flatten();
    CategoryOrder { ranks, missing }
}
