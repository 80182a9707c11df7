//! Sends jobs that are due and not in the queue to the queue, each user's up to the window.

use std::time::Duration;

use tokio::time::Instant;
use trainyard_domain::{JobId, PriorityClass};

use super::{Sweep, SweepError};

/// Batches of one round; what is left waits for the next, so that no duty starves the others.
const MAX_BATCHES: usize = 20;
/// Between two fillings, while jobs wait for room in a window: how long to begin with, and within which bounds it follows
/// the workers. A filling that finds half a window empty came late, one that finds nothing to do came early.
const PAUSE: Duration = Duration::from_millis(20);
const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(250);

/// Fills the windows again and again as workers empty them, until `deadline` or until nothing waits for room. It looks at
/// the time between two fillings alone: given up in the middle of one, ids would stay marked as sent that were not.
pub(super) async fn top_up(sweep: &mut Sweep, deadline: Instant) -> Result<(), SweepError> {
    let half = usize::try_from(sweep.config.dispatch_window / 2).unwrap_or(0);
    let mut pause = PAUSE;
    while sweep.state.backlog && Instant::now() + pause < deadline {
        tokio::time::sleep(pause).await;
        pause = match fill(sweep).await? {
            0 => (pause * 2).min(LONGEST),
            sent if sent >= half => (pause / 2).max(SHORTEST),
            _ => pause,
        };
    }
    Ok(())
}

pub(super) async fn run(sweep: &mut Sweep) -> Result<(), SweepError> {
    fill(sweep).await.map(|_| ())
}

/// Fills the windows; answers how many jobs it sent.
async fn fill(sweep: &mut Sweep) -> Result<usize, SweepError> {
    let (mut sent, batch) = (0, usize::try_from(sweep.config.dispatch_batch).unwrap_or(usize::MAX));
    sweep.state.backlog = false;
    for _ in 0..MAX_BATCHES {
        let jobs = choose(sweep).await?;
        if jobs.is_empty() {
            break;
        }
        sent += jobs.len();
        // Marked first, so that no job can be claimed, put back and then marked by a write that comes late. If the
        // sending fails, the marks are forgotten with the next answer of the queue.
        if let Err(error) = sweep.queue.dispatch(&jobs).await {
            sweep.state.known.lose();
            return Err(error.into());
        }
        tracing::debug!(jobs = jobs.len(), "sent jobs to the queue");
        if jobs.len() < batch {
            break;
        }
    }
    Ok(sent)
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
