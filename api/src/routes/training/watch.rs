//! `GET /training/{job_id}`: a job as it is, or as soon as it changes.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::time::{Duration, Instant};
use trainyard_domain::{Job, JobId};
use trainyard_http::{Code, Json, Path, Principal, Problem, Query};

use super::{check_may_read, missing};
use crate::answer;
use crate::hub::Seen;
use crate::looks::Look;
use crate::state::ApiState;
use crate::views::job::JobView;

const MAX_WAIT_S: f64 = 60.0;

/// How long to wait for news.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WatchQuery {
    /// Seconds, up to 60, to wait for a change: from what `If-None-Match` names, else from the job as it is now.
    #[param(minimum = 0, maximum = 60, example = 30)]
    wait_s: Option<f64>,
}

/// Watch a job.
///
/// A job. With `wait_s` the answer comes when the job changes, has ended, or the time is up.
#[utoipa::path(
    get, path = "/training/{job_id}", operation_id = "get_job", tag = "training",
    params(
        ("job_id" = Uuid, Path, description = "The job."),
        WatchQuery,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the last answer."),
    ),
    responses(
        (status = 200, description = "The job.", body = JobView,
            headers(("ETag" = String, description = "Moves with every change of the job."))),
        (status = 304, description = "Nothing has changed."),
        (status = 404, description = "There is no such job."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    principal: Principal,
    Path(id): Path<JobId>,
    Query(query): Query<WatchQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    check_may_read(&state, &principal, id).await?;
    let deadline = Instant::now() + wait(query.wait_s)?;
    let session = state.sessions().poll(&principal);
    // Without a permit the poll is an ordinary request: answered at once.
    let permit = state.long_polls().try_acquire().ok();
    let mut first_seen = None;
    loop {
        let look = state.looks().call(id).await?.ok_or_else(missing)?;
        let job = &look.job;
        let news = if headers.contains_key(header::IF_NONE_MATCH) {
            !answer::has(&headers, &etag(job))
        } else {
            *first_seen.get_or_insert(job.revision) != job.revision
        };
        let over = Instant::now() >= deadline || permit.is_none() || state.stopping.is_cancelled();
        if news || over || job.status.is_final() {
            return Ok(render(look, &principal, &headers));
        }
        let mut seen = state.hub().watch(id, false);
        let moved_on = |seen: &Seen| match seen {
            Seen::Here(sight) => sight.job.revision > job.revision,
            Seen::Missing => true,
            Seen::NotYet | Seen::Unavailable => false,
        };
        tokio::select! {
            () = seen.until(moved_on) => {}
            () = tokio::time::sleep_until(deadline) => {}
            () = state.stopping.cancelled() => {}
            () = session.ended() => return Err(Problem::new(Code::Unauthenticated, "the session has ended; sign in again")),
        }
    }
}

fn render(look: Look, principal: &Principal, headers: &HeaderMap) -> Response {
    let etag = etag(&look.job);
    let caching = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    if answer::has(headers, &etag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, Json(JobView::new(look.job, look.position, look.at).read_by(principal))).into_response()
}

/// Weak, because times that pass (`duration_s`, `eta_s`, `queue_position`) move without it.
fn etag(job: &Job) -> String {
    format!("W/\"{}\"", job.revision)
}

fn wait(wait_s: Option<f64>) -> Result<Duration, Problem> {
    match wait_s.unwrap_or(0.0) {
        seconds if (0.0..=MAX_WAIT_S).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(Problem::field("wait_s", "must be a number of seconds from 0 to 60")),
    }
}
