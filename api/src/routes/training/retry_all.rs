//! `POST /training/retry`: retries all failed or cancelled jobs that match a filter.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use trainyard_domain::{
    Algorithm, Condition, FailureCode, FieldError, Job, JobFilter, JobId, JobStatus, ModelName, SkipReason, UserId,
};
use trainyard_http::{Json, Problem, integer};
use trainyard_storage::{StorageError, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::Actor;
use crate::schemas::algorithm::AlgorithmName;
use crate::schemas::job::{FailureCodeView, RetriedView, SkippedView};
use crate::state::ApiState;

/// Most jobs that one request retries.
const MAX_LIMIT: i64 = 1_000;
/// Jobs per transaction.
const PAGE: usize = 200;
/// Most pages that one request reads, in case few jobs match or most are skipped.
const MAX_PAGES: usize = 100;
/// Most skipped jobs in the response.
const MAX_SKIPPED: usize = 100;

/// Which jobs to retry. A job must match every given filter.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "failed", "name": "titanic-rf", "error_code": "crashed", "limit": 1000}))]
pub struct RetryRequest {
    /// `failed` or `cancelled`; `failed` when left out.
    #[serde(default)]
    status: DeadStatus,
    /// The name of the model.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    name: Option<String>,
    /// The name of an algorithm; `GET /algorithms` lists all.
    #[schema(value_type = Option<AlgorithmName>)]
    algorithm: Option<String>,
    /// The id of the account that submitted the jobs.
    created_by: Option<Uuid>,
    /// The error code of failed jobs.
    #[schema(value_type = Option<FailureCodeView>, example = "crashed")]
    error_code: Option<FailureCode>,
    /// Most jobs to retry, the newest first; 1,000 when left out.
    #[serde(default = "default_limit", deserialize_with = "integer::i64")]
    #[schema(minimum = 1, maximum = 1000)]
    limit: i64,
}

/// The status of the jobs to retry.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeadStatus {
    /// Failed jobs.
    #[default]
    Failed,
    /// Cancelled jobs.
    Cancelled,
}

fn default_limit() -> i64 {
    MAX_LIMIT
}

/// Retry many jobs.
///
/// Queues the failed (or cancelled) jobs that match a filter again, each with all of its attempts, on the same dataset
/// version. Jobs whose dataset was deleted, and jobs of accounts at the job limit, are skipped and listed. The jobs are
/// enqueued within seconds, by fair scheduling.
#[utoipa::path(
    post, path = "/training/retry", operation_id = "retry_jobs", tag = "training",
    request_body = RetryRequest,
    responses(
        (status = 202, description = "The number of jobs that are queued again.", body = RetriedView),
        (status = 422, description = "A filter has an invalid value."),
        (status = 429, description = "The limit on the queued and running jobs of all users is reached, and no job was queued again."),
    )
)]
pub async fn retry_all(
    State(state): State<ApiState>,
    actor: Actor,
    Json(body): Json<RetryRequest>,
) -> Result<(StatusCode, Json<RetriedView>), Problem> {
    let criteria = body.parse().map_err(Problem::validation)?;
    let mut retry = BulkRetry::default();
    while !retry.is_over(criteria.limit) {
        let mut tx = state.db.begin().await?;
        let now = tx.now().await?;
        let retried = retry.page(&state, &mut tx, &criteria, now).await?;
        if !retried.is_empty() {
            let detail = json!({"filter": body, "jobs": retried});
            actor.record(&mut tx, "training.retry_all", "training".into(), detail).await?;
        }
        tx.commit().await?;
    }
    if retry.limit_reached && retry.retried == 0 {
        return Err(state.quota().total_limit_reached());
    }
    tracing::info!(jobs = retry.retried, "jobs are queued again");
    let BulkRetry { retried, skipped, skipped_total, done, .. } = retry;
    Ok((StatusCode::ACCEPTED, Json(RetriedView { retried, skipped_total, skipped, more: !done })))
}

/// The parsed request.
struct Criteria {
    filter: JobFilter,
    limit: usize,
}

impl RetryRequest {
    fn parse(&self) -> Result<Criteria, Vec<FieldError>> {
        let mut refused = Vec::new();
        let mut refuse = |field: &str, message: String| refused.push(FieldError::new(field, message));
        let name = self.name.as_deref().map(ModelName::parse).transpose();
        let name = name.map_err(|message| refuse("name", message.to_owned())).ok().flatten();
        let algorithm = self.algorithm.as_deref().and_then(|text| {
            let found = Algorithm::parse(text);
            if found.is_none() {
                let known = Algorithm::ALL.map(Algorithm::as_str).join(", ");
                refuse("algorithm", format!("must be one of {known}"));
            }
            found
        });
        if !(1..=MAX_LIMIT).contains(&self.limit) {
            refuse("limit", format!("must be a whole number from 1 to {MAX_LIMIT}"));
        }
        let status = match self.status {
            DeadStatus::Failed => JobStatus::Failed,
            DeadStatus::Cancelled => JobStatus::Cancelled,
        };
        let filter = JobFilter {
            status: status.into(),
            name: name.map_or(Condition::Any, Condition::from),
            algorithm: algorithm.map_or(Condition::Any, Condition::from),
            created_by: self.created_by.map_or(Condition::Any, |id| UserId(id).into()),
            error_code: self.error_code.map_or(Condition::Any, Condition::from),
            ..JobFilter::default()
        };
        let criteria = Criteria { filter, limit: usize::try_from(self.limit).unwrap_or_default() };
        if refused.is_empty() { Ok(criteria) } else { Err(refused) }
    }
}

/// The progress of a request.
#[derive(Default)]
struct BulkRetry {
    cursor: Option<JobId>,
    pages: usize,
    retried: usize,
    skipped: Vec<SkippedView>,
    skipped_total: usize,
    /// Whether all matching jobs were read.
    done: bool,
    /// Whether the limit on the jobs of all users is reached.
    limit_reached: bool,
}

impl BulkRetry {
    fn is_over(&self, limit: usize) -> bool {
        self.done || self.limit_reached || self.retried >= limit || self.pages >= MAX_PAGES
    }

    /// Retries one page of jobs; returns the jobs that are queued again.
    async fn page(
        &mut self,
        state: &ApiState,
        tx: &mut Tx,
        criteria: &Criteria,
        now: DateTime<Utc>,
    ) -> Result<Vec<JobId>, StorageError> {
        let wanted = criteria.limit.saturating_sub(self.retried).min(PAGE);
        // One job more shows whether there are more.
        let limit = i64::try_from(wanted + 1).unwrap_or(i64::MAX);
        let mut page = tx.jobs().list(&criteria.filter, self.cursor, limit).await?;
        self.pages += 1;
        self.done = page.jobs.len() <= wanted && page.stopped_at.is_none();
        page.jobs.truncate(wanted);
        self.cursor = page.stopped_at.or_else(|| page.jobs.last().map(|job| job.id)).or(self.cursor);
        self.retry(state, tx, &page.jobs, now).await
    }

    /// Queues jobs again within the limits; returns the jobs that are queued again.
    async fn retry(
        &mut self,
        state: &ApiState,
        tx: &mut Tx,
        jobs: &[Job],
        now: DateTime<Utc>,
    ) -> Result<Vec<JobId>, StorageError> {
        let results = tx.jobs().retry_many(jobs, state.quota().limits, now).await?;
        let mut retried = Vec::new();
        for (job, result) in jobs.iter().zip(results) {
            match result {
                None => retried.push(job.id),
                // The job is unchanged, and a further request retries it.
                Some(SkipReason::TotalLimit) => (self.limit_reached, self.done) = (true, false),
                Some(reason) => self.skip(job.id, reason),
            }
        }
        self.retried += retried.len();
        Ok(retried)
    }

    fn skip(&mut self, id: JobId, reason: SkipReason) {
        self.skipped_total += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(SkippedView { job_id: id.0, reason: reason.to_string() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invalid_filter_is_named() {
        let invalid = json!({"name": "No Such", "algorithm": "x"});
        let request: RetryRequest = serde_json::from_value(invalid).unwrap();
        let fields: Vec<_> = request.parse().err().unwrap().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "algorithm"]);
        let all: RetryRequest = serde_json::from_value(json!({})).unwrap();
        let criteria = all.parse().ok().unwrap();
        assert_eq!((criteria.filter.status, criteria.limit), (JobStatus::Failed.into(), 1_000));
    }
}
