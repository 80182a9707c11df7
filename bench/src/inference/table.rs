//! The synthetic table: numbers of which six decide about the class, with noise.

use std::fmt::Write as _;

/// Number of features.
pub(crate) const FEATURES: usize = 20;
/// Rows of the dataset. Without the held-out fifth, a forest of 100 trees with leaves of 5 rows has about 45,000 nodes.
pub(crate) const TABLE_ROWS: usize = 4_500;
/// The column of the class.
pub(crate) const TARGET: &str = "label";
/// A forest reaches an accuracy of about 0.83 for new rows; always the same class would be right for 0.53 of them.
pub(crate) const MIN_ACCURACY: f64 = 0.75;

/// The standard deviation of the noise.
const NOISE: f64 = 0.7;
/// Values have four decimals.
const SCALE: f64 = 10_000.0;

/// A row with its class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) features: [f64; FEATURES],
    pub(crate) label: bool,
}

/// The names of the features.
pub(crate) fn names() -> [String; FEATURES] {
    std::array::from_fn(|column| format!("f{column}"))
}

/// `count` rows. Equal seeds give equal rows.
pub(crate) fn rows(seed: u64, count: usize) -> Vec<Row> {
    let mut random = Random(seed);
    (0..count).map(|_| row(&mut random)).collect()
}

fn row(random: &mut Random) -> Row {
    let features: [f64; FEATURES] = std::array::from_fn(|_| ((random.uniform() * 2.0 - 1.0) * SCALE).round() / SCALE);
    let [a, b, c, d, e, f, ..] = features;
    let score = 2.0 * (3.0 * a).sin() + 3.0 * b * c + d - 2.0 * e * e + 0.5 * f + 0.5;
    Row { features, label: score + NOISE * random.normal() > 0.0 }
}

/// The table as CSV, with the class as 0 or 1 in the last column.
pub(crate) fn csv(rows: &[Row]) -> String {
    let mut csv = format!("{},{TARGET}\n", names().join(","));
    for row in rows {
        for value in row.features {
            let _ = write!(csv, "{value},");
        }
        let _ = writeln!(csv, "{}", u8::from(row.label));
    }
    csv
}

/// The share of rows whose class a probability of at least one half predicts.
pub(crate) fn accuracy(rows: &[Row], probabilities: &[f64]) -> f64 {
    let right = rows.iter().zip(probabilities).filter(|(row, prob)| (**prob >= 0.5) == row.label);
    right.count() as f64 / rows.len() as f64
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Approximately normal: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_classes_are_frequent_and_a_constant_is_not_sensible() {
        let rows = rows(1, 2_000);
        assert_eq!(rows, super::rows(1, 2_000));
        let always = accuracy(&rows, &vec![1.0; rows.len()]);
        assert!((0.4..0.6).contains(&always), "{always}");
        let csv = csv(&rows[..1]);
        assert!(csv.starts_with("f0,f1,") && csv.lines().count() == 2, "{csv}");
        assert_eq!(csv.lines().last().unwrap().split(',').count(), FEATURES + 1);
    }
}
