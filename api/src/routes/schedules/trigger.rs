//! `POST /schedules/{id}/trigger`: submits a job of a schedule now.

use axum::extract::State;
use serde_json::json;
use trainyard_domain::schedule::Outcome;
use trainyard_domain::{IndexedDataset, Job, JobStatus, ScheduleId, ScheduleRun};
use trainyard_http::middleware::TraceContext;
use trainyard_http::{Path, Principal, Problem};
use trainyard_storage::ScheduleResult;
use trainyard_telemetry::Span;

use super::missing;
use crate::audit::Actor;
use crate::response::Accepted;
use crate::schemas::job::AcceptedView;
use crate::state::ApiState;
use crate::submission;

/// Trigger a schedule.
///
/// Submits a job of a schedule now, also when the schedule is paused or has an active job. The caller owns the job.
#[utoipa::path(
    post, path = "/schedules/{id}/trigger", operation_id = "trigger_schedule", tag = "schedules",
    params(("id" = Uuid, Path, description = "The schedule.")),
    responses(
        (status = 202, description = "The job is stored and queued.", body = AcceptedView,
            headers(("Location" = String, description = "The URL of the job."),
                    ("Retry-After" = u64, description = "Seconds until the first poll."))),
        (status = 404, description = "The schedule does not exist."),
        (status = 409, description = "The training request is no longer valid; `errors` lists the fields."),
        (status = 429, description = "A limit on queued and running jobs is reached."),
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
    let deleted = || Problem::conflict("the dataset of the schedule has been deleted");
    let dataset = tx.datasets().latest(&schedule.template.dataset).await?.ok_or_else(deleted)?;
    let invalid = |errors| {
        Problem::conflict("the training request of the schedule is no longer valid; change the schedule").about(errors)
    };
    let dataset = IndexedDataset::from(dataset);
    let spec = schedule.template.resolve(&dataset).map_err(invalid)?;
    state.quota().admit_one(&mut tx, principal.user_id, dataset.id, deleted).await?;

    let span = Span::child_of(Some(trace.server_span()), "api.training.submit");
    let traceparent = span.context().or(trace.remote_parent()).map(|place| place.to_string());
    let job = Job::submitted(spec, dataset.id, principal.user_id, actor.request_id(), now);
    let job = Job { traceparent, ..job };
    let run = ScheduleRun {
        schedule_id: id,
        due_at: now,
        job_id: Some(job.id),
        outcome: Outcome::Submitted,
        message: Some("triggered manually".into()),
        at: now,
    };
    if !tx.schedules().add_run(&run).await? {
        return Err(Problem::conflict("the schedule fired concurrently; try again"));
    }
    tx.jobs().insert(&job).await?;
    tx.schedules().record_result(id, &ScheduleResult { job: Some((job.id, now)), error: None }).await?;
    actor.record(&mut tx, "schedule.trigger", format!("schedule:{id}"), json!({"job_id": job.id})).await?;
    let paused = tx.jobs().paused().await?;
    tx.commit().await?;

    submission::count_submitted(&job);
    if !paused {
        submission::enqueue(&state, &[submission::queue_entry(&job)], vec![submission::trace_parent(&job)]).await;
    }
    Ok(Accepted::new(job.id, JobStatus::Queued))
}
