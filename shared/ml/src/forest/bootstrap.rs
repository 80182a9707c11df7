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
    // About 63.2 % of the rows are drawn at least once, in no order that a processor could predict: each row is written to
    // both lists, and one of them keeps it. A list has room for one more row, because the next one may not stay.
    let drawn = counts.iter().filter(|count| **count > 0).count();
    let mut samples = vec![T::Sample::default(); drawn + 1];
    let mut out_of_bag_rows = vec![0; counts.len() - drawn + 1];
    let (mut next_sample, mut next_row) = (0, 0);
    for (row, count) in (0_u32..).zip(counts) {
        samples[next_sample] = target.sample(row, *count);
        out_of_bag_rows[next_row] = row;
        next_sample += usize::from(*count > 0);
        next_row += usize::from(*count == 0);
    }
    samples.truncate(next_sample);
    out_of_bag_rows.truncate(next_row);
    if !copies.is_empty() {
        let mut drawn = vec![false; counts.len()];
        for (group, count) in copies.iter().zip(counts) {
            drawn[*group as usize] |= *count > 0;
        }
        out_of_bag_rows.retain(|row| !drawn[copies[*row as usize] as usize]);
    }
    BootstrapSample { samples, out_of_bag_rows }
}
