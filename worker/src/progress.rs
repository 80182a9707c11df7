//! Tells the database how far a run is: seldom, never in the run's way, and without a say in how it ends.

use std::time::Duration;

use tokio::sync::watch;
use trainyard_domain::JobId;
use trainyard_storage::{Db, Result};

/// Writes of one run are at least this far apart, unless the phase changes.
const EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, PartialEq)]
struct State {
    phase: String,
    fraction: f64,
}

/// The progress of one run. Dropping it ends the reporting.
pub(crate) struct Progress {
    state: watch::Sender<State>,
    writer: tokio::task::JoinHandle<()>,
}

impl Progress {
    /// Begins to report for the run of `job` with `claim`.
    pub(crate) fn report(db: Db, job: JobId, claim: i64) -> Self {
        let (state, changes) = watch::channel(State { phase: "starting".into(), fraction: 0.0 });
        let writer = tokio::spawn(write(db, job, claim, changes));
        Self { state, writer }
    }

    /// Notes where the run is; fractions never go back, and 1 is left to success.
    pub(crate) fn set(&self, phase: &str, fraction: f64) {
        // The text comes from another process: it is cut to what the column is for.
        let phase: String = phase.chars().filter(|c| !c.is_control()).take(64).collect();
        let fraction = if fraction.is_finite() { fraction.clamp(0.0, 0.99) } else { 0.0 };
        self.state.send_if_modified(|state| {
            let next = State { phase, fraction: fraction.max(state.fraction) };
            let news = *state != next;
            *state = next;
            news
        });
    }

    /// Enters a phase of the worker's own.
    pub(crate) fn enter(&self, phase: &str) {
        let fraction = self.state.borrow().fraction;
        self.set(phase, fraction);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

async fn write(db: Db, job: JobId, claim: i64, mut changes: watch::Receiver<State>) {
    let mut written = String::new();
    while changes.changed().await.is_ok() {
        let state = changes.borrow_and_update().clone();
        if let Err(error) = save(&db, job, claim, &state).await {
            tracing::debug!(%error, "progress was not saved");
        }
        written.clone_from(&state.phase);
        // The next write waits its turn; a new phase need not.
        let other_phase = async { changes.wait_for(|next| next.phase != written).await.map(|_| ()) };
        let _ = tokio::time::timeout(EVERY, other_phase).await;
        // `wait_for` marks what it looked at as seen.
        if *changes.borrow() != state {
            changes.mark_changed();
        }
    }
}

async fn save(db: &Db, job: JobId, claim: i64, state: &State) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.jobs().set_progress(job, claim, state.fraction, &state.phase).await?;
    tx.commit().await
}
