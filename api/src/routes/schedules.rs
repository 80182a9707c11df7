//! Routes of schedules. The sweep submits the jobs of schedules.

pub mod change;
pub mod request;
pub mod trigger;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde_json::json;
use trainyard_domain::{Schedule, ScheduleId};
use trainyard_http::page::PageParams;
use trainyard_http::{Json, List, Page, Path, Principal, Problem};
use trainyard_storage::StorageError;

use crate::audit::Actor;
use crate::schemas::schedule::{ScheduleRunView, ScheduleView};
use crate::state::ApiState;
use request::ScheduleRequest;

/// Create a schedule.
///
/// A schedule submits a training job repeatedly. `cron` has five fields (minute, hour, day of month, month, day of week), or
/// six fields with seconds first, or is a nickname such as `@daily`. `cron` uses the time zone `timezone`. At the start of
/// daylight saving time, a fixed time of day that does not exist is moved behind the gap; at its end, a time that exists
/// twice fires once. The training request is validated now and at each run; a later refusal shows as `last_error`. The jobs
/// count against the limits on queued and running jobs.
#[utoipa::path(
    post, path = "/schedules", operation_id = "create_schedule", tag = "schedules",
    request_body = ScheduleRequest,
    responses(
        (status = 201, description = "The schedule, with its next five times.", body = ScheduleView,
            headers(("Location" = String, description = "The URL of the schedule."))),
        (status = 409, description = "The name is taken, or the limit on schedules is reached."),
        (status = 422, description = "Some fields are not valid; `errors` lists them. Fields of the training request begin with `spec.`."),
    )
)]
pub async fn create(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    Json(body): Json<ScheduleRequest>,
) -> Result<impl IntoResponse, Problem> {
    let schedule = body.check(&state, principal.user_id).await?;
    let now = schedule.created_at;
    let mut tx = state.db.begin().await?;
    match tx.schedules().insert_within(&schedule, state.config.max_schedules).await {
        Ok(true) => {}
        Ok(false) => {
            let max = state.config.max_schedules;
            return Err(Problem::conflict(format!(
                "the limit of {max} schedules (api.max_schedules) is reached; delete one first"
            )));
        }
        Err(StorageError::Conflict) => {
            return Err(Problem::conflict("a schedule with this name exists already; choose another name"));
        }
        Err(error) => return Err(error.into()),
    }
    let detail = json!({"name": schedule.name, "cron": schedule.cron, "timezone": schedule.timezone});
    let subject = format!("schedule:{}", schedule.id);
    actor.record(&mut tx, "schedule.create", subject, detail).await?;
    tx.commit().await?;
    let location = [(header::LOCATION, format!("/schedules/{}", schedule.id))];
    Ok((StatusCode::CREATED, location, Json(ScheduleView::new(schedule, now))))
}

/// List schedules.
///
/// Lists all schedules, newest first.
#[utoipa::path(
    get, path = "/schedules", operation_id = "list_schedules", tag = "schedules",
    params(PageParams),
    responses((status = 200, description = "A page of schedules.", body = List<ScheduleView>))
)]
pub async fn list(
    State(state): State<ApiState>,
    principal: Principal,
    page: Page<ScheduleId>,
) -> Result<Json<List<ScheduleView>>, Problem> {
    let mut tx = state.db.read().await?;
    let schedules = tx.schedules().list(page.cursor, page.fetch()).await?;
    let now = tx.now().await?;
    Ok(Json(page.list(
        schedules,
        |schedule| schedule.id,
        |schedule| ScheduleView::new(schedule, now).visible_to(&principal),
    )))
}

/// Get a schedule.
///
/// Returns a schedule with its next times.
#[utoipa::path(
    get, path = "/schedules/{id}", operation_id = "get_schedule", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule.")),
    responses(
        (status = 200, description = "The schedule.", body = ScheduleView),
        (status = 404, description = "The schedule does not exist."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    principal: Principal,
    Path(id): Path<ScheduleId>,
) -> Result<Json<ScheduleView>, Problem> {
    let mut tx = state.db.read().await?;
    let schedule = tx.schedules().get(id).await?.ok_or_else(missing)?;
    let now = tx.now().await?;
    Ok(Json(ScheduleView::new(schedule, now).visible_to(&principal)))
}

/// List the runs of a schedule.
///
/// Lists the latest times of a schedule with their outcomes, latest first. Skipped and refused times have a reason.
#[utoipa::path(
    get, path = "/schedules/{id}/runs", operation_id = "list_schedule_runs", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule."), PageParams),
    responses(
        (status = 200, description = "A page of runs.", body = List<ScheduleRunView>),
        (status = 404, description = "The schedule does not exist."),
    )
)]
pub async fn runs(
    State(state): State<ApiState>,
    Path(id): Path<ScheduleId>,
    page: Page<DateTime<Utc>>,
) -> Result<Json<List<ScheduleRunView>>, Problem> {
    let mut tx = state.db.read().await?;
    tx.schedules().get(id).await?.ok_or_else(missing)?;
    let runs = tx.schedules().runs(id, page.cursor, page.fetch()).await?;
    Ok(Json(page.list(runs, |run| run.due_at, ScheduleRunView::from)))
}

/// Delete a schedule.
///
/// Deletes a schedule and its runs. Its jobs stay, and queued or running jobs continue.
#[utoipa::path(
    delete, path = "/schedules/{id}", operation_id = "delete_schedule", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule.")),
    responses(
        (status = 204, description = "The schedule is deleted."),
        (status = 404, description = "The schedule does not exist."),
    )
)]
pub async fn delete(
    State(state): State<ApiState>,
    actor: Actor,
    Path(id): Path<ScheduleId>,
) -> Result<StatusCode, Problem> {
    let mut tx = state.db.begin().await?;
    let Schedule { name, .. } = tx.schedules().get(id).await?.ok_or_else(missing)?;
    if !tx.schedules().delete(id).await? {
        return Err(missing());
    }
    let (subject, detail) = (format!("schedule:{id}"), json!({"name": name}));
    actor.record(&mut tx, "schedule.delete", subject, detail).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn missing() -> Problem {
    Problem::not_found("this schedule does not exist")
}
