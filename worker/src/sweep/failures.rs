//! Stores the error codes and words of jobs that a process of an earlier version finished as failed, so that filters and
//! search find them. A pass over all failed jobs is spread over the rounds.

use super::{Sweep, SweepError, is_due};

/// Time between two passes.
const EVERY_S: u64 = 3_600;
/// Failed jobs that one round checks.
const BATCH: i64 = 500;

pub(super) async fn run(sweep: &mut Sweep) -> Result<(), SweepError> {
    let state = &mut sweep.state;
    if state.indexing.is_none() && !is_due(&mut state.indexed, EVERY_S) {
        return Ok(());
    }
    let mut tx = sweep.db.begin().await?;
    let (added, next) = tx.jobs().index_failures(state.indexing, BATCH).await?;
    tx.commit().await?;
    state.indexing = next;
    if added > 0 {
        tracing::info!(added, "failed jobs of an earlier version can be searched by their error");
    }
    Ok(())
}
