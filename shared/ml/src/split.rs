//! The split into training part and held-out part: seeded, and stratified for classification.

use std::collections::HashMap;
use std::hash::Hash;

use crate::rng::{Rng, Stream};

/// Row numbers of both parts, in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows of the training part.
    pub train: Vec<usize>,
    /// Rows of the held-out part.
    pub test: Vec<usize>,
}

/// Splits each class in proportion; `classes` contains the class index of every row.
///
/// A class with at least two rows is in both parts; a class with one row is only in the training part. Rows with the same
/// number in `copies`, if given, are copies of each other and stay on one side, unless a class has fewer than
/// [`MIN_DISTINCT_ROWS`] distinct rows.
pub fn stratified(classes: &[u32], n_classes: usize, copies: Option<&[u64]>, test_size: f64, seed: u64) -> Split {
    let mut rng = Rng::new(seed, Stream::Split);
    Split::divide(members(classes, n_classes), copies, test_size, &mut rng)
}

/// Splits `rows` rows without stratification. From two rows each part has at least one. For `copies` see [`stratified`].
pub fn plain(rows: usize, copies: Option<&[u64]>, test_size: f64, seed: u64) -> Split {
    Split::divide(vec![(0..rows).collect()], copies, test_size, &mut Rng::new(seed, Stream::Split))
}

/// Per row, whether it is a validation row: split as by [`stratified`] with the classes and their number, or else as by
/// [`plain`].
pub fn validation(
    rows: usize,
    classes: Option<(&[u32], usize)>,
    copies: Option<&[u64]>,
    fraction: f64,
    seed: u64,
) -> Vec<bool> {
    let members = classes.map_or_else(|| vec![(0..rows).collect()], |(classes, n_classes)| members(classes, n_classes));
    let split = Split::divide(members, copies, fraction, &mut Rng::new(seed, Stream::Validation));
    let mut is_validation = vec![false; rows];
    split.test.into_iter().for_each(|row| is_validation[row] = true);
    is_validation
}

/// The rows of each class.
fn members(classes: &[u32], n_classes: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); n_classes];
    for (row, class) in classes.iter().enumerate() {
        members[*class as usize].push(row);
    }
    members
}

/// With fewer distinct rows, copies can be on both sides.
pub(crate) const MIN_DISTINCT_ROWS: usize = 5;

/// The folds of a cross-validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// The fold of each row; empty without folds.
    pub of_row: Vec<usize>,
    /// Number of folds: 0, or at least 2.
    pub count: usize,
}

impl Folds {
    /// No cross-validation.
    pub const NONE: Self = Self { of_row: Vec::new(), count: 0 };

    /// Assigns each row to one of at most `most` folds, so that every fold has rows of both classes; [`Folds::NONE`] if a
    /// class has too few rows. Rows with the same number in `copies` are copies of each other and stay in one fold, unless a
    /// class consists of one distinct row. `copies` is empty without copies.
    pub fn stratified(classes: &[bool], copies: &[u32], most: usize, rng: &mut Rng) -> Self {
        let groups = [false, true].map(|class| {
            let rows: Vec<usize> = (0..classes.len()).filter(|row| classes[*row] == class).collect();
            let groups = if copies.is_empty() { Vec::new() } else { group(&rows, copies) };
            if groups.len() < 2 { rows.into_iter().map(|row| vec![row]).collect() } else { groups }
        });
        let count = groups.iter().map(Vec::len).fold(most, usize::min);
        if count < 2 {
            return Self::NONE;
        }
        let (mut of_row, mut rows_of) = (vec![0; classes.len()], vec![0; count]);
        for mut groups in groups {
            rng.shuffle(&mut groups);
            let mut of_class = vec![0; count];
            for group in groups {
                // The fold with the fewest rows of the class. Rows without copies are dealt round robin.
                let fold = (0..count).min_by_key(|fold| (of_class[*fold], rows_of[*fold])).unwrap_or_default();
                of_class[fold] += group.len();
                rows_of[fold] += group.len();
                group.into_iter().for_each(|row| of_row[row] = fold);
            }
        }
        Self { of_row, count }
    }
}

/// The rows by their number in `copies`, in the order of their first rows.
fn group<K: Copy + Eq + Hash>(rows: &[usize], copies: &[K]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut by_copy: HashMap<K, usize> = HashMap::new();
    for row in rows {
        let at = *by_copy.entry(copies[*row]).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(*row),
            None => groups.push(vec![*row]),
        }
    }
    groups
}

fn share(rows: usize, test_size: f64) -> usize {
    ((rows as f64 * test_size).round() as usize).clamp(1, rows - 1)
}

impl Split {
    /// Divides each list of rows in proportion.
    fn divide(members: Vec<Vec<usize>>, copies: Option<&[u64]>, test_size: f64, rng: &mut Rng) -> Self {
        let mut split = Self { train: Vec::new(), test: Vec::new() };
        for rows in members {
            split.add(rows, copies, test_size, rng);
        }
        split.in_file_order()
    }

    /// Divides the rows of one class.
    fn add(&mut self, mut rows: Vec<usize>, copies: Option<&[u64]>, test_size: f64, rng: &mut Rng) {
        let held_out = if rows.len() < 2 { 0 } else { share(rows.len(), test_size) };
        let groups = copies.map(|copies| group(&rows, copies)).filter(|groups| groups.len() >= MIN_DISTINCT_ROWS);
        let Some(mut groups) = groups else {
            rng.shuffle(&mut rows);
            self.test.extend_from_slice(&rows[..held_out]);
            self.train.extend_from_slice(&rows[held_out..]);
            return;
        };
        rng.shuffle(&mut groups);
        // A group that is too large for the rest of the held-out part is used for training.
        let smallest = (0..groups.len()).min_by_key(|group| groups[*group].len());
        let fits = |rows: usize, group: &[usize]| rows + group.len() <= held_out;
        let none_fits = groups.iter().all(|group| !fits(0, group));
        let mut test_rows = 0;
        for (at, group) in groups.iter().enumerate() {
            if fits(test_rows, group) || (none_fits && Some(at) == smallest) {
                test_rows += group.len();
                self.test.extend_from_slice(group);
            } else {
                self.train.extend_from_slice(group);
            }
        }
    }

    fn in_file_order(mut self) -> Self {
        self.train.sort_unstable();
        self.test.sort_unstable();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(counts: &[usize]) -> Vec<u32> {
        counts.iter().enumerate().flat_map(|(class, count)| vec![class as u32; *count]).collect()
    }

    #[test]
    fn each_class_is_split_in_proportion() {
        let classes = classes(&[80, 20, 2, 1]);
        let split = stratified(&classes, 4, None, 0.2, 42);
        let held_out = |class| split.test.iter().filter(|row| classes[**row] == class).count();
        assert_eq!([held_out(0), held_out(1), held_out(2), held_out(3)], [16, 4, 1, 0]);
        let mut all: Vec<usize> = split.train.iter().chain(&split.test).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..103).collect::<Vec<_>>());
    }

    #[test]
    fn the_seed_decides_the_parts() {
        let classes = classes(&[50, 50]);
        assert_eq!(stratified(&classes, 2, None, 0.2, 1), stratified(&classes, 2, None, 0.2, 1));
        assert_ne!(stratified(&classes, 2, None, 0.2, 1), stratified(&classes, 2, None, 0.2, 2));
        assert_eq!(plain(100, None, 0.25, 1).test.len(), 25);
        assert_ne!(plain(100, None, 0.25, 1), plain(100, None, 0.25, 2));
    }

    #[test]
    fn both_parts_have_rows_from_two_rows() {
        let split = plain(2, None, 0.05, 1);
        assert_eq!((split.train.len(), split.test.len()), (1, 1));
        assert_eq!(plain(1, None, 0.5, 1).test.len(), 0);
    }

    #[test]
    fn copies_stay_on_one_side() {
        let classes = classes(&[90, 30]);
        // 30 distinct rows with three copies, and two rows with 15 copies.
        let copies: Vec<u64> = (0..120).map(|row| if row < 90 { row / 3 } else { 100 + row % 2 }).collect();
        let split = stratified(&classes, 2, Some(&copies), 0.2, 3);
        let held_out = |class| split.test.iter().filter(|row| classes[**row] == class).count();
        assert_eq!((held_out(0), held_out(1)), (18, 6));
        let side: HashMap<u64, bool> = split.test.iter().map(|row| (copies[*row], true)).collect();
        assert!(split.train.iter().all(|row| *row >= 90 || !side.contains_key(&copies[*row])));
        // Without copies the split is the same as if every row is its own group.
        let distinct: Vec<u64> = (0..120).collect();
        assert_eq!(stratified(&classes, 2, Some(&distinct), 0.2, 3), stratified(&classes, 2, None, 0.2, 3));
    }

    #[test]
    fn folds_are_stratified() {
        let classes: Vec<bool> = (0..30).map(|row| row % 5 == 0).collect();
        let folds = Folds::stratified(&classes, &[], 3, &mut Rng::new(1, Stream::Folds(0)));
        for fold in 0..3 {
            let of_fold = |class| (0..30).filter(|row| folds.of_row[*row] == fold && classes[*row] == class).count();
            assert_eq!((of_fold(true), of_fold(false)), (2, 8));
        }
        let distinct: Vec<u32> = (0..30).collect();
        assert_eq!(Folds::stratified(&classes, &distinct, 3, &mut Rng::new(1, Stream::Folds(0))), folds);
        let rare: Vec<bool> = (0..30).map(|row| row == 7).collect();
        assert_eq!(Folds::stratified(&rare, &[], 5, &mut Rng::new(1, Stream::Folds(0))), Folds::NONE);
    }

    #[test]
    fn copies_stay_in_one_fold() {
        // Twenty distinct rows of one class with one to four copies, and four of the other class.
        let (mut classes, mut copies) = (Vec::new(), Vec::new());
        for row in 0..24_u32 {
            for _ in 0..1 + row % 4 {
                classes.push(row >= 20);
                copies.push(row);
            }
        }
        let folds = Folds::stratified(&classes, &copies, 5, &mut Rng::new(1, Stream::Folds(0)));
        assert_eq!(folds.count, 4, "the other class has four distinct rows");
        let mut fold_of: HashMap<u32, usize> = HashMap::new();
        for (copy, fold) in copies.iter().zip(&folds.of_row) {
            assert_eq!(fold_of.entry(*copy).or_insert(*fold), fold, "row {copy}");
        }
        for fold in 0..4 {
            let of_fold =
                |class| (0..classes.len()).filter(|row| folds.of_row[*row] == fold && classes[*row] == class).count();
            assert!((9..=16).contains(&of_fold(false)), "{}", of_fold(false));
            assert!(of_fold(true) > 0);
        }
        // A class that repeats one row: its rows are in different folds, as without copies.
        let one = vec![99; 60];
        assert_eq!(
            Folds::stratified(&[[true; 30], [false; 30]].concat(), &one, 5, &mut Rng::new(1, Stream::Folds(0))).count,
            5
        );
    }
}
