//! Fits distributions: quantile bins for numbers and dates, the most frequent codes for categories and classes.

use crate::model::Task;
use crate::model::distribution::{Bins, Distribution, MAX_TOP, QUANTILE_BINS};

/// The distribution of sorted finite numbers, and of `missing` rows without a number.
///
/// Up to [`QUANTILE_BINS`] distinct numbers have their own bins. Of more numbers the edges are quantiles, and equal
/// quantiles are one edge. A constant has empty bins below and above it, so that another value is in another bin.
pub(crate) fn of_numbers(sorted: &[f64], missing: usize) -> Distribution {
    let edges = edges(sorted);
    let mut rows = Vec::with_capacity(edges.len() + 2);
    let mut below = 0;
    for edge in &edges {
        let up_to = sorted.partition_point(|number| number <= edge);
        rows.push((up_to - below) as u64);
        below = up_to;
    }
    rows.extend([(sorted.len() - below) as u64, missing as u64]);
    Distribution { bins: Bins::Numbers { edges }, rows }
}

/// The distribution of booleans.
pub(super) fn of_booleans(no: usize, yes: usize, missing: usize) -> Distribution {
    Distribution { bins: Bins::Booleans, rows: [no, yes, missing].map(|rows| rows as u64).to_vec() }
}

/// The distribution of codes. `rows` has the number of rows of each code with a name, `others` that of the group of
/// rare categories.
pub(super) fn of_codes(rows: &[u64], others: u64, missing: u64) -> Distribution {
    let mut top: Vec<u32> = (0..).take(rows.len()).collect();
    // The sort is stable: of equally frequent codes the lowest comes first.
    top.sort_by_key(|code| std::cmp::Reverse(rows[*code as usize]));
    let rest: u64 = top.iter().skip(MAX_TOP).map(|code| rows[*code as usize]).sum();
    top.truncate(MAX_TOP);
    let mut counts: Vec<u64> = top.iter().map(|code| rows[*code as usize]).collect();
    counts.extend([rest + others, missing]);
    Distribution { bins: Bins::Codes { top }, rows: counts }
}

/// The distribution of predictions: [`Task::outputs`] numbers per row.
pub(crate) fn of_predictions(task: &Task, outputs: &[f64]) -> Distribution {
    if *task == Task::Regression {
        let mut numbers = outputs.to_vec();
        numbers.sort_unstable_by(f64::total_cmp);
        return of_numbers(&numbers, 0);
    }
    let mut rows = vec![0; task.labels().len()];
    outputs.chunks_exact(task.outputs()).for_each(|outputs| rows[task.predicted_class(outputs)] += 1);
    of_codes(&rows, 0, 0)
}

fn edges(sorted: &[f64]) -> Vec<f64> {
    let mut distinct = Vec::with_capacity(QUANTILE_BINS);
    for number in sorted {
        if distinct.last() != Some(number) {
            if distinct.len() == QUANTILE_BINS {
                return quantiles(sorted);
            }
            distinct.push(*number);
        }
    }
    match distinct[..] {
        [constant] => [constant.next_down(), constant].into_iter().filter(|edge| edge.is_finite()).collect(),
        _ => distinct.windows(2).map(|pair| midpoint(pair[0], pair[1])).collect(),
    }
}

/// The edges of more than [`QUANTILE_BINS`] distinct numbers.
fn quantiles(sorted: &[f64]) -> Vec<f64> {
    let mut edges: Vec<f64> = Vec::with_capacity(QUANTILE_BINS - 1);
    for q in 1..QUANTILE_BINS {
        let at = q * sorted.len() / QUANTILE_BINS;
        let (low, high) = (sorted[at - 1], sorted[at]);
        let edge = if low < high { midpoint(low, high) } else { low };
        // The largest number is not an edge, because no number would be above it.
        if edges.last().is_none_or(|last| edge > *last) && edge < sorted[sorted.len() - 1] {
            edges.push(edge);
        }
    }
    edges
}

/// A number `m` with `low <= m < high`, halfway if possible.
fn midpoint(low: f64, high: f64) -> f64 {
    // The halves are added, because the sum could overflow.
    let middle = low * 0.5 + high * 0.5;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(sorted: &[f64]) -> (Vec<f64>, Vec<u64>) {
        let Distribution { bins: Bins::Numbers { edges }, rows } = of_numbers(sorted, 3) else { panic!("numbers") };
        assert_eq!(rows.iter().sum::<u64>(), sorted.len() as u64 + 3);
        (edges, rows)
    }

    #[test]
    fn few_distinct_numbers_have_their_own_bins() {
        assert_eq!(numbers(&[1.0, 1.0, 2.0, 3.0, 3.0, 3.0]), (vec![1.5, 2.5], vec![2, 1, 3, 3]));
        let adjacent = [1.0, 1.0_f64.next_up()];
        assert_eq!(numbers(&adjacent), (vec![1.0], vec![1, 1, 3]));
        let extreme = [-f64::MAX, f64::MAX];
        assert_eq!(numbers(&extreme), (vec![0.0], vec![1, 1, 3]));
    }

    #[test]
    fn a_constant_has_empty_bins_on_both_sides() {
        assert_eq!(numbers(&[7.0; 4]), (vec![7.0_f64.next_down(), 7.0], vec![0, 4, 0, 3]));
        assert_eq!(numbers(&[-f64::MAX; 2]), (vec![-f64::MAX], vec![2, 0, 3]));
    }

    #[test]
    fn many_numbers_have_quantile_bins() {
        let even: Vec<f64> = (0..1_000).map(f64::from).collect();
        let (edges, rows) = numbers(&even);
        assert_eq!((edges[0], edges[8]), (99.5, 899.5));
        assert_eq!(rows, [[100; 10].as_slice(), &[3]].concat());
        // Six of ten numbers are 0: their quantiles are one edge.
        let ties: Vec<f64> = (0..100).map(|row| f64::from(row.max(60)) - 60.0).collect();
        let (edges, rows) = numbers(&ties);
        assert_eq!((edges.len(), &rows[..2]), (4, [61, 9].as_slice()), "{edges:?} {rows:?}");
        // All but a few numbers are equal to the largest.
        let mut top = vec![99.0; 100];
        (0..11).for_each(|row| top[row] = row as f64);
        assert_eq!(numbers(&top), (vec![9.5], vec![10, 90, 3]));
    }

    #[test]
    fn rare_codes_share_a_bin() {
        let rows: Vec<u64> = (0..30).collect();
        let Distribution { bins: Bins::Codes { top }, rows } = of_codes(&rows, 5, 2) else { panic!("codes") };
        assert_eq!((top[0], top[19], top.len()), (29, 10, MAX_TOP));
        assert_eq!(rows[20..], [(0..10).sum::<u64>() + 5, 2]);
        assert_eq!(of_codes(&[3, 3, 4], 0, 1).rows, [4, 3, 3, 0, 1]);
        assert_eq!(of_codes(&[3, 3, 4], 0, 1).bins, Bins::Codes { top: vec![2, 0, 1] });
    }

    #[test]
    fn predictions_are_counted_by_class_or_by_number() {
        let binary = crate::artifact::samples::binary();
        assert_eq!(of_predictions(&binary, &[0.2, 0.5, 0.9]).rows, [2, 1, 0, 0]);
        assert_eq!(of_predictions(&binary, &[0.2, 0.5, 0.9]).bins, Bins::Codes { top: vec![1, 0] });
        let three = crate::artifact::samples::three_classes();
        assert_eq!(of_predictions(&three, &[0.1, 0.2, 0.7, 0.8, 0.1, 0.1]).rows, [1, 1, 0, 0, 0]);
        assert_eq!(of_predictions(&Task::Regression, &[3.0, 1.0, 3.0]).rows, [1, 2, 0]);
    }
}
