//! Tells the database how far a run is and what it says: seldom, never in the run's way, and without a say in how it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use trainyard_domain::{Clock, JobId, LogLevel};
use trainyard_storage::{Db, Result};

use crate::journal::{Batch, Journal};

/// Writes of one run are at least this far apart, unless the phase changes.
const EVERY: Duration = Duration::from_millis(500);
/// And this far apart where it does: the phases of a small job follow each other within milliseconds.
const PHASE_EVERY: Duration = Duration::from_millis(100);
/// Longest wait for what is left to be written before a run ends. It is worth no more than that.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq)]
struct State {
    phase: String,
    fraction: f64,
    /// Moves with everything that has to be written.
    version: u64,
    /// The version that somebody waits for to be written.
    awaited: u64,
}

/// The progress and the log of one run. Dropping it ends the reporting.
pub(crate) struct Progress {
    state: watch::Sender<State>,
    written: watch::Receiver<u64>,
    journal: Arc<Journal>,
    writer: tokio::task::JoinHandle<()>,
}

impl Progress {
    /// Begins to report for the run of `job` with `claim`, which may add `max_lines` to its log.
    pub(crate) fn report(db: Db, clock: Clock, job: JobId, claim: i64, max_lines: u64) -> Self {
        let (state, changes) =
            watch::channel(State { phase: "starting".into(), fraction: 0.0, version: 0, awaited: 0 });
        let (confirm, written) = watch::channel(0);
        let journal = Arc::new(Journal::new(clock, max_lines));
        let run = Run { db, job, claim, journal: Arc::clone(&journal) };
        let writer = tokio::spawn(write(run, changes, confirm));
        Self { state, written, journal, writer }
    }

    /// Notes where the run is; fractions never go back, and 1 is left to success.
    pub(crate) fn set(&self, phase: &str, fraction: f64) {
        // The text comes from another process: it is cut to what the column is for.
        let phase: String = phase.chars().filter(|c| !c.is_control()).take(64).collect();
        let fraction = if fraction.is_finite() { fraction.clamp(0.0, 0.99) } else { 0.0 };
        self.state.send_if_modified(|state| {
            let fraction = fraction.max(state.fraction);
            let news = state.phase != phase || state.fraction != fraction;
            if news {
                *state = State { phase, fraction, version: state.version + 1, ..*state };
            }
            news
        });
    }

    /// Enters a phase of the worker's own.
    pub(crate) fn enter(&self, phase: &str) {
        let fraction = self.state.borrow().fraction;
        self.set(phase, fraction);
    }

    /// Adds a line of the worker's own to the log.
    pub(crate) fn log(&self, level: LogLevel, message: &str) {
        self.journal.log(level, message);
        self.has_more();
    }

    /// Adds a line of the training process.
    pub(crate) fn hear(&self, level: LogLevel, message: &str) {
        self.journal.hear(level, message);
        self.has_more();
    }

    /// Adds a figure of the training process.
    pub(crate) fn measure(&self, name: &str, value: f64, step: Option<u64>) {
        self.journal.measure(name, value, step);
        self.has_more();
    }

    /// Notes that the training process has said its last.
    pub(crate) fn close(&self) {
        self.journal.close();
        self.has_more();
    }

    /// Waits until everything said so far is stored, so that it stands before the run's end. Gives up on a database that
    /// is away, and on a claim that no longer stands.
    pub(crate) async fn flush(&self) {
        let mut written = self.written.clone();
        let mut version = 0;
        self.state.send_modify(|state| {
            version = state.version;
            state.awaited = version;
        });
        if timeout(FLUSH_LIMIT, written.wait_for(|written| *written >= version)).await.is_err() {
            tracing::debug!("the last lines of the log were not saved in time");
        }
    }

    fn has_more(&self) {
        self.state.send_modify(|state| state.version += 1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

/// Whose progress it is.
struct Run {
    db: Db,
    job: JobId,
    claim: i64,
    journal: Arc<Journal>,
}

async fn write(run: Run, mut changes: watch::Receiver<State>, written: watch::Sender<u64>) {
    let mut last: Option<State> = None;
    while changes.changed().await.is_ok() {
        let state = changes.borrow_and_update().clone();
        let moved = last.as_ref().is_none_or(|last| (&last.phase, last.fraction) != (&state.phase, state.fraction));
        let batch = run.journal.waiting();
        let saved = if moved || !batch.lines.is_empty() { save(&run, moved, &state, &batch).await } else { Ok(true) };
        match saved {
            Ok(true) => {
                run.journal.stored(&batch);
                written.send_replace(state.version);
                last = Some(state.clone());
            }
            // Somebody else's job by now: this run writes nothing more.
            Ok(false) => return,
            Err(error) => tracing::debug!(%error, "progress was not saved"),
        }
        rest(&mut changes, &state).await;
        // `wait_for` marks what it looked at as seen; what was not saved is tried again.
        let unsaved = *written.borrow() < state.version;
        if unsaved || changes.borrow().version != state.version {
            changes.mark_changed();
        }
    }
}

/// Lets the time between two writes pass: less where the phase changes, none where somebody waits.
async fn rest(changes: &mut watch::Receiver<State>, written: &State) {
    let awaited = |next: &State| next.awaited > written.version;
    if timeout(PHASE_EVERY, changes.wait_for(awaited)).await.is_err() {
        let pressing = |next: &State| awaited(next) || next.phase != written.phase;
        let _ = timeout(EVERY - PHASE_EVERY, changes.wait_for(pressing)).await;
    }
}

/// Writes both in one transaction; `false` when the claim no longer stands.
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
