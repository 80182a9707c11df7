//! Schedules: jobs that come back. The sweep submits them; here people make, look at, change and remove them.

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
use crate::state::ApiState;
use crate::views::schedule::{ScheduleRunView, ScheduleView};
use request::ScheduleRequest;

/// Make a schedule.
///
/// Submits a training job again and again. `cron` has five fields (minute, hour, day of month, month, day of week), six
/// with seconds in front, or is a nickname such as `@daily`, and is meant in `timezone`. Where clocks are put forward, a
/// single time of day that does not exist comes right after the gap; where they are put back, one that exists twice comes
/// once. The order is checked now and again each time; one that is refused then shows as `last_error`. Its jobs count
/// against the same limits as submitted ones.
#[utoipa::path(
    post, path = "/schedules", operation_id = "create_schedule", tag = "schedules",
    request_body = ScheduleRequest,
    responses(
        (status = 201, description = "The schedule, with its next five times.", body = ScheduleView,
            headers(("Location" = String, description = "Where to look at it."))),
        (status = 409, description = "The name is taken, or there are too many schedules."),
        (status = 422, description = "What can't be scheduled, field by field; the order's fields begin with `spec.`."),
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
            let most = state.config.max_schedules;
            return Err(Problem::conflict(format!("there are {most} schedules, as many as api.max_schedules allows")));
        }
        Err(StorageError::Conflict) => return Err(Problem::conflict("there is a schedule with this name")),
        Err(error) => return Err(error.into()),
    }
    let detail = json!({"name": schedule.name, "cron": schedule.cron, "timezone": schedule.timezone});
    let subject = format!("schedule:{}", schedule.id);
    actor.did(&mut tx, "schedule.create", subject, detail).await?;
    tx.commit().await?;
    let location = [(header::LOCATION, format!("/schedules/{}", schedule.id))];
    Ok((StatusCode::CREATED, location, Json(ScheduleView::new(schedule, now))))
}

/// List schedules.
///
/// All schedules, newest first.
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
        |schedule| ScheduleView::new(schedule, now).read_by(&principal),
    )))
}

/// Look at a schedule.
///
/// One schedule, with its next times.
#[utoipa::path(
    get, path = "/schedules/{id}", operation_id = "get_schedule", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule.")),
    responses(
        (status = 200, description = "The schedule.", body = ScheduleView),
        (status = 404, description = "There is no such schedule."),
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
    Ok(Json(ScheduleView::new(schedule, now).read_by(&principal)))
}

/// List a schedule's runs.
///
/// What its latest times came to, latest first: also those that were skipped or refused, and why.
#[utoipa::path(
    get, path = "/schedules/{id}/runs", operation_id = "list_schedule_runs", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule."), PageParams),
    responses(
        (status = 200, description = "A page of runs.", body = List<ScheduleRunView>),
        (status = 404, description = "There is no such schedule."),
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

/// Remove a schedule.
///
/// Removes a schedule and its list of runs. Its jobs stay, and those that are queued or running go on.
#[utoipa::path(
    delete, path = "/schedules/{id}", operation_id = "delete_schedule", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such schedule."),
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
    actor.did(&mut tx, "schedule.delete", subject, detail).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn missing() -> Problem {
    Problem::not_found("there is no such schedule")
}
