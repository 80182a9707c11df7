//! Receives cancellations through the queue, for speed. Each is checked against the database, so a late or forged message
//! stops nothing.

use std::sync::Arc;

use trainyard_domain::JobId;
use trainyard_storage::Result;

use crate::active_runs::StopReason;
use crate::worker::Worker;

/// Handles cancellations until it is dropped.
pub(crate) async fn listen(worker: Arc<Worker>) {
    let mut cancels = worker.deps.queue.cancels();
    loop {
        let id = cancels.next().await;
        let Some(claim) = worker.runs.claim_of(id) else { continue };
        match is_cancelled(&worker, id, claim).await {
            Ok(true) => worker.runs.stop(id, claim, StopReason::Cancelled),
            Ok(false) => {
                tracing::debug!(job_id = %id, "ignored a cancel message without a cancellation in the database")
            }
            // The heartbeat finds the cancellation when the database is back.
            Err(error) => tracing::debug!(job_id = %id, %error, "a cancellation could not be checked"),
        }
    }
}

async fn is_cancelled(worker: &Worker, id: JobId, claim: i64) -> Result<bool> {
    let mut tx = worker.deps.db.read().await?;
    let job = tx.jobs().get(id).await?;
    Ok(job.is_some_and(|job| job.claim == claim && job.cancel_requested_at.is_some()))
}
