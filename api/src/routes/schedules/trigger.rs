//! `POST /schedules/{id}/trigger`: one job of a schedule now, whatever the clock says.

use axum::extract::State;
use serde_json::json;
use trainyard_domain::schedule::Outcome;
use trainyard_domain::{IndexedDataset, Job, JobStatus, ScheduleId, ScheduleRun};
use trainyard_http::middleware::TraceContext;
use trainyard_http::{Path, Principal, Problem};
use trainyard_storage::Fired;
use trainyard_telemetry::Span;

use super::missing;
use crate::answer::Accepted;
use crate::audit::Actor;
use crate::state::ApiState;
use crate::submission;
use crate::views::job::AcceptedView;

/// Trigger a schedule.
///
/// Submits a schedule's order now, also when it is paused or a job of it has not ended. The job is the caller's.
#[utoipa::path(
    post, path = "/schedules/{id}/trigger", operation_id = "trigger_schedule", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule.")),
    responses(
        (status = 202, description = "The job is stored and will run.", body = AcceptedView,
            headers(("Location" = String, description = "Where to watch the job."),
                    ("Retry-After" = u64, description = "Seconds after which to look."))),
        (status = 404, description = "There is no such schedule."),
        (status = 409, description = "The order can't be trained any more: the fields say why."),
        (status = 429, description = "Too many jobs are queued or running."),
    )
)]
pub async fn trigger(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    trace: TraceContext,
    Path(id): Path<ScheduleId>,
) -> Result<Accepted, Problem> {
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    let schedule = tx.schedules().get(id).await?.ok_or_else(missing)?;
    let gone = || Problem::conflict("the schedule's data set has been deleted");
    let dataset = tx.datasets().latest(&schedule.template.dataset).await?.ok_or_else(gone)?;
    let stale = |errors| Problem::conflict("the schedule's order can't be trained any more").about(errors);
    let dataset = IndexedDataset::from(dataset);
    let spec = schedule.template.resolve(&dataset).map_err(stale)?;
    state.quota().admit_one(&mut tx, principal.user_id, dataset.id, gone).await?;

    let span = Span::child_of(Some(trace.place()), "api.training.submit");
    let traceparent = span.place().or(trace.sent()).map(|place| place.to_string());
    let job = Job::submitted(spec, dataset.id, principal.user_id, actor.request_id(), now);
    let job = Job { traceparent, ..job };
    let run = ScheduleRun {
        schedule_id: id,
        due_at: now,
        job_id: Some(job.id),
        outcome: Outcome::Submitted,
        message: Some("triggered by hand".into()),
        at: now,
    };
    if !tx.schedules().add_run(&run).await? {
        return Err(Problem::conflict("the schedule ran at this very moment"));
    }
    tx.jobs().insert(&job).await?;
    tx.schedules().note(id, &Fired { job: Some((job.id, now)), error: None }).await?;
    actor.did(&mut tx, "schedule.trigger", format!("schedule:{id}"), json!({"job_id": job.id})).await?;
    let paused = tx.jobs().paused().await?;
    tx.commit().await?;

    submission::count_submitted(&job);
    if !paused {
        submission::send(&state, &[submission::ready(&job)], vec![submission::traced(&job)]).await;
    }
    Ok(Accepted::new(job.id, JobStatus::Queued))
}
