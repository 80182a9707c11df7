//! The folds and the samples of the training part, for cross-validation and for searches. Copies of a row are in one fold, and
//! in the same samples.

use std::collections::HashMap;

use crate::rng::{Rng, Stream};

/// The fold of each row of the training part, and the samples that contain the row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Folds {
    /// `None` for the rows of a class whose rows are all copies of each other: without them a model would not know the class.
    fold: Vec<Option<usize>>,
    /// A sample with a larger share of the rows contains the row.
    enters: Vec<f64>,
    /// Rows of folds from this one on are only trained on.
    validated: usize,
}

/// Positions of rows in the training part, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoldRows {
    pub(super) training: Vec<usize>,
    pub(super) validation: Vec<usize>,
}

impl Folds {
    /// Divides the rows of each class, or all rows of a regression, into folds of about the same size. `classes` has the
    /// class of each row and the number of classes. `copies` is the group of each row, numbered from 0; empty without copies.
    pub(super) fn new(
        rows: usize,
        classes: Option<(&[u32], usize)>,
        copies: &[u32],
        (folds, validated): (usize, usize),
        seed: u64,
    ) -> Self {
        let mut members = vec![Vec::new(); classes.map_or(1, |(_, n_classes)| n_classes)];
        for row in 0..rows {
            members[classes.map_or(0, |(classes, _)| classes[row] as usize)].push(row);
        }
        let mut rng = Rng::new(seed, Stream::SearchFolds);
        let mut found = Self { fold: vec![None; rows], enters: vec![0.0; rows], validated };
        let mut next = 0;
        for rows in members {
            let mut groups = groups(rows, copies);
            rng.shuffle(&mut groups);
            let count = groups.len();
            for (at, group) in groups.into_iter().enumerate() {
                for row in group {
                    found.fold[row] = (count > 1).then_some((next + at) % folds);
                    // Every sample has two groups of each class, which are in different folds.
                    found.enters[row] = if at < 2 { 0.0 } else { at as f64 / count as f64 };
                }
            }
            next += count;
        }
        found
    }

    /// The rows of a sample that a model is trained on and validated with, if `fold` is left out.
    pub(super) fn rows(&self, fold: usize, share: f64) -> FoldRows {
        let (validation, training) = self.sample(share).partition(|row| self.fold[*row] == Some(fold));
        FoldRows { training, validation }
    }

    /// The rows of a sample that are predicted by a model that was not trained on them.
    pub(super) fn validated(&self, share: f64) -> Vec<usize> {
        self.sample(share).filter(|row| self.of(*row).is_some()).collect()
    }

    /// The fold of a row that is validated.
    pub(super) fn of(&self, row: usize) -> Option<usize> {
        self.fold[row].filter(|fold| *fold < self.validated)
    }

    /// The rows of a sample with this share of the rows.
    pub(super) fn sample(&self, share: f64) -> impl Iterator<Item = usize> {
        (0..self.fold.len()).filter(move |row| self.enters[*row] < share)
    }
}

/// The rows by their group of copies, in the order of their first rows.
fn groups(rows: Vec<usize>, copies: &[u32]) -> Vec<Vec<usize>> {
    if copies.is_empty() {
        return rows.into_iter().map(|row| vec![row]).collect();
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of: HashMap<u32, usize> = HashMap::new();
    for row in rows {
        let at = *group_of.entry(copies[row]).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(counts: &[usize]) -> Vec<u32> {
        counts.iter().enumerate().flat_map(|(class, count)| vec![class as u32; *count]).collect()
    }

    #[test]
    fn each_row_is_validated_once_and_never_trained_on_in_its_fold() {
        let classes = classes(&[80, 20, 2]);
        let folds = Folds::new(102, Some((&classes, 3)), &[], (5, 5), 42);
        let mut validated = Vec::new();
        for fold in 0..5 {
            let FoldRows { training, validation } = folds.rows(fold, 1.0);
            assert_eq!(training.len() + validation.len(), 102);
            assert!(validation.iter().all(|row| !training.contains(row)));
            let of_class = |class| validation.iter().filter(|row| classes[**row] == class).count();
            assert_eq!((of_class(0), of_class(1)), (16, 4), "the classes are stratified");
            assert!((0..3).all(|class| training.iter().any(|row| classes[*row] == class)));
            validated.extend(validation);
        }
        validated.sort_unstable();
        assert_eq!(validated, (0..102).collect::<Vec<_>>());
        assert_eq!(folds.validated(1.0), validated);
        assert_ne!(folds, Folds::new(102, Some((&classes, 3)), &[], (5, 5), 43));
    }

    #[test]
    fn copies_are_in_one_fold_and_one_sample() {
        let copies: Vec<u32> = (0..90).map(|row| row / 3).collect();
        let folds = Folds::new(90, None, &copies, (5, 5), 1);
        for share in [0.3, 1.0] {
            for fold in 0..5 {
                let FoldRows { training, validation } = folds.rows(fold, share);
                let count = |rows: &[usize], group| rows.iter().filter(|row| copies[**row] == group).count();
                for group in 0..30 {
                    let sides = (count(&training, group), count(&validation, group));
                    assert!([(3, 0), (0, 3), (0, 0)].contains(&sides), "{sides:?}");
                }
            }
        }
    }

    #[test]
    fn samples_grow_and_keep_every_class() {
        let classes = classes(&[900, 90, 2, 1]);
        let folds = Folds::new(993, Some((&classes, 4)), &[], (5, 5), 7);
        let samples: Vec<Vec<usize>> = [0.01, 0.1, 0.5, 1.0].map(|share| folds.sample(share).collect()).to_vec();
        assert!(samples.windows(2).all(|pair| pair[0].iter().all(|row| pair[1].contains(row))));
        let of_class = |sample: &[usize], class| sample.iter().filter(|row| classes[**row] == class).count();
        assert_eq!([0, 1, 2, 3].map(|class| of_class(&samples[1], class)), [90, 9, 2, 1]);
        assert_eq!([0, 1, 2, 3].map(|class| of_class(&samples[0], class)), [9, 2, 2, 1]);
        assert_eq!(samples[3].len(), 993);
        // The class with one row is always trained on.
        assert!((0..5).all(|fold| folds.rows(fold, 0.1).training.contains(&992)));
        assert!(!folds.validated(1.0).contains(&992));
    }

    #[test]
    fn a_large_table_validates_one_fold() {
        let folds = Folds::new(1_000, None, &[], (5, 1), 7);
        assert_eq!((folds.validated(1.0).len(), folds.rows(0, 1.0).training.len()), (200, 800));
    }
}
