//! What is offered to the queue, and what it knows of the ids that are in it.

use trainyard_domain::ids::{JobId, UserId};
use trainyard_domain::job::PriorityClass;

/// A job that could run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The job.
    pub job: JobId,
    /// Whose it is: each user's share of a class is bounded.
    pub user: UserId,
    /// The line it stands in.
    pub class: PriorityClass,
}

/// In which turn jobs are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Behind those of the same user and class that were refused before: a new job does not overtake them.
    Last,
    /// In the order in which they should run: what the sweep offers.
    Next,
}

/// What became of an offered job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It is in the queue now.
    Sent,
    /// It was in the queue already.
    There,
    /// Its user has as many of its class in the queue as may be, or older ones that wait.
    Refused,
}

/// One user's share of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Whose.
    pub user: UserId,
    /// Of which line.
    pub class: PriorityClass,
    /// Ids in the queue, those that are being claimed included.
    pub held: u64,
    /// Moves with every offer of which something was refused; 0 when nothing was since [`Queue::caught_up`](crate::Queue::caught_up).
    pub refusals: u64,
}
