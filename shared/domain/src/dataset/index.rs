//! A dataset with an index of its columns.

use std::collections::HashMap;
use std::ops::Deref;

use super::{ColumnProfile, Dataset};
use crate::field::shown;

/// Maximum number of columns that an error message lists.
const LISTED: usize = 30;
/// Maximum length of that list in characters, because names can be long.
const LISTED_CHARS: usize = 400;

/// A [`Dataset`] with a hash index of its columns.
#[derive(Debug, Clone)]
pub struct IndexedDataset {
    dataset: Dataset,
    by_name: HashMap<String, usize>,
    column_list: String,
}

impl IndexedDataset {
    /// The profile of the column with this name.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        count_reads(1);
        self.by_name.get(name).map(|at| &self.dataset.columns[*at])
    }

    /// All columns, in file order.
    pub fn columns(&self) -> &[ColumnProfile] {
        count_reads(self.dataset.columns.len());
        &self.dataset.columns
    }

    /// The names of the first columns, for error messages.
    pub fn column_list(&self) -> &str {
        &self.column_list
    }
}

impl From<Dataset> for IndexedDataset {
    fn from(dataset: Dataset) -> Self {
        let by_name = dataset.columns.iter().enumerate().rev().map(|(at, column)| (column.name.clone(), at)).collect();
        let column_list = list(&dataset.columns);
        Self { dataset, by_name, column_list }
    }
}

impl Deref for IndexedDataset {
    type Target = Dataset;

    fn deref(&self) -> &Dataset {
        &self.dataset
    }
}

fn list(columns: &[ColumnProfile]) -> String {
    let mut list = String::new();
    for (i, column) in columns.iter().enumerate() {
        if i == LISTED || list.chars().count() > LISTED_CHARS {
            list.push_str(", …");
            break;
        }
        if i > 0 {
            list.push_str(", ");
        }
        list.push_str(&shown(&column.name));
    }
    list
}

#[cfg(test)]
fn count_reads(columns: usize) {
    profile_reads::READS.set(profile_reads::READS.get() + columns);
}

#[cfg(not(test))]
fn count_reads(_: usize) {}

/// Counts the column profiles that a test's thread reads: a cost measure that needs no clock.
#[cfg(test)]
pub(crate) mod profile_reads {
    use std::cell::Cell;

    thread_local!(pub(super) static READS: Cell<usize> = const { Cell::new(0) });

    /// The number of column profiles that `work` reads on this thread.
    pub(crate) fn during(work: impl FnOnce()) -> usize {
        let before = READS.get();
        work();
        READS.get() - before
    }
}
