//! The split into training part and held-out part: seeded, and stratified for classification.

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
/// A class with at least two rows is in both parts; a class with one row is only in the training part.
pub fn stratified(classes: &[u32], n_classes: usize, test_size: f64, seed: u64) -> Split {
    let mut rng = Rng::new(seed, Stream::Split);
    let mut members = vec![Vec::new(); n_classes];
    for (row, class) in classes.iter().enumerate() {
        members[*class as usize].push(row);
    }
    let mut split = Split { train: Vec::new(), test: Vec::new() };
    for rows in &mut members {
        rng.shuffle(rows);
        let held_out = if rows.len() < 2 { 0 } else { share(rows.len(), test_size) };
        split.test.extend_from_slice(&rows[..held_out]);
        split.train.extend_from_slice(&rows[held_out..]);
    }
    split.in_file_order()
}

/// Splits `rows` rows without stratification. From two rows each part has at least one.
pub fn plain(rows: usize, test_size: f64, seed: u64) -> Split {
    let mut order: Vec<usize> = (0..rows).collect();
    Rng::new(seed, Stream::Split).shuffle(&mut order);
    let held_out = if rows < 2 { 0 } else { share(rows, test_size) };
    Split { test: order[..held_out].to_vec(), train: order[held_out..].to_vec() }.in_file_order()
}

/// Assigns each row to one of `folds` folds, stratified by class.
pub fn stratified_folds(classes: &[bool], folds: usize, rng: &mut Rng) -> Vec<usize> {
    let mut fold_of = vec![0; classes.len()];
    let mut next = 0;
    for class in [false, true] {
        let mut rows: Vec<usize> = (0..classes.len()).filter(|row| classes[*row] == class).collect();
        rng.shuffle(&mut rows);
        for row in rows {
            fold_of[row] = next % folds;
            next += 1;
        }
    }
    fold_of
}

fn share(rows: usize, test_size: f64) -> usize {
    ((rows as f64 * test_size).round() as usize).clamp(1, rows - 1)
}

impl Split {
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
        let split = stratified(&classes, 4, 0.2, 42);
        let held_out = |class| split.test.iter().filter(|row| classes[**row] == class).count();
        assert_eq!([held_out(0), held_out(1), held_out(2), held_out(3)], [16, 4, 1, 0]);
        let mut all: Vec<usize> = split.train.iter().chain(&split.test).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..103).collect::<Vec<_>>());
    }

    #[test]
    fn the_seed_decides_the_parts() {
        let classes = classes(&[50, 50]);
        assert_eq!(stratified(&classes, 2, 0.2, 1), stratified(&classes, 2, 0.2, 1));
        assert_ne!(stratified(&classes, 2, 0.2, 1), stratified(&classes, 2, 0.2, 2));
        assert_eq!(plain(100, 0.25, 1).test.len(), 25);
        assert_ne!(plain(100, 0.25, 1), plain(100, 0.25, 2));
    }

    #[test]
    fn both_parts_have_rows_from_two_rows() {
        let split = plain(2, 0.05, 1);
        assert_eq!((split.train.len(), split.test.len()), (1, 1));
        assert_eq!(plain(1, 0.5, 1).test.len(), 0);
    }

    #[test]
    fn folds_are_stratified() {
        let classes: Vec<bool> = (0..30).map(|row| row % 5 == 0).collect();
        let folds = stratified_folds(&classes, 3, &mut Rng::new(1, Stream::Folds(0)));
        for fold in 0..3 {
            let of_fold = |class| (0..30).filter(|row| folds[*row] == fold && classes[*row] == class).count();
            assert_eq!((of_fold(true), of_fold(false)), (2, 8));
        }
    }
}
