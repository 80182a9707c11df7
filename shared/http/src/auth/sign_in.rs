//! Password checks of sign-ins: limits on failures, and a fair queue for the processors.

mod checks;
mod counts;
mod limits;
mod queue;

pub use checks::{CheckRefused, PasswordCheck, PasswordChecks};
pub use limits::{Attempt, AttemptCount, Limited, SignInConfig, SignInLimits};
pub(super) use queue::HashQueue;
pub use queue::{HashPermit, QueueFull, Requester};
