//! `PATCH /schedules/{id}`: changes or pauses a schedule.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::schedule::{Template, Timetable};
use trainyard_domain::{FieldError, Schedule, ScheduleId};
use trainyard_http::{Json, Path, Problem};
use utoipa::ToSchema;

use super::missing;
use super::request::template;
use crate::audit::Actor;
use crate::routes::training::request::TrainingRequest;
use crate::schemas::schedule::{CatchUpView, OverlapView, ScheduleView};
use crate::state::ApiState;

/// Changes to a schedule. Fields that are left out do not change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"paused": true}))]
pub struct SchedulePatch {
    /// The new cron expression.
    cron: Option<String>,
    /// The new time zone of `cron`.
    timezone: Option<String>,
    /// The new training request, complete.
    spec: Option<TrainingRequest>,
    /// How times that passed while no server was running are treated.
    catch_up: Option<CatchUpView>,
    /// How a time at which a job of the schedule is queued or running is treated.
    overlap: Option<OverlapView>,
    /// Whether the schedule is paused. Times during a pause are not caught up.
    paused: Option<bool>,
}

/// Change a schedule.
///
/// Changes, pauses or resumes a schedule. Submitted jobs do not change.
#[utoipa::path(
    patch, path = "/schedules/{id}", operation_id = "change_schedule", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule.")),
    request_body = SchedulePatch,
    responses(
        (status = 200, description = "The changed schedule.", body = ScheduleView),
        (status = 404, description = "The schedule does not exist."),
        (status = 409, description = "The schedule was changed, or fired, concurrently."),
        (status = 422, description = "Some fields are not valid; `errors` lists them. Fields of the training request begin with `spec.`."),
    )
)]
pub async fn patch(
    State(state): State<ApiState>,
    actor: Actor,
    Path(id): Path<ScheduleId>,
    Json(body): Json<SchedulePatch>,
) -> Result<Json<ScheduleView>, Problem> {
    let detail = json!({
        "cron": body.cron, "timezone": body.timezone, "spec": body.spec, "catch_up": body.catch_up,
        "overlap": body.overlap, "paused": body.paused
    });
    let template = match &body.spec {
        Some(spec) => Some(template(&state, spec.clone()).await?),
        None => None,
    };
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    let schedule = tx.schedules().get(id).await?.ok_or_else(missing)?;
    let schedule = body.apply(schedule, template, now)?;
    if !tx.schedules().update(&schedule).await? {
        return Err(Problem::conflict("the schedule was changed, or fired, concurrently; try again"));
    }
    actor.record(&mut tx, "schedule.update", format!("schedule:{id}"), detail).await?;
    tx.commit().await?;
    Ok(Json(ScheduleView::new(schedule, now)))
}

impl SchedulePatch {
    fn apply(
        self,
        mut schedule: Schedule,
        template: Option<Result<Template, Vec<FieldError>>>,
        now: DateTime<Utc>,
    ) -> Result<Schedule, Problem> {
        let mut refused = Vec::new();
        let (is_rescheduled, was_paused) = (self.cron.is_some() || self.timezone.is_some(), schedule.paused);
        schedule.cron = self.cron.unwrap_or(schedule.cron);
        schedule.timezone = self.timezone.unwrap_or(schedule.timezone);
        schedule.paused = self.paused.unwrap_or(schedule.paused);
        schedule.catch_up = self.catch_up.map_or(schedule.catch_up, Into::into);
        schedule.overlap = self.overlap.map_or(schedule.overlap, Into::into);
        schedule.updated_at = now;
        match Timetable::parse(&schedule.cron, &schedule.timezone, now) {
            Err(errors) => refused.extend(errors),
            Ok(_) if schedule.paused => schedule.next_run_at = None,
            Ok(timetable) if is_rescheduled || was_paused => schedule.next_run_at = timetable.next(now),
            Ok(_) => {}
        }
        match template {
            Some(Ok(template)) => (schedule.template, schedule.last_error) = (template, None),
            Some(Err(errors)) => refused.extend(errors),
            None => {}
        }
        if refused.is_empty() { Ok(schedule) } else { Err(Problem::validation(refused)) }
    }
}
