//! A dataset whose columns are found by name without a scan.

use std::collections::HashMap;
use std::ops::Deref;

use super::{ColumnProfile, Dataset};
use crate::field::shown;

/// Columns named in a message about a column that does not exist.
const LISTED: usize = 30;
/// Longest such list, in characters: names can be long.
const LISTED_CHARS: usize = 400;

/// A [`Dataset`] with an index of its columns. Building it costs one step a column, a lookup a hash.
#[derive(Debug, Clone)]
pub struct IndexedDataset {
    dataset: Dataset,
    by_name: HashMap<String, usize>,
    column_list: String,
}

impl IndexedDataset {
    /// The profile of the column called `name`.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        count_visits(1);
        self.by_name.get(name).map(|at| &self.dataset.columns[*at])
    }

    /// Every column, in file order.
    pub fn columns(&self) -> &[ColumnProfile] {
        count_visits(self.dataset.columns.len());
        &self.dataset.columns
    }

    /// The names of the first columns, for messages.
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
fn count_visits(columns: usize) {
    visits::VISITS.set(visits::VISITS.get() + columns);
}

#[cfg(not(test))]
fn count_visits(_: usize) {}

/// Counts how many column profiles a test's thread has looked at: what validation costs, without a clock.
#[cfg(test)]
pub(crate) mod visits {
    use std::cell::Cell;

    thread_local!(pub(super) static VISITS: Cell<usize> = const { Cell::new(0) });

    /// Column profiles looked at while `work` ran on this thread.
    pub(crate) fn during(work: impl FnOnce()) -> usize {
        let before = VISITS.get();
        work();
        VISITS.get() - before
    }
}
