//! Writes the progress and the log of a run to the database, in a task of its own. A failed write never affects the run.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use trainyard_domain::{Clock, JobId, LogLevel};
use trainyard_storage::{Db, Result};

use crate::log_buffer::{Batch, LogBuffer};

/// The shortest time between two writes of one run, unless the phase changes.
const EVERY: Duration = Duration::from_millis(500);
/// The shortest time if the phase changes. The phases of a small job last only milliseconds.
const PHASE_EVERY: Duration = Duration::from_millis(100);
/// How long the end of a run waits for its last lines to be written.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq)]
struct State {
    phase: String,
    fraction: f64,
    /// Grows with every change that must be written.
    version: u64,
    /// The version that [`Progress::flush`] waits for.
    awaited: u64,
}

/// The progress and the log of one run. Dropping it ends the writes.
pub(crate) struct Progress {
    state: watch::Sender<State>,
    written: watch::Receiver<u64>,
    buffer: Arc<LogBuffer>,
    writer: tokio::task::JoinHandle<()>,
}

impl Progress {
    /// Starts the writes for the run of `job` with `claim`. The training process may log `max_lines` lines.
    pub(crate) fn start(db: Db, clock: Clock, job: JobId, claim: i64, max_lines: u64) -> Self {
        let (state, changes) =
            watch::channel(State { phase: "starting".into(), fraction: 0.0, version: 0, awaited: 0 });
        let (confirm, written) = watch::channel(0);
        let buffer = Arc::new(LogBuffer::new(clock, max_lines));
        let run = Run { db, job, claim, buffer: Arc::clone(&buffer) };
        let writer = tokio::spawn(write(run, changes, confirm));
        Self { state, written, buffer, writer }
    }

    /// Sets the phase and the fraction. Fractions never decrease, and only a succeeded job has 1.
    pub(crate) fn set(&self, phase: &str, fraction: f64) {
        // The text comes from another process.
        let phase: String = phase.chars().filter(|c| !c.is_control()).take(64).collect();
        let fraction = if fraction.is_finite() { fraction.clamp(0.0, 0.99) } else { 0.0 };
        self.state.send_if_modified(|state| {
            let fraction = fraction.max(state.fraction);
            let changed = state.phase != phase || state.fraction != fraction;
            if changed {
                *state = State { phase, fraction, version: state.version + 1, ..*state };
            }
            changed
        });
    }

    /// Sets a phase of the worker, with an unchanged fraction.
    pub(crate) fn set_phase(&self, phase: &str) {
        let fraction = self.state.borrow().fraction;
        self.set(phase, fraction);
    }

    /// Adds a log line of the worker.
    pub(crate) fn log(&self, level: LogLevel, message: &str) {
        self.buffer.log(level, message);
        self.request_write();
    }

    /// Adds a log line of the training process.
    pub(crate) fn log_from_child(&self, level: LogLevel, message: &str) {
        self.buffer.log_from_child(level, message);
        self.request_write();
    }

    /// Adds a metric of the training process.
    pub(crate) fn metric(&self, name: &str, value: f64, step: Option<u64>) {
        self.buffer.metric(name, value, step);
        self.request_write();
    }

    /// Call it when the training process has ended.
    pub(crate) fn close_log(&self) {
        self.buffer.close();
        self.request_write();
    }

    /// The lines that are not stored yet, followed by a line of the worker. For the transaction that ends the run: a write that
    /// runs beside it stores the same first lines under the same numbers.
    pub(crate) fn waiting_with(&self, level: LogLevel, message: &str) -> Batch {
        self.buffer.waiting_with(level, message)
    }

    /// Waits until all changes so far are stored, so that they precede the end of the run. Gives up after [`FLUSH_LIMIT`],
    /// and when the claim is no longer current.
    pub(crate) async fn flush(&self) {
        let mut written = self.written.clone();
        let mut version = 0;
        self.state.send_modify(|state| {
            version = state.version;
            state.awaited = version;
        });
        if timeout(FLUSH_LIMIT, written.wait_for(|written| *written >= version)).await.is_err() {
            tracing::debug!("the last log lines were not stored in time");
        }
    }

    fn request_write(&self) {
        self.state.send_modify(|state| state.version += 1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

/// The run that is written.
struct Run {
    db: Db,
    job: JobId,
    claim: i64,
    buffer: Arc<LogBuffer>,
}

async fn write(run: Run, mut changes: watch::Receiver<State>, written: watch::Sender<u64>) {
    let mut last: Option<State> = None;
    while changes.changed().await.is_ok() {
        let state = changes.borrow_and_update().clone();
        let moved = last.as_ref().is_none_or(|last| (&last.phase, last.fraction) != (&state.phase, state.fraction));
        let batch = run.buffer.waiting();
        let saved = if moved || !batch.lines.is_empty() { save(&run, moved, &state, &batch).await } else { Ok(true) };
        match saved {
            Ok(true) => {
                run.buffer.mark_stored(&batch);
                written.send_replace(state.version);
                last = Some(state.clone());
            }
            // Another claim owns the job, so this run writes nothing more.
            Ok(false) => return,
            Err(error) => tracing::debug!(%error, "progress was not stored"),
        }
        pause(&mut changes, &state).await;
        // `wait_for` marks changes as seen. Changes that are not stored must be written again.
        let unsaved = *written.borrow() < state.version;
        if unsaved || changes.borrow().version != state.version {
            changes.mark_changed();
        }
    }
}

/// Waits between two writes: shorter when the phase changes, not at all while [`Progress::flush`] waits.
async fn pause(changes: &mut watch::Receiver<State>, written: &State) {
    let awaited = |next: &State| next.awaited > written.version;
    if timeout(PHASE_EVERY, changes.wait_for(awaited)).await.is_err() {
        let urgent = |next: &State| awaited(next) || next.phase != written.phase;
        let _ = timeout(EVERY - PHASE_EVERY, changes.wait_for(urgent)).await;
    }
}

/// Writes the progress and the log in one transaction; `false` if the claim is no longer current.
async fn save(run: &Run, moved: bool, state: &State, batch: &Batch) -> Result<bool> {
    let mut tx = run.db.begin().await?;
    let mut stands = true;
    if moved {
        stands = tx.jobs().set_progress(run.job, run.claim, state.fraction, &state.phase).await?;
    }
    if stands && !batch.lines.is_empty() {
        stands = tx.logs().append(run.job, run.claim, batch.n, &batch.lines).await?;
    }
    if stands {
        tx.commit().await?;
    }
    Ok(stands)
}
