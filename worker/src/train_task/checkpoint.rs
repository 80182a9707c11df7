//! Writes the checkpoints of a training run to files, which the worker stores. Together with the worker's part they take at
//! most a twentieth of the time.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use trainyard_ml::checkpoint::{CheckpointSource, CheckpointStore, WriteState};

use super::signals::WorkerSignals;
use super::{log, report};
use crate::folder::checkpoint_name;
use crate::protocol::{CheckpointDone, CheckpointTask, Report};

/// The time between two checkpoints is at least this many times the time in which one is written and stored.
const PAUSE_FACTOR: u32 = 20;

/// The checkpoints of one run.
pub(super) struct CheckpointFiles<'t> {
    task: &'t CheckpointTask,
    signals: &'t WorkerSignals,
    state: Mutex<State>,
}

struct State {
    /// Number of checkpoints that are reported to the worker.
    written: u64,
    /// When the last checkpoint was begun, or the run.
    began: Instant,
    /// The time from `began` to the next checkpoint.
    pause: Duration,
    /// Whether the last checkpoint is being stored.
    is_waiting: bool,
    /// Whether no further checkpoint is written.
    has_ended: bool,
    /// Whether the log already contains the line about a state that is too large.
    has_reported_size: bool,
}

impl<'t> CheckpointFiles<'t> {
    pub(super) fn new(task: &'t CheckpointTask, signals: &'t WorkerSignals) -> Self {
        let pause = Duration::from_secs(task.interval_s);
        let state = State {
            written: 0,
            began: Instant::now(),
            pause,
            is_waiting: false,
            has_ended: false,
            has_reported_size: false,
        };
        Self { task, signals, state: Mutex::new(state) }
    }

    /// Deletes the last file, whose checkpoint is not needed any more, to make room for the model.
    pub(super) fn remove(&self) {
        if let Some(last) = self.state().written.checked_sub(1) {
            // The worker may have deleted it, or reads it through its open file.
            let _ = std::fs::remove_file(checkpoint_name(last));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a file and returns its size.
    fn write(&self, name: &str, write: WriteState<'_>) -> io::Result<u64> {
        let mut file = LimitedFile { file: File::create(name)?, written: 0, limit: self.task.max_bytes };
        write(&mut file)?;
        Ok(file.written)
    }
}

impl CheckpointStore for CheckpointFiles<'_> {
    fn load(&self) -> Option<Box<dyn CheckpointSource>> {
        let path = self.task.earlier.as_ref()?;
        match File::open(path) {
            Ok(file) => Some(Box::new(file)),
            Err(error) => {
                log(&format!("the checkpoint can't be read: {error}"));
                self.ignored("it can't be read");
                None
            }
        }
    }

    fn is_due(&self) -> bool {
        let mut state = self.state();
        if state.has_ended {
            return false;
        }
        if self.signals.is_interrupted() {
            return true;
        }
        let stored = self.signals.stored();
        if state.is_waiting && stored.count >= state.written {
            state.is_waiting = false;
            let took = stored.at.map_or(Duration::ZERO, |at| at.saturating_duration_since(state.began));
            state.pause = state.pause.max(took * PAUSE_FACTOR);
        }
        !state.is_waiting && state.began.elapsed() >= state.pause
    }

    fn save(&self, done: &str, write: WriteState<'_>) {
        let is_last = self.signals.is_interrupted();
        let (number, began) = (self.state().written, Instant::now());
        let name = checkpoint_name(number);
        let written = self.write(&name, write);
        let mut state = self.state();
        (state.began, state.pause) = (began, Duration::from_secs(self.task.interval_s));
        state.has_ended |= is_last;
        match written {
            Ok(size) => {
                (state.written, state.is_waiting) = (number + 1, true);
                report(&Report::Checkpoint(CheckpointDone { number, size, done: done.to_owned(), is_last }));
            }
            Err(error) => {
                let _ = std::fs::remove_file(Path::new(&name));
                state.pause = state.pause.max(began.elapsed() * PAUSE_FACTOR);
                if let Some(message) = state.failure(done, &error, self.task.max_bytes) {
                    report(&Report::Log { message });
                }
            }
        }
    }

    fn resumed(&self, done: &str) {
        report(&Report::Resumed { done: done.to_owned() });
    }

    fn ignored(&self, reason: &str) {
        report(&Report::CheckpointIgnored { reason: reason.to_owned() });
    }
}

impl State {
    /// The log line about a checkpoint that was not written. A state that is too large is reported once. Later states are tried,
    /// because the state of a search can become smaller.
    fn failure(&mut self, done: &str, error: &io::Error, limit: u64) -> Option<String> {
        if error.kind() != io::ErrorKind::FileTooLarge {
            log(&format!("a checkpoint can't be written: {error}"));
            return Some(format!("the checkpoint after {done} can't be written to the work folder"));
        }
        let is_first = !std::mem::replace(&mut self.has_reported_size, true);
        is_first.then(|| {
            format!(
                "the checkpoint after {done} is not saved: it has more than the {limit} bytes of \
                worker.checkpoint_max_bytes; further checkpoints that are too large are skipped without a message"
            )
        })
    }
}

/// A file that refuses to grow beyond a limit.
struct LimitedFile {
    file: File,
    written: u64,
    limit: u64,
}

impl Write for LimitedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written + bytes.len() as u64 > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
