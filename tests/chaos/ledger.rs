//! What the suite was promised: each accepted job, what was meant with it, and each answer it got.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use chrono::{DateTime, Utc};

/// What a job is meant to come to, if nobody cancels it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    Success,
    /// For lack of usable rows.
    BadData,
    Timeout,
}

/// A job that was answered 202.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: String,
    pub model: String,
    pub meant: Meant,
    pub accepted_at: DateTime<Utc>,
    /// The answer to its cancel, if it was asked for.
    pub cancel: Option<u16>,
}

/// Shared by all who submit.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Pages>);

#[derive(Debug, Default)]
pub struct Pages {
    pub entries: Vec<Entry>,
    /// Answers to submissions and cancels by status; 0 stands for none at all.
    pub answers: BTreeMap<u16, usize>,
    /// Submissions that were sent again with their key after they were accepted.
    pub repeated: usize,
    /// What was promised and not held already then.
    pub broken: Vec<String>,
}

impl Ledger {
    pub fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap()
    }

    pub fn ids(&self) -> Vec<String> {
        self.pages().entries.iter().map(|entry| entry.id.clone()).collect()
    }

    pub fn answered(&self, status: u16) {
        *self.pages().answers.entry(status).or_default() += 1;
    }
}
