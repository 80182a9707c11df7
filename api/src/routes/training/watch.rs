//! `GET /training/{job_id}`: a job now, or after its next change (long polling).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::time::{Duration, Instant};
use trainyard_domain::{Job, JobId};
use trainyard_http::{Code, Json, Path, Principal, Problem, Query};

use super::{check_may_read, missing};
use crate::job_lookup::JobSnapshot;
use crate::job_watcher::Observation;
use crate::response;
use crate::schemas::job::JobView;
use crate::state::ApiState;

const MAX_WAIT_S: f64 = 60.0;

/// How long to wait for a change.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WatchQuery {
    /// Seconds to wait for a change, up to 60. With `If-None-Match`, a change is a different `ETag`.
    #[param(minimum = 0, maximum = 60, example = 30)]
    wait_s: Option<f64>,
}

/// Get a job.
///
/// Returns a job. With `wait_s`, the response comes when the job changes, when it has finished, or after that time.
#[utoipa::path(
    get, path = "/training/{job_id}", operation_id = "get_job", tag = "training",
    params(
        ("job_id" = Uuid, Path, description = "The job."),
        WatchQuery,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the last response."),
    ),
    responses(
        (status = 200, description = "The job.", body = JobView,
            headers(("ETag" = String, description = "Changes with every change of the job."))),
        (status = 304, description = "The job has not changed."),
        (status = 404, description = "The job does not exist."),
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
    let session = state.session_watcher().watch_poll(&principal);
    // Without a permit the request is answered at once.
    let permit = state.long_polls().try_acquire().ok();
    let mut first_revision = None;
    loop {
        let snapshot = state.job_lookup().call(id).await??.ok_or_else(missing)?;
        let job = &snapshot.job;
        let has_changed = if headers.contains_key(header::IF_NONE_MATCH) {
            !response::client_has(&headers, &etag(job))
        } else {
            *first_revision.get_or_insert(job.revision) != job.revision
        };
        let is_over = Instant::now() >= deadline || permit.is_none() || state.stopping.is_cancelled();
        if has_changed || is_over || job.status.is_final() {
            return Ok(render(snapshot, &principal, &headers));
        }
        let mut subscription = state.job_watcher().subscribe(id, false);
        let is_newer = |observation: &Observation| match observation {
            Observation::Found(watched) => watched.job.revision > job.revision,
            Observation::Missing => true,
            Observation::Pending | Observation::Unavailable => false,
        };
        tokio::select! {
            () = subscription.wait_for(is_newer) => {}
            () = tokio::time::sleep_until(deadline) => {}
            () = state.stopping.cancelled() => {}
            () = session.ended() => return Err(Problem::new(Code::Unauthenticated, "the session has ended; sign in again")),
        }
    }
}

fn render(snapshot: JobSnapshot, principal: &Principal, headers: &HeaderMap) -> Response {
    let etag = etag(&snapshot.job);
    let caching = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    if response::client_has(headers, &etag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, Json(JobView::new(snapshot.job, snapshot.queue_position, snapshot.at).visible_to(principal)))
        .into_response()
}

/// The entity tag is weak: `duration_s`, `eta_s` and `queue_position` change without a new revision.
fn etag(job: &Job) -> String {
    format!("W/\"{}\"", job.revision)
}

fn wait(wait_s: Option<f64>) -> Result<Duration, Problem> {
    match wait_s.unwrap_or(0.0) {
        seconds if (0.0..=MAX_WAIT_S).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(Problem::field("wait_s", "must be a number of seconds from 0 to 60")),
    }
}
