//! Sends jobs that are due and not in the queue to the queue, each user's up to the window.

use std::time::Duration;

use tokio::time::Instant;
use trainyard_domain::{JobId, PriorityClass};

use super::{Sweep, SweepError};

/// Batches of one round; what is left waits for the next, so that no duty starves the others.
const MAX_BATCHES: usize = 20;
/// Between two rounds, while jobs wait for room in a window.
const TOP_UP_EVERY: Duration = Duration::from_millis(20);

/// Fills the windows again and again as workers empty them, until `deadline` or until nothing waits for room. It looks at
/// the time between two fillings alone: given up in the middle of one, ids would stay marked as sent that were not.
pub(super) async fn top_up(sweep: &mut Sweep, deadline: Instant) -> Result<(), SweepError> {
    while sweep.state.backlog && Instant::now() + TOP_UP_EVERY < deadline {
        tokio::time::sleep(TOP_UP_EVERY).await;
        run(sweep).await?;
    }
    Ok(())
}

pub(super) async fn run(sweep: &mut Sweep) -> Result<(), SweepError> {
    sweep.state.backlog = false;
    for _ in 0..MAX_BATCHES {
        let jobs = choose(sweep).await?;
        if jobs.is_empty() {
            break;
        }
        // Marked first, so that no job can be claimed, put back and then marked by a write that comes late. If the
        // sending fails, the marks are forgotten with the next answer of the queue.
        if let Err(error) = sweep.queue.dispatch(&jobs).await {
            sweep.state.known.lose();
            return Err(error.into());
        }
        tracing::debug!(jobs = jobs.len(), "sent jobs to the queue");
    }
    Ok(())
}

async fn choose(sweep: &mut Sweep) -> Result<Vec<(JobId, PriorityClass)>, SweepError> {
    let mut tx = sweep.db.begin().await?;
    let now = tx.now().await?;
    let (jobs, more) = tx.jobs().undispatched(now, sweep.config.dispatch_batch, sweep.config.dispatch_window).await?;
    sweep.state.backlog = more;
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = jobs.iter().map(|(id, _)| *id).collect();
    tx.jobs().mark_dispatched(&ids, now).await?;
    tx.commit().await?;
    Ok(jobs.into_iter().map(|(id, priority)| (id, PriorityClass::of(priority))).collect())
}
