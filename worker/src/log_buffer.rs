//! Log lines of a run that are not stored in the database yet.

use std::sync::{Mutex, MutexGuard, PoisonError};

use trainyard_domain::{Clock, LogEntry, LogLevel, LogLine};

/// Longest line, in characters.
const MAX_MESSAGE: usize = 500;
/// Longest name of a metric, in characters.
const MAX_NAME: usize = 64;

/// The buffer of one run.
pub(crate) struct LogBuffer {
    clock: Clock,
    /// Most lines from the training process.
    max_lines: u64,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    /// The number of stored lines.
    stored: u64,
    /// The lines after them.
    waiting: Vec<LogLine>,
    /// The number of lines from the training process, including dropped lines.
    received: u64,
}

/// Lines to store. The first is line `n` of the run.
#[derive(Debug, PartialEq)]
pub(crate) struct Batch {
    pub(crate) n: u64,
    pub(crate) lines: Vec<LogLine>,
}

impl LogBuffer {
    pub(crate) fn new(clock: Clock, max_lines: u64) -> Self {
        Self { clock, max_lines, lines: Mutex::default() }
    }

    /// Adds a line of the worker. The worker adds few lines, so they have no limit.
    pub(crate) fn log(&self, level: LogLevel, message: &str) {
        let entry = LogEntry::Log { level, message: cut(message, MAX_MESSAGE) };
        self.lock().waiting.push(LogLine { at: self.clock.now(), entry });
    }

    /// Adds a line of the training process. Lines beyond the limit are only counted.
    pub(crate) fn log_from_child(&self, level: LogLevel, message: &str) {
        self.add(LogEntry::Log { level, message: cut(message, MAX_MESSAGE) });
    }

    /// Adds a metric of the training process, with the same limit. Values that are not finite are ignored.
    pub(crate) fn metric(&self, name: &str, value: f64, step: Option<u64>) {
        if value.is_finite() {
            self.add(LogEntry::Metric { name: cut(name, MAX_NAME), value, step });
        }
    }

    fn add(&self, entry: LogEntry) {
        let mut lines = self.lock();
        lines.received += 1;
        if lines.received <= self.max_lines {
            lines.waiting.push(LogLine { at: self.clock.now(), entry });
        }
    }

    /// Logs the number of dropped lines. Call it once, when the training process has ended.
    pub(crate) fn close(&self) {
        let dropped = self.lock().received.saturating_sub(self.max_lines);
        if dropped > 0 {
            let message = format!("{dropped} more log lines were dropped (worker.max_log_lines is {})", self.max_lines);
            self.log(LogLevel::Warning, &message);
        }
    }

    /// The lines that are not stored yet.
    pub(crate) fn waiting(&self) -> Batch {
        let lines = self.lock();
        Batch { n: lines.stored, lines: lines.waiting.clone() }
    }

    /// The lines that are not stored yet and a line of the worker, which is not added to the buffer.
    pub(crate) fn waiting_with(&self, level: LogLevel, message: &str) -> Batch {
        let mut batch = self.waiting();
        let entry = LogEntry::Log { level, message: cut(message, MAX_MESSAGE) };
        batch.lines.push(LogLine { at: self.clock.now(), entry });
        batch
    }

    /// Removes a stored batch.
    pub(crate) fn mark_stored(&self, batch: &Batch) {
        let mut lines = self.lock();
        lines.stored += batch.lines.len() as u64;
        lines.waiting.drain(..batch.lines.len());
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes control characters and the text beyond `max` characters. The text comes from another process.
fn cut(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_limit_are_counted_and_the_workers_own_lines_are_kept() {
        let buffer = LogBuffer::new(Clock::system(), 2);
        for n in 0..5 {
            buffer.log_from_child(LogLevel::Info, &format!("line\n{n}"));
        }
        buffer.metric("accuracy", f64::NAN, None);
        buffer.close();
        let batch = buffer.waiting();
        let texts = |batch: &Batch| -> Vec<String> {
            let entries = batch.lines.iter().map(|line| line.entry.clone());
            entries.map(|entry| if let LogEntry::Log { message, .. } = entry { message } else { "?".into() }).collect()
        };
        assert_eq!(texts(&batch), ["line0", "line1", "3 more log lines were dropped (worker.max_log_lines is 2)"]);
        assert_eq!(buffer.waiting(), batch, "not stored yet");
        buffer.log(LogLevel::Error, &"x".repeat(9_000));
        buffer.mark_stored(&batch);
        let rest = buffer.waiting();
        assert_eq!((rest.n, texts(&rest)[0].len()), (3, MAX_MESSAGE));
        let with = buffer.waiting_with(LogLevel::Info, "promoted");
        assert_eq!((with.n, texts(&with)[1].as_str()), (3, "promoted"));
        assert_eq!(buffer.waiting(), rest, "the line is not added");
    }
}
