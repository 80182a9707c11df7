//! The arguments and results of enqueueing jobs.

use trainyard_domain::ids::{JobId, UserId};
use trainyard_domain::job::PriorityClass;

/// A job that is ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadyJob {
    /// The job.
    pub job: JobId,
    /// Its owner. The number of ids in a class is bounded per user.
    pub user: UserId,
    /// Its priority class.
    pub class: PriorityClass,
}

/// The caller of [`Queue::enqueue`](crate::Queue::enqueue).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnqueueFrom {
    /// A submission. It is refused while earlier jobs of its user and class are refused, so that no job overtakes them.
    Submission,
    /// The sweep, which enqueues jobs in the order in which they should run.
    Sweep,
}

/// The result for one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// The id was added.
    Added,
    /// The id was in the queue already.
    Present,
    /// The user's window is full, or earlier jobs of the user wait.
    Refused,
}

/// How one user uses the window of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserWindow {
    /// The user.
    pub user: UserId,
    /// The class.
    pub class: PriorityClass,
    /// Ids in the queue, including those that are being claimed.
    pub enqueued: u64,
    /// Grows with every call that refused a job; 0 after [`Queue::clear_refusals`](crate::Queue::clear_refusals).
    pub refusals: u64,
}
