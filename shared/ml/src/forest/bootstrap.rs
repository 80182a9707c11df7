//! Bootstrap sampling of the rows of a tree.

use super::grow::BootstrapSample;
use super::target::Target;
use crate::rng::Rng;

/// Number of draws per row: `rows` draws with replacement, or one draw per row without bootstrap.
pub(crate) fn counts(rows: usize, bootstrap: bool, rng: &mut Rng) -> Vec<u32> {
    let mut counts = vec![u32::from(!bootstrap); rows];
    if bootstrap {
        for _ in 0..rows {
            counts[rng.below(rows as u32) as usize] += 1;
        }
    }
    counts
}

/// Separates drawn rows from out-of-bag rows; both keep the row order. A row with a drawn copy is not out of bag. `copies`
/// is the group of each row; empty without copies.
pub(crate) fn draw<T: Target>(target: &T, counts: &[u32], copies: &[u32]) -> BootstrapSample<T> {
    // About 63.2 % of the rows are drawn at least once.
    let mut samples = Vec::with_capacity(counts.len() * 2 / 3 + 1);
    let mut out_of_bag_rows = Vec::with_capacity(counts.len() * 2 / 5 + 1);
    for (row, count) in (0_u32..).zip(counts) {
        match count {
            0 => out_of_bag_rows.push(row),
            count => samples.push(target.sample(row, *count)),
        }
    }
    if !copies.is_empty() {
        let mut drawn = vec![false; counts.len()];
        for (group, count) in copies.iter().zip(counts) {
            drawn[*group as usize] |= *count > 0;
        }
        out_of_bag_rows.retain(|row| !drawn[copies[*row as usize] as usize]);
    }
    BootstrapSample { samples, out_of_bag_rows }
}
