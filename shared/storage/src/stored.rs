//! Rows that may not be readable: written by another version of the program, or altered by hand.
//!
//! One such row must not hide the others. Lists skip it, log it and read on until their page is full ([`PageReader`]);
//! reading it alone is an error that names the table, the row and the column.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::error::{Result, StorageError};

/// A row of a table, and the value that it stores.
pub(crate) trait StoredRow: Sized {
    /// The table, for the log.
    const TABLE: &'static str;
    /// What names the row: its first columns.
    type Key: Clone + PartialEq + Display;
    /// What the row stores.
    type Value;

    fn key(&self) -> Self::Key;

    /// The value, or [`StorageError::Corrupt`].
    fn read(self) -> Result<Self::Value>;
}

/// A row as the database answered it, readable or not.
pub(crate) enum Stored<T: StoredRow> {
    Row(T),
    /// The driver could not decode a column. `None` where the key itself could not be decoded.
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
            // A defect of the query, not of the row.
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

    /// The value of this one row.
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

    /// The value; an error is logged.
    fn value_or_log(self) -> Result<T::Value> {
        let key = self.key();
        self.value().inspect_err(|error| log_unreadable(T::TABLE, name(key), error))
    }
}

fn name(key: Option<impl Display>) -> String {
    key.map_or_else(|| "with an unreadable key".to_owned(), |key| key.to_string())
}

/// The values of the rows that can be read; the others are skipped.
pub(crate) fn readable<T: StoredRow>(rows: Vec<Stored<T>>) -> Vec<T::Value> {
    rows.into_iter().filter_map(|row| row.value_or_log().ok()).collect()
}

/// The values of rows, and what is wrong with the others.
pub(crate) struct Split<T: StoredRow> {
    pub(crate) values: Vec<T::Value>,
    pub(crate) unreadable: Vec<(T::Key, StorageError)>,
}

/// Parts the rows that can be read from the others.
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

/// Rows that a further query asks for after one that found unreadable rows.
const FURTHER: i64 = 1_000;

/// Fills a page with readable rows, by as many queries as that takes: usually one.
pub(crate) struct PageReader<T: StoredRow> {
    limit: i64,
    before: Option<T::Key>,
    asked: i64,
    done: bool,
    values: Vec<T::Value>,
}

impl<T: StoredRow> PageReader<T> {
    /// A page of `limit` values that begins after the row with the key `before`.
    pub(crate) fn new(before: Option<T::Key>, limit: i64) -> Self {
        Self { limit, before, asked: limit, done: false, values: Vec::new() }
    }

    /// The next query: rows after the one with this key, and how many. `None` once the page is full or the list ends.
    pub(crate) fn next_query(&self) -> Option<(Option<T::Key>, i64)> {
        (!self.done).then(|| (self.before.clone(), self.asked))
    }

    /// Adds what the query found, in its order.
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

/// The key of a table whose first column is its id.
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

/// A row is logged once in this time.
const LOG_EVERY: Duration = Duration::from_secs(60);
/// Rows remembered as logged.
const MAX_LOGGED: usize = 1_000;

/// When unreadable rows were last logged: lists are read often, and the same row is found each time.
#[derive(Debug, Default)]
struct Logged(HashMap<(&'static str, String), Instant>);

impl Logged {
    /// Whether to log the row now.
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
