//! From an accepted request to durable jobs: submissions that come at the same time share one transaction and one commit.
//!
//! An order is stored whole or refused; 202 is answered after the commit. The ids then go to the queue; one that does not
//! get there is sent by the sweep. An order whose caller gives up before the commit is sent is not stored. Past that point
//! the caller can't tell, and finds out by sending the order again with its `Idempotency-Key`.

mod known;
mod order;
mod quota;
mod send;
mod store;
mod validate;
mod write;

use std::sync::Arc;

use trainyard_domain::JobId;
use trainyard_http::Problem;
use trainyard_storage::Coalesce;

pub(crate) use known::Known;
pub(crate) use order::Order;
pub(crate) use quota::Quota;
pub(crate) use send::{ready, send, traced};
pub(crate) use store::count_submitted;
pub(crate) use validate::{Rules, validate, within};

use crate::state::Ports;

/// Most orders that share a commit. Past some dozens there is little left to save, and all of them wait for the last.
const MAX_ORDERS: usize = 128;

/// How often an order is tried while others with its key are being stored.
const MAX_LOOKS: usize = 4;

/// What became of an order.
#[derive(Debug)]
pub(crate) enum Stored {
    /// These are its jobs, from now or from an earlier request with the same key.
    Jobs(Vec<JobId>),
    /// Another request with its key was stored at the same moment, or its data set was replaced.
    Raced,
}

/// Takes orders and stores them, some at a time.
pub(crate) type Submissions = Coalesce<Arc<Order>, Result<Stored, Problem>>;

/// Starts to take orders. Call it within a Tokio runtime.
pub(crate) fn start(ports: &Ports, quota: &Arc<Quota>) -> Submissions {
    let (ports, quota, known) = (ports.clone(), Arc::clone(quota), Arc::new(Known::default()));
    Coalesce::start(MAX_ORDERS, move |orders: Vec<Arc<Order>>| {
        let (ports, quota, known) = (ports.clone(), Arc::clone(&quota), Arc::clone(&known));
        async move { store::store(&ports, &quota, &known, &orders).await }
    })
}

/// Stores one order; answers its jobs, in its order.
///
/// # Errors
/// What is wrong with it, or that it can't be stored now.
pub(crate) async fn submit(submissions: &Submissions, order: Order) -> Result<Vec<JobId>, Problem> {
    let caller = Arc::new(());
    let order = Arc::new(order.awaited_by(&caller));
    // A race can be lost to a request of the same batch and to one of another; the look after that finds what was stored.
    for _ in 0..MAX_LOOKS {
        if let Stored::Jobs(jobs) = submissions.call(Arc::clone(&order)).await?? {
            return Ok(jobs);
        }
    }
    Err(Problem::conflict(match order.key() {
        Some(_) => "another request with this Idempotency-Key is in progress",
        None => "the data set is being replaced; try again",
    }))
}
