//! Target statistics of categories, for gradient boosting: the mean target of the rows of a category.
//!
//! A statistic that contains the target of a row helps to predict that row, so a model would trust it too much. Training
//! therefore uses ordered statistics (Prokhorenkova et al. 2018, "CatBoost: unbiased boosting with categorical features"):
//! the statistic of a row contains only the rows before it in a random permutation. The first row of a category has the
//! value of a category that did not occur in training, so trees learn what to do with those. The first rows of a
//! permutation have unreliable statistics, so there are several permutations, and the rounds alternate between them. The model contains
//! the statistics of all training rows.
//!
//! A missing value is NaN in training and in prediction: a split can separate missing values from all categories.

use std::ops::Range;

use super::categories::model_codes;
use crate::frame::{Column, Frame, Target};
use crate::model::signature::ranges;
use crate::model::{CategoryStatistic, Feature, FeatureKind};
use crate::rng::{Rng, Stream, mix};
use crate::target_scale::TargetScale;

/// Number of permutations of the training rows, as in CatBoost.
pub(crate) const PERMUTATIONS: usize = 4;
/// The weight of the mean of all rows in the statistic of a category, in rows.
const PRIOR_ROWS: f64 = 1.0;
/// Maximum number of statistics of a category: with more classes those of the most frequent ones.
pub(crate) const MAX_STATISTICS: usize = 8;

/// A column of ordered statistics, which replaces a raw column in training.
#[derive(Debug)]
pub struct OrderedColumn {
    /// The raw column.
    pub raw: usize,
    /// The number of the permutation.
    pub permutation: usize,
    /// One value per training row.
    pub values: Vec<f32>,
}

/// Numbers per training row whose means are the statistics: the target in standard deviations (regression), whether the
/// class is positive (binary), or whether it is one of the most frequent classes (multiclass).
pub(super) fn scores(target: &Target, training: &[usize]) -> Vec<Vec<f32>> {
    match target {
        Target::Numbers(numbers) => {
            let numbers: Vec<f64> = training.iter().map(|row| numbers[*row]).collect();
            let scale = TargetScale::of(&numbers);
            vec![numbers.iter().map(|number| scale.apply(*number) as f32).collect()]
        }
        Target::Classes { task, classes } => {
            let mut counts: Vec<(u32, u32)> = (0..task.labels().len() as u32).map(|class| (class, 0)).collect();
            training.iter().for_each(|row| counts[classes[*row] as usize].1 += 1);
            let scored = if let [_, _] = counts[..] {
                vec![1]
            } else {
                counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
                counts.iter().map(|(class, _)| *class).take(MAX_STATISTICS).collect()
            };
            let of = |class: u32| training.iter().map(|row| f32::from(u8::from(classes[*row] == class))).collect();
            scored.into_iter().map(of).collect()
        }
    }
}

/// Sums of scores per code.
struct Sums {
    prior: f64,
    /// Number of rows and sum of their scores.
    of_code: Vec<(u32, f64)>,
}

impl Sums {
    fn new(n_codes: usize, prior: f64) -> Self {
        Self { prior, of_code: vec![(0, 0.0); n_codes] }
    }

    fn add(&mut self, code: Option<u32>, score: f32) {
        if let Some(code) = code {
            let (count, sum) = &mut self.of_code[code as usize];
            *count += 1;
            *sum += f64::from(score);
        }
    }

    fn mean(&self, code: usize) -> f64 {
        let (count, sum) = self.of_code[code];
        (sum + PRIOR_ROWS * self.prior) / (f64::from(count) + PRIOR_ROWS)
    }

    /// The raw value of a code; NaN for a missing value.
    fn raw(&self, code: Option<u32>) -> f32 {
        code.map_or(f32::NAN, |code| self.mean(code as usize) as f32)
    }
}

fn mean(scores: impl ExactSizeIterator<Item = f32>) -> f64 {
    let count = scores.len() as f64;
    scores.map(f64::from).sum::<f64>() / count.max(1.0)
}

/// The statistic of all training rows. `codes` has the code of each row, `None` for a missing value.
pub(super) fn fit(n_codes: usize, codes: &[Option<u32>], scores: &[f32]) -> CategoryStatistic {
    let mut sums = Sums::new(n_codes, mean(scores.iter().copied()));
    codes.iter().zip(scores).for_each(|(code, score)| sums.add(*code, *score));
    CategoryStatistic { values: (0..n_codes).map(|code| sums.mean(code)).collect(), unseen: sums.prior }
}

/// The categories of the training rows, from which ordered statistics are computed.
#[derive(Debug)]
pub struct CategoryCodes {
    /// See [`scores`].
    scores: Vec<Vec<f32>>,
    features: Vec<FeatureCodes>,
    /// Per training row, a number that only its copies have, too.
    keys: Vec<u64>,
    seed: u64,
}

/// A feature with statistics.
#[derive(Debug)]
struct FeatureCodes {
    /// Its raw columns.
    raw: Range<usize>,
    n_codes: usize,
    /// The code of each training row, `None` for a missing value.
    codes: Vec<Option<u32>>,
}

impl CategoryCodes {
    /// Takes the codes of all features with statistics. Rows with the same number in `copies` (per training row) are
    /// copies of each other.
    pub fn new(frame: &Frame, features: &[Feature], training: &[usize], copies: Option<Vec<u64>>, seed: u64) -> Self {
        let mut found = Vec::new();
        for ((column, feature), raw) in frame.columns.iter().zip(features).zip(ranges(features)) {
            if let (Column::Category { names, codes }, FeatureKind::Category { categories, grouped, statistics, .. }) =
                (&column.values, &feature.kind)
                && !statistics.is_empty()
            {
                let codes = model_codes(names, codes, categories, *grouped, training);
                found.push(FeatureCodes { raw, n_codes: feature.kind.codes(), codes });
            }
        }
        if found.is_empty() {
            return Self { scores: Vec::new(), features: found, keys: Vec::new(), seed };
        }
        let keys = copies.unwrap_or_else(|| (0..training.len() as u64).collect());
        Self { scores: scores(&frame.target, training), features: found, keys, seed }
    }

    /// The columns of ordered statistics of all features. Rows of `validation` (per training row; may be empty) have the
    /// statistics of the other rows, as in prediction. Copies of a row do not see each other's target.
    pub fn ordered_columns(&self, validation: &[bool]) -> Vec<OrderedColumn> {
        if self.features.is_empty() {
            return Vec::new();
        }
        let (validated, training): (Vec<u32>, Vec<u32>) =
            (0..self.keys.len() as u32).partition(|row| validation.get(*row as usize) == Some(&true));
        let orders: Vec<Vec<u32>> = (0..PERMUTATIONS).map(|permutation| self.order(&training, permutation)).collect();
        let mut columns = Vec::new();
        for FeatureCodes { raw, n_codes, codes } in &self.features {
            for (raw, scores) in raw.clone().zip(&self.scores) {
                for (permutation, order) in orders.iter().enumerate() {
                    let mut sums = Sums::new(*n_codes, mean(order.iter().map(|row| scores[*row as usize])));
                    let mut values = vec![f32::NAN; codes.len()];
                    for copies in order.chunk_by(|a, b| self.keys[*a as usize] == self.keys[*b as usize]) {
                        copies.iter().for_each(|row| values[*row as usize] = sums.raw(codes[*row as usize]));
                        copies.iter().for_each(|row| sums.add(codes[*row as usize], scores[*row as usize]));
                    }
                    validated.iter().for_each(|row| values[*row as usize] = sums.raw(codes[*row as usize]));
                    columns.push(OrderedColumn { raw, permutation, values });
                }
            }
        }
        columns
    }

    /// A permutation of rows, in which copies are adjacent.
    fn order(&self, rows: &[u32], permutation: usize) -> Vec<u32> {
        let salt = Rng::new(self.seed, Stream::Order(permutation as u64)).bits();
        let mut order = rows.to_vec();
        order.sort_unstable_by_key(|row| (mix(self.keys[*row as usize] ^ salt), *row));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::TargetOptions;
    use crate::preprocess::{ModelFamily, fit as fit_features};

    fn frame(csv: &str) -> Frame {
        let options = TargetOptions { name: "y", task: None, positive: None };
        Frame::read(csv.as_bytes(), &crate::train::tests::schema(csv), &["c".to_owned()], &options).unwrap()
    }

    /// The ordered columns of a table, and the statistics of its feature.
    fn columns(csv: &str, validation: &[bool], copies: Option<&[u64]>) -> (Vec<OrderedColumn>, Vec<CategoryStatistic>) {
        let mut frame = frame(csv);
        let rows: Vec<usize> = (0..frame.rows).collect();
        let features = fit_features(&mut frame, &rows, &[], ModelFamily::Boosting, 1).unwrap().features;
        let codes = CategoryCodes::new(&frame, &features, &rows, copies.map(<[u64]>::to_vec), 1);
        let columns = codes.ordered_columns(validation);
        let FeatureKind::Category { statistics, orders, .. } = features[0].kind.clone() else { panic!("a category") };
        assert!(orders.is_empty());
        (columns, statistics)
    }

    /// Rows of three categories and missing values; the share of "yes" is 0, a half and 1.
    fn table(rows: usize) -> String {
        (0..rows).fold("c,y\n".to_owned(), |csv, row| {
            let yes = match row % 4 {
                0 => false,
                1 => row % 8 == 1,
                _ => true,
            };
            format!("{csv}{},{}\n", ["low", "middle", "high", ""][row % 4], if yes { "yes" } else { "no" })
        })
    }

    #[test]
    fn a_row_sees_only_the_targets_of_earlier_rows() {
        let csv = table(80);
        let (columns, statistics) = columns(&csv, &[], None);
        assert_eq!(columns.iter().map(|column| column.permutation).collect::<Vec<_>>(), [0, 1, 2, 3]);
        let prior = statistics[0].unseen;
        assert!((prior - 50.0 / 80.0).abs() < 1e-12, "{prior}");
        for column in &columns {
            assert!(column.values.iter().skip(3).step_by(4).all(|value| value.is_nan()), "missing values");
            // A category whose rows are all "no": the statistics are those of 0, 1, 2, … earlier rows, in some order.
            let mut low: Vec<f64> = column.values.iter().step_by(4).map(|value| f64::from(*value)).collect();
            low.sort_by(|a, b| b.total_cmp(a));
            for (earlier, value) in low.iter().enumerate() {
                assert!((value - prior / (earlier as f64 + 1.0)).abs() < 1e-6, "{low:?}");
            }
        }
        assert_ne!(columns[0].values[..3], columns[1].values[..3]);
        // Codes are in the order of their names: high, low, middle.
        let expected = [(20.0 + prior) / 21.0, prior / 21.0, (10.0 + prior) / 21.0];
        assert!(statistics[0].values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{statistics:?}");
    }

    #[test]
    fn validation_rows_have_the_statistics_of_the_other_rows() {
        let csv = table(80);
        let validation: Vec<bool> = (0..80).map(|row| row >= 60).collect();
        let (columns, _) = columns(&csv, &validation, None);
        let prior = csv.lines().skip(1).take(60).filter(|line| line.ends_with("yes")).count() as f64 / 60.0;
        for column in columns {
            for row in (60..80).step_by(4) {
                assert!((f64::from(column.values[row]) - prior / 16.0).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn copies_of_a_row_do_not_see_each_other() {
        let csv = table(80);
        // Rows 0, 8, 16, … are copies.
        let copies: Vec<u64> = (0..80).map(|row| if row % 8 == 0 { 1_000 } else { row }).collect();
        for column in columns(&csv, &[], Some(&copies)).0 {
            let first = column.values[0];
            assert!((0..80).step_by(8).all(|row| column.values[row] == first), "{:?}", column.values);
        }
    }

    #[test]
    fn several_classes_have_a_statistic_each() {
        let csv = (0..90).fold("c,y\n".to_owned(), |csv, row| {
            format!("{csv}{},{}\n", ["u", "v", "w"][row % 3], ["a", "b", "c"][row % 3])
        });
        let (columns, statistics) = columns(&csv, &[], None);
        assert_eq!((columns.len(), statistics.len()), (3 * PERMUTATIONS, 3));
        assert_eq!(columns.iter().map(|column| column.raw).max(), Some(2));
        // Equally frequent classes are in class order; the first class belongs to the first category.
        assert!(statistics[0].values[0] > 0.9 && statistics[0].values[1] < 0.1, "{statistics:?}");
    }
}
