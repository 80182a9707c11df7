//! Routes of jobs: submit, read, list, cancel, retry.

pub mod actions;
pub mod control;
pub mod events;
pub mod filter;
pub mod list;
pub mod request;
pub mod retry_all;
pub mod submit;
pub mod watch;

use trainyard_domain::JobId;
use trainyard_domain::access::ReadSection;
use trainyard_http::{Code, Principal, Problem};

use crate::state::ApiState;

pub(crate) fn missing() -> Problem {
    Problem::not_found("this job does not exist")
}

/// Administrators may read every job, other users their own; `auth.users_may_read` can allow users to read every job. A
/// caller that may not read a job gets the same response whether or not the job exists.
pub(crate) async fn check_may_read(state: &ApiState, principal: &Principal, id: JobId) -> Result<(), Problem> {
    if state.may_read(principal, ReadSection::Training) {
        return Ok(());
    }
    match state.job_lookup().call(id).await?? {
        Some(snapshot) if snapshot.job.created_by == principal.user_id => Ok(()),
        _ => Err(Problem::new(
            Code::Forbidden,
            "only administrators and the submitter may read this job (the setting auth.users_may_read can allow all users)",
        )),
    }
}
