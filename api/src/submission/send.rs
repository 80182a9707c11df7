//! From the database to the queue. Failing to send is no error: the jobs are stored, and the sweep sends them.

use trainyard_domain::{JobId, PriorityClass};
use trainyard_storage::StorageError;

use crate::state::Ports;

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
