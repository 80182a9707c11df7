//! Copies: rows that are equal in all columns of the table, also in those that the job does not use. A held-out copy of a
//! training row measures memory, so copies stay on one side of the split and count together for the out-of-bag score.

use std::collections::HashMap;

use crate::frame::{Column, Frame};
use crate::split::MIN_DISTINCT_ROWS;

/// In a small table of categories, equal rows are no copies of each other but rows that happen to agree. Copies are rows
/// of which many times more pairs agree than would agree by chance.
const MIN_RATIO: f64 = 10.0;
/// Maximum number of rows from which the chance is estimated.
const SAMPLE_ROWS: usize = 2_000;

/// The copies of a table.
#[derive(Debug)]
pub(super) struct Copies {
    /// Number of rows that repeat an earlier row.
    pub(super) repeated: usize,
}

/// Finds the copies; `None` if there are none, or not more than by chance.
pub(super) fn find(frame: &Frame) -> Option<Copies> {
    let mut sorted = frame.row_hashes.clone();
    sorted.sort_unstable();
    let (mut repeated, mut pairs) = (0, 0.0);
    for equal in sorted.chunk_by(|a, b| a == b) {
        repeated += equal.len() - 1;
        pairs += equal.len() as f64 * (equal.len() - 1) as f64;
    }
    if repeated == 0 {
        return None;
    }
    let all_pairs = frame.rows as f64 * (frame.rows - 1) as f64;
    (pairs / all_pairs >= MIN_RATIO * chance(frame)).then_some(Copies { repeated })
}

/// The group of each of `rows`, by the hashes of all rows. Copies of each other are one group. Empty with fewer than
/// [`MIN_DISTINCT_ROWS`] groups, where copies are treated as distinct rows.
pub(super) fn groups(hashes: &[u64], rows: &[usize]) -> Vec<u32> {
    let mut numbers: HashMap<u64, u32> = HashMap::new();
    let groups = rows
        .iter()
        .map(|row| {
            let next = numbers.len() as u32;
            *numbers.entry(hashes[*row]).or_insert(next)
        })
        .collect();
    if numbers.len() < MIN_DISTINCT_ROWS { Vec::new() } else { groups }
}

/// The groups of some of the rows, by their positions in `groups`, numbered from 0; empty if there are too few.
pub(super) fn of_some(groups: &[u32], positions: &[usize]) -> Vec<u32> {
    if groups.is_empty() {
        return Vec::new();
    }
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let mut number = |position: &usize| {
        let next = numbers.len() as u32;
        *numbers.entry(groups[*position]).or_insert(next)
    };
    let found: Vec<u32> = positions.iter().map(&mut number).collect();
    if numbers.len() < MIN_DISTINCT_ROWS { Vec::new() } else { found }
}

/// The probability that two rows agree in all columns, if the columns are independent.
fn chance(frame: &Frame) -> f64 {
    let rows: Vec<usize> = (0..frame.rows).step_by(frame.rows.div_ceil(SAMPLE_ROWS)).collect();
    let agree = |mut values: Vec<u64>| {
        values.sort_unstable();
        let squares: f64 = values.chunk_by(|a, b| a == b).map(|equal| (equal.len() as f64).powi(2)).sum();
        squares / (rows.len() as f64).powi(2)
    };
    let of_target = agree(rows.iter().map(|row| frame.target.bits(*row)).collect());
    let of_column = |column: &Column| agree(rows.iter().map(|row| column.bits(*row).unwrap_or(u64::MAX)).collect());
    frame.columns.iter().fold(of_target, |chance, column| chance * of_column(&column.values))
}
