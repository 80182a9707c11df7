//! Training jobs: submit, watch, list, cancel, retry.

pub mod control;
pub mod events;
pub mod list;
pub mod request;
pub mod retry_all;
pub mod submit;
pub mod watch;

use trainyard_domain::JobId;
use trainyard_domain::access::ReadSection;
use trainyard_http::{Code, Principal, Problem};

use crate::state::ApiState;

fn missing() -> Problem {
    Problem::not_found("there is no such job")
}

/// Lets administrators read every job, everybody else their own, and all jobs where `auth.users_may_read` opens them.
/// A caller who may not read a job gets the same answer whether the job exists or not.
async fn check_may_read(state: &ApiState, principal: &Principal, id: JobId) -> Result<(), Problem> {
    if state.may_read(principal, ReadSection::Training) {
        return Ok(());
    }
    match state.looks().call(id).await? {
        Some(look) if look.job.created_by == principal.user_id => Ok(()),
        _ => Err(Problem::new(
            Code::Forbidden,
            "only administrators and whoever submitted a job may read it (auth.users_may_read opens training to others)",
        )),
    }
}
