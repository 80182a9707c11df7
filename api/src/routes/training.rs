//! Training jobs: submit, watch, list, cancel, retry.

pub mod control;
pub mod events;
pub mod list;
pub mod request;
pub mod retry_all;
pub mod submit;
pub mod watch;

use trainyard_http::Problem;

fn missing() -> Problem {
    Problem::not_found("there is no such job")
}
