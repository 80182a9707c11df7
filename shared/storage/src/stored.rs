//! Rows that may be unreadable: written by another version of the program, or changed by hand.
//!
//! One unreadable row must not fail a list. Lists log it, skip it and fetch further rows until the page is full
//! ([`PageReader`]). Reading the row alone is an error that names table, key and column.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::error::{Result, StorageError};

/// A row of a table that stores a value.
pub(crate) trait StoredRow: Sized {
    /// The table, for the log.
    const TABLE: &'static str;
    /// The key: the first columns of the row.
    type Key: Clone + PartialEq + Display;
    /// The stored value.
    type Value;

    fn key(&self) -> Self::Key;

    /// Parses the value; fails with [`StorageError::Corrupt`].
    fn read(self) -> Result<Self::Value>;
}

/// A fetched row, readable or not.
pub(crate) enum Stored<T: StoredRow> {
    Row(T),
    /// A column could not be decoded. The key is `None` if it could not be decoded either.
    Unreadable(Option<T::Key>, StorageError),
}

impl<'r, R, T> FromRow<'r, R> for Stored<T>
where
    R: Row,
    T: StoredRow + FromRow<'r, R>,
    T::Key: FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        match T::from_row(row) {
            Ok(row) => Ok(Self::Row(row)),
            Err(error @ (sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))) => {
                Ok(Self::Unreadable(T::Key::from_row(row).ok(), error.into()))
            }
            // A defect of the query.
            Err(other) => Err(other),
        }
    }
}

impl<T: StoredRow> Stored<T> {
    pub(crate) fn key(&self) -> Option<T::Key> {
        match self {
            Self::Row(row) => Some(row.key()),
            Self::Unreadable(key, _) => key.clone(),
        }
    }

    /// The value of a single row.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] with the table, the row and the column.
    pub(crate) fn value(self) -> Result<T::Value> {
        let (key, error) = match self {
            Self::Row(row) => {
                let key = row.key();
                match row.read() {
                    Ok(value) => return Ok(value),
                    Err(error) => (Some(key), error),
                }
            }
            Self::Unreadable(key, error) => (key, error),
        };
        Err(match error {
            StorageError::Corrupt(what) => StorageError::Corrupt(format!("{} {}, {what}", T::TABLE, name(key))),
            other => other,
        })
    }

    /// The value. Logs an error.
    fn value_or_log(self) -> Result<T::Value> {
        let key = self.key();
        self.value().inspect_err(|error| log_unreadable(T::TABLE, name(key), error))
    }
}

fn name(key: Option<impl Display>) -> String {
    key.map_or_else(|| "with an unreadable key".to_owned(), |key| key.to_string())
}

/// The values of the readable rows. Skips the others.
pub(crate) fn readable<T: StoredRow>(rows: Vec<Stored<T>>) -> Vec<T::Value> {
    rows.into_iter().filter_map(|row| row.value_or_log().ok()).collect()
}

/// The values of the readable rows, and the errors of the others.
pub(crate) struct Split<T: StoredRow> {
    pub(crate) values: Vec<T::Value>,
    pub(crate) unreadable: Vec<(T::Key, StorageError)>,
}

/// Separates readable rows from unreadable ones.
pub(crate) fn split<T: StoredRow>(rows: Vec<Stored<T>>) -> Split<T> {
    let (mut values, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let key = row.key();
        match row.value_or_log() {
            Ok(value) => values.push(value),
            Err(error) => unreadable.extend(key.map(|key| (key, error))),
        }
    }
    Split { values, unreadable }
}

/// Limit of further queries, after a query that found unreadable rows.
const FURTHER: i64 = 1_000;

/// Fills a page with readable rows. One query is enough, unless rows are unreadable.
pub(crate) struct PageReader<T: StoredRow> {
    limit: i64,
    before: Option<T::Key>,
    asked: i64,
    done: bool,
    values: Vec<T::Value>,
}

impl<T: StoredRow> PageReader<T> {
    /// A page of `limit` values after the row with the key `before`.
    pub(crate) fn new(before: Option<T::Key>, limit: i64) -> Self {
        Self { limit, before, asked: limit, done: false, values: Vec::new() }
    }

    /// The key and the limit of the next query. `None` once the page is full or the list has ended.
    pub(crate) fn next_query(&self) -> Option<(Option<T::Key>, i64)> {
        (!self.done).then(|| (self.before.clone(), self.asked))
    }

    /// Adds the rows of a query.
    pub(crate) fn add(&mut self, rows: Vec<Stored<T>>) {
        let found = rows.len();
        let last = rows.iter().rev().find_map(Stored::key);
        self.values.extend(readable(rows));
        let limit = usize::try_from(self.limit).unwrap_or(0);
        let ended = i64::try_from(found).is_ok_and(|found| found < self.asked);
        self.done = ended || self.values.len() >= limit || last.is_none() || last == self.before;
        self.values.truncate(limit);
        (self.before, self.asked) = (last, self.limit.max(FURTHER));
    }

    pub(crate) fn values(self) -> Vec<T::Value> {
        self.values
    }
}

/// A key of one column, `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) Uuid);

impl<'r, R: Row> FromRow<'r, R> for Id
where
    (Uuid,): FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        <(Uuid,)>::from_row(row).map(|(id,)| Self(id))
    }
}

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key of two columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair<A, B>(pub(crate) A, pub(crate) B);

impl<'r, R: Row, A, B> FromRow<'r, R> for Pair<A, B>
where
    (A, B): FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        <(A, B)>::from_row(row).map(|(first, second)| Self(first, second))
    }
}

impl<A: Display, B: Display> Display for Pair<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

/// Minimum time between two log lines about the same row.
const LOG_EVERY: Duration = Duration::from_secs(60);
/// Maximum number of rows to remember.
const MAX_LOGGED: usize = 1_000;

/// When unreadable rows were last logged. Frequent lists find the same row each time.
#[derive(Debug, Default)]
struct Logged(HashMap<(&'static str, String), Instant>);

impl Logged {
    /// Whether to log the row at `now`.
    fn is_due(&mut self, table: &'static str, key: &str, now: Instant) -> bool {
        let row = (table, key.to_owned());
        if self.0.get(&row).is_some_and(|at| now.duration_since(*at) < LOG_EVERY) {
            return false;
        }
        if self.0.len() >= MAX_LOGGED {
            self.0.clear();
        }
        self.0.insert(row, now);
        true
    }
}

fn log_unreadable(table: &'static str, key: String, error: &StorageError) {
    static LOGGED: LazyLock<Mutex<Logged>> = LazyLock::new(Mutex::default);
    if LOGGED.lock().unwrap_or_else(PoisonError::into_inner).is_due(table, &key, Instant::now()) {
        tracing::error!(table, key, %error, "a stored row cannot be read and is skipped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_logged_once_a_minute() {
        let (mut logged, start) = (Logged::default(), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        assert!(logged.is_due("jobs", "1", at(0)));
        assert!(!logged.is_due("jobs", "1", at(59)));
        assert!(logged.is_due("jobs", "2", at(59)) && logged.is_due("models", "1", at(59)));
        assert!(logged.is_due("jobs", "1", at(60)));
    }

    #[test]
    fn the_rows_remembered_as_logged_are_bounded() {
        let (mut logged, now) = (Logged::default(), Instant::now());
        for row in 0..5 * MAX_LOGGED {
            assert!(logged.is_due("jobs", &row.to_string(), now));
        }
        assert!(logged.0.len() <= MAX_LOGGED);
    }
}
