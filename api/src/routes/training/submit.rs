//! `POST /training`: 202 means that the job is durable; the queue may hear of it later.

use axum::extract::State;
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use trainyard_domain::{Dataset, DatasetName, Job, JobId, JobSpec, JobStatus, PriorityClass, webhook};
use trainyard_http::middleware::RequestId;
use trainyard_http::{Json, Principal, Problem};
use trainyard_storage::{StorageError, Tx};
use trainyard_telemetry::catalogue;

use super::request::TrainingRequest;
use crate::answer::Accepted;
use crate::audit::Actor;
use crate::dispatch;
use crate::idempotency::IdempotencyKey;
use crate::state::ApiState;

/// Submit a training job.
///
/// Accepts a training job. With an `Idempotency-Key`, sending the same body again gives the same answer and makes no
/// second job.
#[utoipa::path(
    post, path = "/training", operation_id = "submit_job", tag = "training",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters, kept for a day.")),
    request_body = TrainingRequest,
    responses(
        (status = 202, description = "The job is stored and will run.", body = crate::views::job::AcceptedView,
            headers(("Location" = String, description = "Where to watch the job."),
                    ("Retry-After" = u64, description = "Seconds after which to look."))),
        (status = 409, description = "The `Idempotency-Key` was used with another body."),
        (status = 422, description = "What can't be trained, field by field."),
        (status = 429, description = "Too many jobs are queued or running."),
    )
)]
pub async fn submit(
    State(state): State<ApiState>,
    principal: Principal,
    request_id: RequestId,
    key: IdempotencyKey,
    Json(body): Json<TrainingRequest>,
) -> Result<Accepted, Problem> {
    let order = Order { digest: body.digest(), body, key, actor: Actor::of(&principal, &request_id), principal };
    let stored = match store(&state, &order).await? {
        // Another request with this key was stored at the same moment: the second look finds it.
        Stored::Raced => store(&state, &order).await?,
        stored => stored,
    };
    match stored {
        Stored::Fresh { id, class, send } => {
            if send {
                dispatch::send(&state, id, class).await;
            }
            Ok(Accepted::new(id, JobStatus::Queued))
        }
        Stored::Before(id) => Ok(Accepted::new(id, JobStatus::Queued)),
        Stored::Raced => Err(Problem::conflict("another request with this Idempotency-Key is in progress")),
    }
}

struct Order {
    body: TrainingRequest,
    digest: String,
    key: IdempotencyKey,
    principal: Principal,
    actor: Actor,
}

enum Stored {
    Fresh { id: JobId, class: PriorityClass, send: bool },
    Before(JobId),
    Raced,
}

async fn store(state: &ApiState, order: &Order) -> Result<Stored, Problem> {
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    if let Some(id) = order.answered_before(&mut tx, now).await? {
        return Ok(Stored::Before(id));
    }
    let (spec, dataset) = order.check(&mut tx, state.webhooks).await?;
    dispatch::refuse_over_limit(state, &mut tx, order.principal.user_id).await?;

    let job = Job::submitted(spec, dataset.id, order.principal.user_id, order.actor.request_id(), now);
    tx.jobs().insert(&job).await?;
    if let Some(key) = order.key.as_str() {
        let expires_at = now + Duration::seconds(state.config.idempotency_ttl_s);
        let remembered = tx.idempotency().insert(job.created_by, key, &order.digest, job.id, now, expires_at).await;
        if matches!(remembered, Err(StorageError::Conflict)) {
            return Ok(Stored::Raced);
        }
        remembered?;
    }
    let detail = json!({"name": job.spec.name, "algorithm": job.spec.algorithm, "dataset": job.spec.dataset});
    order.actor.did(&mut tx, "training.submit", format!("job:{}", job.id), detail).await?;
    let send = dispatch::may_send(state, &mut tx, &job, now).await?;
    tx.commit().await?;

    metrics::counter!(catalogue::JOBS_SUBMITTED_TOTAL, "algorithm" => job.spec.algorithm.as_str()).increment(1);
    tracing::info!(job_id = %job.id, algorithm = job.spec.algorithm.as_str(), "job accepted");
    Ok(Stored::Fresh { id: job.id, class: PriorityClass::of(job.spec.priority), send })
}

impl Order {
    /// The job that an earlier request with this key and body made.
    async fn answered_before(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<Option<JobId>, Problem> {
        let Some(key) = self.key.as_str() else { return Ok(None) };
        match tx.idempotency().find(self.principal.user_id, key).await? {
            None => Ok(None),
            // Too old to count; the new one takes its place.
            Some(record) if record.expires_at <= now => Ok(None),
            Some(record) if record.body_sha256 == self.digest => Ok(Some(record.job_id)),
            Some(_) => Err(Problem::conflict("this Idempotency-Key was used with another body")),
        }
    }

    /// Everything that can be refused before training is refused here.
    async fn check(&self, tx: &mut Tx, webhooks: webhook::Rules) -> Result<(JobSpec, Dataset), Problem> {
        let found = match DatasetName::parse(self.body.dataset()) {
            Ok(name) => tx.datasets().latest(&name).await?,
            Err(_) => None,
        };
        let dataset = found.ok_or_else(|| Problem::field("dataset", "is not the name of a data set"))?;
        let (draft, mut refused) = self.body.clone().draft(webhooks);
        let target_missing = refused.iter().any(|error| error.field == "target");
        match draft.check(&dataset) {
            Ok(spec) if refused.is_empty() => Ok((spec, dataset)),
            Ok(_) => Err(Problem::validation(refused)),
            Err(errors) => {
                refused.extend(errors.into_iter().filter(|error| !(target_missing && error.field == "target")));
                Err(Problem::validation(refused))
            }
        }
    }
}
