//! Hears cancels at once through the queue. What is heard is checked against the database, where a cancel is durable:
//! a late or forged message stops nothing.

use std::sync::Arc;

use trainyard_domain::JobId;
use trainyard_storage::Result;

use crate::held::Stop;
use crate::worker::Worker;

/// Listens until it is dropped.
pub(crate) async fn listen(worker: Arc<Worker>) {
    let mut cancels = worker.deps.queue.cancels();
    loop {
        let id = cancels.next().await;
        let Some(claim) = worker.runs.claim_of(id) else { continue };
        match is_marked(&worker, id, claim).await {
            Ok(true) => worker.runs.stop(id, claim, Stop::Cancelled),
            Ok(false) => tracing::debug!(job_id = %id, "heard of a cancel that is not in the database"),
            // The heartbeat sees the mark when the database is back.
            Err(error) => tracing::debug!(job_id = %id, %error, "a cancel could not be checked"),
        }
    }
}

async fn is_marked(worker: &Worker, id: JobId, claim: i64) -> Result<bool> {
    let mut tx = worker.deps.db.read().await?;
    let job = tx.jobs().get(id).await?;
    Ok(job.is_some_and(|job| job.claim == claim && job.cancel_requested_at.is_some()))
}
