//! `POST /training/actions` and `GET /training/actions/{action_id}`: bulk actions. `crate::action_runner` carries them out.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::{ActionId, ActionKind, ActionProgress, ActionStatus, JobAction, JobFilter};
use trainyard_http::{Code, Json, Path, Principal, Problem, integer};
use trainyard_storage::{MAX_RUNNING_ACTIONS, StorageError};
use utoipa::ToSchema;

use super::filter::FilterView;
use super::list::MAX_COUNT;
use crate::audit::Actor;
use crate::schemas::job_action::{ActionAcceptedView, ActionKindView, ActionView};
use crate::state::ApiState;

/// Tries to insert an action while other actions are inserted concurrently.
const MAX_TRIES: usize = 5;
const RETRY_AFTER_S: u64 = 10;

/// A bulk action on all jobs that match a filter.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"action": "retry", "filter": {"status": "failed", "error_code": "crashed"}, "expect_count": 12}))]
pub struct ActionRequest {
    /// What to do with each job.
    action: ActionKindView,
    /// Which jobs; the values are those of `GET /training`.
    filter: FilterView,
    /// The number of jobs that match, from `GET /training/count`. The action starts only if the number is still the same.
    #[serde(default, deserialize_with = "integer::optional_i64")]
    #[schema(minimum = 0, maximum = 100000, example = 12)]
    expect_count: Option<i64>,
}

/// Start a bulk action.
///
/// Cancels or retries all jobs that match a filter now, at most 100,000. Jobs that are submitted later, or match later, are
/// not changed. The server works through the jobs in small steps, oldest first. Jobs that cannot be changed are skipped: to
/// cancel, a job must be queued or running; to retry, failed or cancelled. A server that stops is replaced by another one.
#[utoipa::path(
    post, path = "/training/actions", operation_id = "start_action", tag = "training",
    request_body = ActionRequest,
    responses(
        (status = 202, description = "The action is stored and will be carried out.", body = ActionAcceptedView,
            headers(("Location" = String, description = "The URL of the action."),
                    ("Retry-After" = u64, description = "Seconds until the first poll."))),
        (status = 409, description = "The number of matching jobs differs from `expect_count`."),
        (status = 422, description = "A filter has an invalid value, or more than 100,000 jobs match."),
        (status = 429, description = "The maximum number of actions is running."),
    )
)]
pub async fn start(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    Json(body): Json<ActionRequest>,
) -> Result<Response, Problem> {
    let filter = body.filter.parse("filter.", &principal).map_err(Problem::validation)?;
    if body.expect_count.is_some_and(|count| !(0..=MAX_COUNT).contains(&count)) {
        return Err(Problem::field("expect_count", format!("must be a whole number from 0 to {MAX_COUNT}")));
    }
    for _ in 0..MAX_TRIES {
        match insert(&state, &principal, &actor, &body, &filter).await {
            Err(InsertError::Concurrent) => {}
            Err(InsertError::Refused(problem)) => return Err(problem),
            Ok(action) => {
                state.action_runner().wake();
                return Ok(accepted(&action));
            }
        }
    }
    Err(too_many())
}

enum InsertError {
    /// Another action was inserted concurrently.
    Concurrent,
    Refused(Problem),
}

impl From<StorageError> for InsertError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict => Self::Concurrent,
            error => Self::Refused(error.into()),
        }
    }
}

async fn insert(
    state: &ApiState,
    principal: &Principal,
    actor: &Actor,
    body: &ActionRequest,
    filter: &JobFilter,
) -> Result<JobAction, InsertError> {
    let refuse = |problem| Err(InsertError::Refused(problem));
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    let mut action = JobAction {
        id: ActionId::at(now),
        kind: ActionKind::from(body.action),
        filter: json!(body.filter),
        status: ActionStatus::Running,
        total: 0,
        progress: ActionProgress::default(),
        created_by: principal.user_id,
        request_id: actor.request_id(),
        created_at: now,
        finished_at: None,
        error: None,
    };
    let Some(total) = tx.job_actions().insert(&action, filter, MAX_COUNT).await? else { return refuse(too_many()) };
    if total > MAX_COUNT {
        return refuse(Problem::field("filter", format!("must match at most {MAX_COUNT} jobs")));
    }
    if let Some(expected) = body.expect_count.filter(|expected| *expected != total) {
        let detail = format!("{total} jobs match, and expect_count is {expected}; count again");
        return refuse(Problem::conflict(detail));
    }
    action.total = total;
    let detail = json!({"action": body.action, "filter": body.filter, "jobs": total});
    actor.record(&mut tx, "training.action", format!("action:{}", action.id), detail).await?;
    tx.commit().await?;
    tracing::info!(action_id = %action.id, action = action.kind.as_str(), jobs = total, "a bulk action starts");
    Ok(action)
}

fn too_many() -> Problem {
    let detail = format!("{MAX_RUNNING_ACTIONS} bulk actions are running; try again when one has finished");
    Problem::new(Code::RateLimited, detail).retry_after(RETRY_AFTER_S)
}

fn accepted(action: &JobAction) -> Response {
    let status_url = format!("/training/actions/{}", action.id);
    let headers = [(header::LOCATION, status_url.clone()), (header::RETRY_AFTER, "1".to_owned())];
    let (action_id, status, total) = (action.id.0, action.status.into(), action.total);
    let view = ActionAcceptedView { action_id, status, total, status_url };
    (StatusCode::ACCEPTED, headers, Json(view)).into_response()
}

/// Get a bulk action.
///
/// Returns a bulk action and its progress. A finished action is kept for `sweep.keep_actions_s`.
#[utoipa::path(
    get, path = "/training/actions/{action_id}", operation_id = "get_action", tag = "training",
    params(("action_id" = Uuid, Path, description = "The action.")),
    responses(
        (status = 200, description = "The action.", body = ActionView),
        (status = 404, description = "The action does not exist."),
    )
)]
pub async fn get(State(state): State<ApiState>, Path(id): Path<ActionId>) -> Result<Json<ActionView>, Problem> {
    let action = state.db.read().await?.job_actions().get(id).await?;
    Ok(Json(action.ok_or_else(|| Problem::not_found("this action does not exist"))?.into()))
}
