//! One job id on its way to a worker.

use std::sync::Arc;

use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;

use crate::entries::Entry;
use crate::streams::Streams;

/// A job id that a worker was handed. It is no claim yet: the database decides who runs the job.
#[derive(Clone)]
pub struct Delivery {
    /// The job that is ready to be claimed.
    pub job: JobId,
    pub(crate) receipt: Receipt,
}

/// What is needed to finish a delivery or to give it back.
#[derive(Clone)]
pub(crate) enum Receipt {
    Memory(PriorityClass),
    Redis(Arc<Streams>, Entry),
}

impl Delivery {
    /// Removes the id from the queue; call it once the database has answered, whoever won the claim.
    ///
    /// Never fails: an id that could not be removed (Redis is away) comes again, finds nothing to claim and is removed then.
    /// Takes three seconds at most.
    pub async fn ack(&self) {
        match &self.receipt {
            Receipt::Memory(_) => {}
            Receipt::Redis(streams, entry) => streams.remove(entry).await,
        }
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("job", &self.job).finish_non_exhaustive()
    }
}
