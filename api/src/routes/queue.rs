//! Routes of the queue: read, pause, resume.

use axum::extract::State;
use chrono::Duration;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::{JobStatus, PriorityClass};
use trainyard_http::{Json, Problem, Query, bounded};
use trainyard_storage::{SAMPLE_INTERVAL, StorageError, Tx};

use crate::audit::Actor;
use crate::schemas::queue::{QueueHistoryView, QueuePointView, QueueView, WorkerView};
use crate::state::ApiState;

/// Longest history: samples are kept for 24 hours.
const MAX_MINUTES: i64 = 1_440;
const DEFAULT_MINUTES: i64 = 60;

/// Get the queue.
///
/// Returns the numbers of queued and running jobs, and the active workers.
#[utoipa::path(
    get, path = "/queue", operation_id = "get_queue", tag = "queue",
    responses((status = 200, description = "The queue.", body = QueueView))
)]
pub async fn get(State(state): State<ApiState>) -> Result<Json<QueueView>, Problem> {
    Ok(Json(load(&state, &mut state.db.read().await?).await?))
}

/// How far back the history goes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// The number of minutes.
    #[serde(default, deserialize_with = "bounded::optional::<1, MAX_MINUTES, _, _>")]
    #[param(minimum = 1, maximum = 1440, default = 60)]
    minutes: Option<i64>,
}

/// Get the history of the queue.
///
/// Returns one sample a minute, oldest first, of up to 24 hours. Minutes in which no server was running have no sample.
#[utoipa::path(
    get, path = "/queue/history", operation_id = "get_queue_history", tag = "queue",
    params(HistoryQuery),
    responses((status = 200, description = "The history.", body = QueueHistoryView))
)]
pub async fn history(
    State(state): State<ApiState>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<QueueHistoryView>, Problem> {
    let mut tx = state.db.read().await?;
    let since = tx.now().await? - Duration::minutes(query.minutes.unwrap_or(DEFAULT_MINUTES));
    let points = tx.queue_history().since(since).await?.into_iter().map(QueuePointView::from).collect();
    Ok(Json(QueueHistoryView { interval_s: SAMPLE_INTERVAL.num_seconds(), points }))
}

/// Pause the queue.
///
/// Pauses the queue: no job starts. Running jobs continue, and new jobs are accepted.
#[utoipa::path(
    post, path = "/queue/pause", operation_id = "pause_queue", tag = "queue",
    responses((status = 200, description = "The paused queue.", body = QueueView))
)]
pub async fn pause(State(state): State<ApiState>, actor: Actor) -> Result<Json<QueueView>, Problem> {
    set_paused(&state, &actor, true).await
}

/// Resume the queue.
///
/// Resumes the queue: queued jobs start again.
#[utoipa::path(
    post, path = "/queue/resume", operation_id = "resume_queue", tag = "queue",
    responses((status = 200, description = "The resumed queue.", body = QueueView))
)]
pub async fn resume(State(state): State<ApiState>, actor: Actor) -> Result<Json<QueueView>, Problem> {
    set_paused(&state, &actor, false).await
}

async fn set_paused(state: &ApiState, actor: &Actor, paused: bool) -> Result<Json<QueueView>, Problem> {
    let mut tx = state.db.begin().await?;
    tx.jobs().set_paused(paused).await?;
    let action = if paused { "queue.pause" } else { "queue.resume" };
    actor.record(&mut tx, action, "queue".into(), json!({})).await?;
    let view = load(state, &mut tx).await?;
    tx.commit().await?;
    Ok(Json(view))
}

async fn load(state: &ApiState, tx: &mut Tx) -> Result<QueueView, StorageError> {
    let now = tx.now().await?;
    let by_status = tx.jobs().by_status().await?;
    let depth_by_class = tx.jobs().depth_by_class().await?;
    let oldest = tx.jobs().oldest_queued(now).await?;
    let paused = tx.jobs().paused().await?;
    let workers = tx.workers().list(now - Duration::seconds(state.config.worker_alive_s)).await?;
    let count = |status: JobStatus| by_status.iter().find(|(found, _)| *found == status).map_or(0, |(_, n)| *n);
    let queued = |class: PriorityClass| depth_by_class.iter().find(|(found, _)| *found == class).map_or(0, |(_, n)| *n);
    Ok(QueueView {
        depth: count(JobStatus::Queued),
        depth_by_class: PriorityClass::ALL.into_iter().map(|class| (class.as_str(), queued(class))).collect(),
        by_status: JobStatus::ALL.into_iter().map(|status| (status.as_str(), count(status))).collect(),
        oldest_age_s: oldest.map(|since| (now - since).num_milliseconds().max(0) as f64 / 1000.0),
        workers: workers
            .into_iter()
            .map(|worker| WorkerView {
                id: worker.id,
                busy: worker.busy,
                capacity: worker.capacity,
                heartbeat_at: worker.heartbeat_at,
                version: worker.version,
            })
            .collect(),
        paused,
    })
}
