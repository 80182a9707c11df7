//! One job id on its way to a worker.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;

use crate::acks::Acks;
use crate::entries::Entry;
use crate::memory::Memory;
use crate::streams::Streams;

/// A job id that a worker was handed. It is no claim yet: the database decides who runs the job. It takes one of the
/// worker's places until its last clone is dropped.
#[derive(Clone)]
pub struct Delivery {
    /// The job that is ready to be claimed.
    pub job: JobId,
    pub(crate) receipt: Receipt,
    _place: Arc<OwnedSemaphorePermit>,
}

/// What is needed to finish a delivery or to give it back.
#[derive(Clone)]
pub(crate) enum Receipt {
    Memory(Arc<Memory>, PriorityClass),
    Redis(Arc<Streams>, Acks, Entry),
}

impl Delivery {
    pub(crate) fn new(job: JobId, receipt: Receipt, place: OwnedSemaphorePermit) -> Self {
        Self { job, receipt, _place: Arc::new(place) }
    }

    /// Has the id removed from the queue; call it once the database has answered, whoever won the claim.
    ///
    /// Never fails: an id that could not be removed (Redis is away) comes again, finds nothing to claim and is removed then.
    pub fn ack(&self) {
        match &self.receipt {
            Receipt::Memory(memory, class) => memory.remove(self.job, *class),
            Receipt::Redis(_, acks, entry) => acks.push(entry.clone()),
        }
    }

    /// As [`Delivery::ack`], and waits until the id is gone; three seconds at most.
    pub async fn acked(&self) {
        match &self.receipt {
            Receipt::Memory(memory, class) => memory.remove(self.job, *class),
            Receipt::Redis(_, acks, entry) => acks.remove(entry.clone()).await,
        }
    }

    /// Lets another worker have the id, first in its class. Where that fails (Redis is away) it comes to one by itself,
    /// later.
    pub async fn give_back(&self) {
        match &self.receipt {
            Receipt::Memory(memory, class) => memory.put_back(self.job, *class),
            Receipt::Redis(streams, _, entry) => {
                if let Err(error) = streams.keys.release(&mut streams.link(), entry).await {
                    tracing::warn!(job_id = %self.job, %error, "could not give an id back; another worker gets it later");
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
