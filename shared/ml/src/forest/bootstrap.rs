//! Drawing a tree's rows with replacement.

use super::grow::Draw;
use super::target::Target;
use crate::rng::Rng;

/// How often each row is drawn: `rows` draws with replacement, or every row once without bootstrap.
pub(crate) fn counts(rows: usize, bootstrap: bool, rng: &mut Rng) -> Vec<u32> {
    let mut counts = vec![u32::from(!bootstrap); rows];
    if bootstrap {
        for _ in 0..rows {
            counts[rng.below(rows as u32) as usize] += 1;
        }
    }
    counts
}

/// Tells the drawn rows, packed, from the others; both in row order.
pub(crate) fn draw<T: Target>(target: &T, counts: &[u32]) -> Draw<T> {
    // About 63.2 % of the rows are drawn at least once.
    let mut samples = Vec::with_capacity(counts.len() * 2 / 3 + 1);
    let mut left_out = Vec::with_capacity(counts.len() * 2 / 5 + 1);
    for (row, count) in (0_u32..).zip(counts) {
        match count {
            0 => left_out.push(row),
            count => samples.push(target.sample(row, *count)),
        }
    }
    Draw { samples, left_out }
}
