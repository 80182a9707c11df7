//! From the database to the queue. Failing to send is no error: the jobs are stored, and the sweep sends them.

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId, PriorityClass};
use trainyard_storage::{StorageError, Tx};

use crate::state::Ports;

/// Marks a stored job as sent, if it is due and its user's window has room: then [`send`] it after the commit.
pub(crate) async fn mark(ports: &Ports, tx: &mut Tx, job: &Job, now: DateTime<Utc>) -> Result<bool, StorageError> {
    let (class, window) = (PriorityClass::of(job.spec.priority), ports.config.dispatch_window);
    let free = job.run_at <= now
        && !tx.jobs().paused().await?
        && tx.jobs().free_window(job.created_by, class, window, now).await? > 0;
    if free {
        tx.jobs().mark_dispatched(&[job.id], now).await?;
    }
    Ok(free)
}

/// Sends jobs that are stored and marked as sent; takes the mark back where that does not work out.
pub(crate) async fn send(ports: &Ports, jobs: &[(JobId, PriorityClass)]) {
    if jobs.is_empty() {
        return;
    }
    match tokio::time::timeout(ports.config.dispatch_timeout(), ports.queue.dispatch(jobs)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => {
            tracing::warn!(jobs = jobs.len(), error = &error as &dyn std::error::Error, "not sent; the sweep will");
        }
        Err(_) => tracing::warn!(jobs = jobs.len(), "the queue did not take jobs in time; the sweep will send them"),
    }
    if let Err(error) = unmark(ports, jobs).await {
        // The sweep then finds out by itself that they are not in the queue, a little later.
        tracing::warn!(error = &error as &dyn std::error::Error, "jobs that were not sent stay marked as sent");
    }
}

async fn unmark(ports: &Ports, jobs: &[(JobId, PriorityClass)]) -> Result<(), StorageError> {
    let ids: Vec<_> = jobs.iter().map(|(id, _)| *id).collect();
    let mut tx = ports.db.begin().await?;
    tx.jobs().unmark_dispatched(&ids).await?;
    tx.commit().await
}
