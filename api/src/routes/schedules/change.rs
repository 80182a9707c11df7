//! `PATCH /schedules/{id}`: another time, another order, a pause.

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
use crate::state::ApiState;
use crate::views::schedule::{CatchUpView, OverlapView, ScheduleView};

/// What to change about a schedule; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"paused": true}))]
pub struct SchedulePatch {
    /// The new times.
    cron: Option<String>,
    /// The time zone they are meant in.
    timezone: Option<String>,
    /// The new order, whole.
    spec: Option<TrainingRequest>,
    /// What becomes of times that passed while the servers were down.
    catch_up: Option<CatchUpView>,
    /// What becomes of a time that comes while a job of the schedule is queued or running.
    overlap: Option<OverlapView>,
    /// Whether it does nothing by itself. Times that pass during a pause are not caught up with.
    paused: Option<bool>,
}

/// Change a schedule.
///
/// Changes a schedule, pauses it or lets it go on. Jobs that were submitted stay as they are.
#[utoipa::path(
    patch, path = "/schedules/{id}", operation_id = "change_schedule", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule.")),
    request_body = SchedulePatch,
    responses(
        (status = 200, description = "The schedule as it is now.", body = ScheduleView),
        (status = 404, description = "There is no such schedule."),
        (status = 409, description = "It was changed, or fired, at the same moment."),
        (status = 422, description = "What can't be scheduled, field by field; the order's fields begin with `spec.`."),
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
        return Err(Problem::conflict("the schedule was changed, or fired, at the same moment; try again"));
    }
    actor.did(&mut tx, "schedule.update", format!("schedule:{id}"), detail).await?;
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
        let (moved, was_paused) = (self.cron.is_some() || self.timezone.is_some(), schedule.paused);
        schedule.cron = self.cron.unwrap_or(schedule.cron);
        schedule.timezone = self.timezone.unwrap_or(schedule.timezone);
        schedule.paused = self.paused.unwrap_or(schedule.paused);
        schedule.catch_up = self.catch_up.map_or(schedule.catch_up, Into::into);
        schedule.overlap = self.overlap.map_or(schedule.overlap, Into::into);
        schedule.updated_at = now;
        match Timetable::parse(&schedule.cron, &schedule.timezone, now) {
            Err(errors) => refused.extend(errors),
            Ok(_) if schedule.paused => schedule.next_run_at = None,
            Ok(timetable) if moved || was_paused => schedule.next_run_at = timetable.next(now),
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
