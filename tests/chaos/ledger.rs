//! The submission log: every accepted job, its expected result, and every response about it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use chrono::{DateTime, Utc};

/// The expected result of a job that is not cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    Success,
    /// Fails because it has too few usable rows.
    BadData,
    Timeout,
}

/// A job whose submission was answered 202.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: String,
    pub model: String,
    pub meant: Meant,
    pub accepted_at: DateTime<Utc>,
    /// The response to the cancel request, if one was sent.
    pub cancel: Option<u16>,
}

/// Shared by all submitting clients.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Pages>);

#[derive(Debug, Default)]
pub struct Pages {
    pub entries: Vec<Entry>,
    /// Responses to submissions and cancel requests, by status; 0 means no response.
    pub answers: BTreeMap<u16, usize>,
    /// Submissions that were repeated with their idempotency key after they were accepted.
    pub repeated: usize,
    /// Guarantees that were violated during the submissions.
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
