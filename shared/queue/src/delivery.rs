//! One job id on its way to a worker.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;

use crate::acks::Acks;
use crate::entries::Entry;
use crate::memory::Memory;
use crate::streams::Streams;

/// A job id that was delivered to a worker. It is not a claim: the database decides which worker runs the job. A delivery
/// takes one of the worker's slots until its last clone is dropped.
#[derive(Clone)]
pub struct Delivery {
    /// The job that is ready to be claimed.
    pub job: JobId,
    pub(crate) receipt: Receipt,
    _slot: Arc<OwnedSemaphorePermit>,
}

/// Identifies a delivery when it is acknowledged or returned.
#[derive(Clone)]
pub(crate) enum Receipt {
    Memory(Arc<Memory>, PriorityClass),
    Redis(Arc<Streams>, Acks, Entry),
}

impl Delivery {
    pub(crate) fn new(job: JobId, receipt: Receipt, slot: OwnedSemaphorePermit) -> Self {
        Self { job, receipt, _slot: Arc::new(slot) }
    }

    /// Removes the id from the queue in the background. Call it once the database has decided the claim, either way.
    ///
    /// Never fails: an id that stays (Redis is away) is delivered again, finds no job to claim, and is removed then.
    pub fn ack(&self) {
        match &self.receipt {
            Receipt::Memory(memory, class) => memory.remove(self.job, *class),
            Receipt::Redis(_, acks, entry) => acks.push(entry.clone()),
        }
    }

    /// Removes the id from the queue, and waits for the removal for up to three seconds.
    pub async fn ack_and_wait(&self) {
        match &self.receipt {
            Receipt::Memory(memory, class) => memory.remove(self.job, *class),
            Receipt::Redis(_, acks, entry) => acks.remove(entry.clone()).await,
        }
    }

    /// Returns the id to the queue, first in its class, for another worker. Where that fails (Redis is away), the id is
    /// redelivered later.
    pub async fn give_back(&self) {
        match &self.receipt {
            Receipt::Memory(memory, class) => memory.put_back(self.job, *class),
            Receipt::Redis(streams, _, entry) => {
                if let Err(error) = streams.keys.release(&mut streams.connection(), entry).await {
                    tracing::warn!(job_id = %self.job, %error, "an id was not returned to the queue; it is redelivered later");
                }
            }
        }
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("job", &self.job).finish_non_exhaustive()
    }
}
