//! What a run has said and the database does not hold yet: kept until a write is known to have brought it there.

use std::sync::{Mutex, MutexGuard, PoisonError};

use trainyard_domain::{Clock, LogEntry, LogLevel, LogLine};

/// Longest line, in characters.
const MAX_MESSAGE: usize = 500;
/// Longest name of a figure, in characters.
const MAX_NAME: usize = 64;

/// The lines of one run.
pub(crate) struct Journal {
    clock: Clock,
    /// Most lines that the training process may add.
    max_lines: u64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Lines that are known to be stored.
    stored: u64,
    /// Those after them.
    waiting: Vec<LogLine>,
    /// What the training process added, and what it would have.
    heard: u64,
}

/// Lines to be stored: the first is the run's `n`th.
#[derive(Debug, PartialEq)]
pub(crate) struct Batch {
    pub(crate) n: u64,
    pub(crate) lines: Vec<LogLine>,
}

impl Journal {
    pub(crate) fn new(clock: Clock, max_lines: u64) -> Self {
        Self { clock, max_lines, kept: Mutex::default() }
    }

    /// Adds a line of the worker's own. There are few of them, so no limit keeps them out.
    pub(crate) fn log(&self, level: LogLevel, message: &str) {
        let entry = LogEntry::Log { level, message: cut(message, MAX_MESSAGE) };
        self.lock().waiting.push(LogLine { at: self.clock.now(), entry });
    }

    /// Adds a line of the training process; past the limit it is only counted.
    pub(crate) fn hear(&self, level: LogLevel, message: &str) {
        self.add(LogEntry::Log { level, message: cut(message, MAX_MESSAGE) });
    }

    /// Adds a figure of the training process; past the limit it is only counted. What is no number tells nobody anything.
    pub(crate) fn measure(&self, name: &str, value: f64, step: Option<u64>) {
        if value.is_finite() {
            self.add(LogEntry::Metric { name: cut(name, MAX_NAME), value, step });
        }
    }

    fn add(&self, entry: LogEntry) {
        let mut kept = self.lock();
        kept.heard += 1;
        if kept.heard <= self.max_lines {
            kept.waiting.push(LogLine { at: self.clock.now(), entry });
        }
    }

    /// Says how much was left out, if anything was; called once, when the training process has ended.
    pub(crate) fn close(&self) {
        let left_out = self.lock().heard.saturating_sub(self.max_lines);
        if left_out > 0 {
            self.log(LogLevel::Warning, &format!("{left_out} more lines were left out"));
        }
    }

    /// What waits to be stored.
    pub(crate) fn waiting(&self) -> Batch {
        let kept = self.lock();
        Batch { n: kept.stored, lines: kept.waiting.clone() }
    }

    /// Notes that a batch is stored.
    pub(crate) fn stored(&self, batch: &Batch) {
        let mut kept = self.lock();
        kept.stored += batch.lines.len() as u64;
        kept.waiting.drain(..batch.lines.len());
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text comes from another process: control characters go, and so does what is too long.
fn cut(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_the_workers_own_words_still_get_through() {
        let journal = Journal::new(Clock::system(), 2);
        for n in 0..5 {
            journal.hear(LogLevel::Info, &format!("line\n{n}"));
        }
        journal.measure("accuracy", f64::NAN, None);
        journal.close();
        let batch = journal.waiting();
        let texts = |batch: &Batch| -> Vec<String> {
            let entries = batch.lines.iter().map(|line| line.entry.clone());
            entries.map(|entry| if let LogEntry::Log { message, .. } = entry { message } else { "?".into() }).collect()
        };
        assert_eq!(texts(&batch), ["line0", "line1", "3 more lines were left out"]);
        assert_eq!(journal.waiting(), batch, "not stored yet");
        journal.log(LogLevel::Error, &"x".repeat(9_000));
        journal.stored(&batch);
        let rest = journal.waiting();
        assert_eq!((rest.n, texts(&rest)[0].len()), (3, MAX_MESSAGE));
    }
}
