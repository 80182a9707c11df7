//! The rows and the columns of a tree.

use super::bins::Bins;
use crate::rng::Rng;

/// The features of the binned columns.
#[derive(Debug)]
pub(super) struct ColumnDraw<'a> {
    bins: &'a Bins,
    /// The raw columns, each once.
    raw: Vec<usize>,
    permutations: usize,
}

impl<'a> ColumnDraw<'a> {
    pub(super) fn new(bins: &'a Bins) -> Self {
        let mut raw: Vec<usize> = bins.columns().iter().map(|column| column.raw).collect();
        raw.sort_unstable();
        raw.dedup();
        let permutations =
            bins.columns().iter().filter_map(|column| column.permutation).max().map_or(1, |last| last + 1);
        Self { bins, raw, permutations }
    }

    /// Whether a tree of this round uses each column: those of the round's permutation, of a random share of the raw
    /// columns.
    pub(super) fn draw(&self, round: usize, fraction: f64, rng: &mut Rng) -> Vec<bool> {
        let count = ((self.raw.len() as f64 * fraction).round() as usize).clamp(1, self.raw.len().max(1));
        let mut drawn = self.raw.clone();
        if count < drawn.len() {
            rng.shuffle(&mut drawn);
            drawn.truncate(count);
            drawn.sort_unstable();
        }
        let is_active = |raw: usize, permutation: Option<usize>| {
            permutation.is_none_or(|permutation| permutation == round % self.permutations)
                && drawn.binary_search(&raw).is_ok()
        };
        self.bins.columns().iter().map(|column| is_active(column.raw, column.permutation)).collect()
    }
}

/// A random share of the rows, in ascending order (selection sampling: Knuth, volume 2, algorithm 3.4.2 S).
pub(super) fn draw_rows(rows: &[u32], share: f64, rng: &mut Rng) -> Vec<u32> {
    let mut needed = ((rows.len() as f64 * share).round() as usize).clamp(1, rows.len());
    if needed == rows.len() {
        return rows.to_vec();
    }
    let mut drawn = Vec::with_capacity(needed);
    for (at, row) in rows.iter().enumerate() {
        if rng.unit() * ((rows.len() - at) as f64) < needed as f64 {
            drawn.push(*row);
            needed -= 1;
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn a_share_of_the_rows_is_drawn_once_each() {
        let rows: Vec<u32> = (0..1_000).collect();
        let drawn = draw_rows(&rows, 0.3, &mut Rng::new(1, Stream::Tree(0)));
        assert!(drawn.len() == 300 && drawn.is_sorted_by(|a, b| a < b));
        assert_ne!(drawn, draw_rows(&rows, 0.3, &mut Rng::new(1, Stream::Tree(1))));
        assert_eq!(draw_rows(&rows, 1.0, &mut Rng::new(1, Stream::Tree(0))), rows);
    }
}
