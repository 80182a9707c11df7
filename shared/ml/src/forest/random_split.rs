//! A split with a random threshold, for extremely randomized trees (Geurts, Ernst and Wehenkel 2006).

use super::target::{BinSplit, Target, bin_of};
use crate::bins::{MISSING, Side};
use crate::rng::Rng;

/// A split of the rows of a node by one column, with a threshold that is drawn uniformly among those between the lowest and
/// the highest bin of the node. Missing values are tried on both sides. Returns also whether the column varies in the node;
/// without a split although it varies, a side would have fewer than `min_leaf` draws.
pub(crate) fn random_split<T: Target>(
    target: &T,
    column: &[u8],
    samples: &[T::Sample],
    total: &T::Total,
    min_leaf: u32,
    rng: &mut Rng,
) -> (Option<BinSplit>, bool) {
    let (mut low, mut high, mut has_missing) = (u8::MAX, MISSING, false);
    for sample in samples {
        match bin_of::<T>(column, sample) {
            MISSING => has_missing = true,
            bin => (low, high) = (low.min(bin), high.max(bin)),
        }
    }
    let has_numbers = high != MISSING;
    if !has_numbers || (low == high && !has_missing) {
        return (None, false);
    }
    let mut numbers = target.none();
    // Equal numbers can only be separated from the missing values.
    let bin = if low == high { MISSING } else { low + rng.below(u32::from(high - low)) as u8 };
    for sample in samples {
        let of_sample = bin_of::<T>(column, sample);
        if of_sample != MISSING && of_sample <= bin {
            target.add(&mut numbers, sample);
        }
    }
    let split = |left: &T::Total, side: Option<Side>| {
        let right = target.rest(total, left);
        let fits = T::draws(left) >= min_leaf && T::draws(&right) >= min_leaf;
        fits.then(|| BinSplit { score: target.score(left) + target.score(&right), bin, missing: side })
    };
    if !has_missing {
        return (split(&numbers, None), true);
    }
    let right = if bin == MISSING { None } else { split(&numbers, Some(Side::Right)) };
    let mut with_missing = numbers;
    for sample in samples.iter().filter(|sample| bin_of::<T>(column, sample) == MISSING) {
        target.add(&mut with_missing, sample);
    }
    let left = split(&with_missing, Some(Side::Left));
    let better = match (left, right) {
        (Some(left), Some(right)) => Some(if right.score > left.score { right } else { left }),
        (left, right) => left.or(right),
    };
    (better, true)
}
