//! The splits of small nodes and of histograms against those of a search over all thresholds.

use super::*;
use crate::bins::goes_left;
use crate::forest::target::bin_of;
use crate::rng::{Rng, Stream};

/// The score of a split; `None` if a side has too few draws.
fn score(
    target: &BinaryTarget<'_>,
    column: &[u8],
    samples: &[Sample],
    (bin, side): (u8, Side),
    min_leaf: u32,
) -> Option<f64> {
    let is_left = goes_left(bin, side);
    let left = samples.iter().filter(|sample| is_left(bin_of::<BinaryTarget<'_>>(column, sample)));
    let left: Packed = left.map(|sample| sample.packed()).sum();
    let right = target.rest(&target.total(samples), &left);
    let fits = [left, right].iter().all(|side| BinaryTarget::draws(side) >= min_leaf.max(1));
    fits.then(|| target.score(&left) + target.score(&right))
}

#[test]
fn the_best_split_is_found_in_nodes_of_every_size() {
    let mut rng = Rng::new(5, Stream::Split);
    let rows = 70_000;
    let classes: Vec<u32> = (0..rows).map(|_| rng.below(2)).collect();
    let mut found = 0;
    for (size, weights, min_leaf, values, missing) in [
        (2, [1.0, 1.0], 1, 255, 0),
        (3, [1.0, 1.0], 1, 3, 2),
        (9, [0.6, 3.0], 1, 255, 4),
        (17, [1.0, 1.0], 5, 20, 0),
        (33, [1.0, 1.0], 1, 255, 10),
        (48, [0.5, 8.0], 3, 255, 0),
        (49, [1.0, 1.0], 1, 255, 3),
        (300, [0.6, 3.0], 4, 40, 5),
        (2_000, [1.0, 1.0], 1, 255, 0),
        (rows, [1.0, 1.0], 1, 100, 7),
    ] {
        let target = BinaryTarget { classes: &classes, weights };
        let mut scratch = target.scratch();
        for _ in 0..if size == rows { 1 } else { 30 } {
            let column: Vec<u8> =
                (0..rows).map(|_| if rng.below(40) < missing { 0 } else { 1 + rng.below(values) as u8 }).collect();
            let samples: Vec<Sample> = (0..size as u32).map(|row| target.sample(row, 1 + rng.below(3))).collect();
            let total = target.total(&samples);
            if target.is_pure(&total) {
                continue;
            }
            target.start_node(&mut scratch, &samples, &total);
            let (split, varies) = target.best_split(&mut scratch, &column, &samples, &total, min_leaf);
            let bins = &column[..size];
            assert_eq!(varies, bins.iter().any(|bin| *bin != bins[0]));
            let all = (0..=u8::MAX).flat_map(|bin| [(bin, Side::Left), (bin, Side::Right)]);
            let best = all.filter_map(|at| score(&target, &column, &samples, at, min_leaf)).fold(f64::MIN, f64::max);
            let Some(split) = split else {
                assert_eq!(best, f64::MIN);
                continue;
            };
            let at = (split.bin, split.missing.unwrap_or(Side::Left));
            let of_split = score(&target, &column, &samples, at, min_leaf).unwrap();
            assert!((of_split - split.score).abs() <= 1e-9 * of_split, "{of_split} is not {}", split.score);
            let gain = best - target.score(&total);
            assert!(
                best - of_split <= 1e-5 * gain.abs() + 1e-9 * best,
                "{of_split} of {size} rows, and {best} is possible"
            );
            assert_eq!(split.missing.is_some(), bins.contains(&0));
            found += 1;
        }
    }
    assert!(found > 200, "{found}");
}
