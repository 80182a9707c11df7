//! `POST /training/retry`: the dead letters of a filter, again.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use trainyard_domain::{Algorithm, DatasetId, FailureCode, FieldError, Job, JobId, JobStatus, ModelName, UserId};
use trainyard_http::{Json, Problem, whole};
use trainyard_storage::{Admission, JobDemand, JobFilter, StorageError, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::Actor;
use crate::state::ApiState;
use crate::views::algorithm::AlgorithmName;
use crate::views::job::{FailureCodeView, RetriedView, SkippedView};

/// Jobs looked at in one transaction.
const PAGE: i64 = 200;
/// Jobs looked at in one request, for filters that few jobs pass.
const MAX_LOOKED_AT: usize = 20_000;
const DATASET_DELETED: &str = "the data set that it was submitted for has been deleted";
/// Jobs named in the answer as left out.
const MAX_SKIPPED: usize = 100;

/// Which jobs to run again; all of what is given has to fit.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "failed", "name": "titanic-rf", "error_code": "crashed", "limit": 1000}))]
pub struct RetryRequest {
    /// `failed` or `cancelled`; `failed` when left out.
    #[serde(default)]
    status: DeadStatus,
    /// The model's name.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    name: Option<String>,
    /// One of `GET /algorithms`.
    #[schema(value_type = Option<AlgorithmName>)]
    algorithm: Option<String>,
    /// The id of the account that submitted them.
    created_by: Option<Uuid>,
    /// Why they failed: the `code` of their `error`.
    #[schema(value_type = Option<FailureCodeView>, example = "crashed")]
    error_code: Option<FailureCode>,
    /// Most jobs to run again, the newest first; 1,000 when left out.
    #[serde(default = "a_thousand", deserialize_with = "whole::i64")]
    #[schema(minimum = 1, maximum = 1000)]
    limit: i64,
}

/// How the jobs to run again have ended.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeadStatus {
    /// They failed.
    #[default]
    Failed,
    /// Somebody stopped them.
    Cancelled,
}

fn a_thousand() -> i64 {
    1_000
}

/// Retry many jobs.
///
/// Runs the failed (or cancelled) jobs of a filter again, each with all of its attempts, on the same rows. Jobs whose
/// data set was deleted, and those of accounts that have too many jobs waiting, are left out and named. The jobs start
/// over within moments, each account's in fair turns.
#[utoipa::path(
    post, path = "/training/retry", operation_id = "retry_jobs", tag = "training",
    request_body = RetryRequest,
    responses(
        (status = 202, description = "How many are queued again.", body = RetriedView),
        (status = 422, description = "A filter with a value that no job can have."),
        (status = 429, description = "Too many jobs are queued or running for even one more."),
    )
)]
pub async fn retry_all(
    State(state): State<ApiState>,
    actor: Actor,
    Json(body): Json<RetryRequest>,
) -> Result<(StatusCode, Json<RetriedView>), Problem> {
    let wanted = body.parse().map_err(Problem::validation)?;
    let mut round = Round::default();
    while !round.is_over(wanted.limit) {
        let mut tx = state.db.begin().await?;
        let now = tx.now().await?;
        let again = round.page(&state, &mut tx, &wanted, now).await?;
        if !again.is_empty() {
            let detail = json!({"filter": body, "jobs": again});
            actor.did(&mut tx, "training.retry_all", "training".into(), detail).await?;
        }
        tx.commit().await?;
    }
    if round.full && round.retried == 0 {
        return Err(state.quota().full());
    }
    tracing::info!(jobs = round.retried, "jobs are queued again");
    let Round { retried, skipped, skipped_total, done, .. } = round;
    Ok((StatusCode::ACCEPTED, Json(RetriedView { retried, skipped_total, skipped, more: !done })))
}

/// The filter, parsed.
struct Wanted {
    filter: JobFilter,
    code: Option<FailureCode>,
    limit: usize,
}

impl RetryRequest {
    fn parse(&self) -> Result<Wanted, Vec<FieldError>> {
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
        if !(1..=a_thousand()).contains(&self.limit) {
            refuse("limit", format!("must be a whole number from 1 to {}", a_thousand()));
        }
        let status = Some(match self.status {
            DeadStatus::Failed => JobStatus::Failed,
            DeadStatus::Cancelled => JobStatus::Cancelled,
        });
        let filter = JobFilter { status, name, algorithm, created_by: self.created_by.map(UserId) };
        let wanted = Wanted { filter, code: self.error_code, limit: usize::try_from(self.limit).unwrap_or_default() };
        if refused.is_empty() { Ok(wanted) } else { Err(refused) }
    }
}

/// How far a request has come.
#[derive(Default)]
struct Round {
    cursor: Option<JobId>,
    looked_at: usize,
    retried: usize,
    skipped: Vec<SkippedView>,
    skipped_total: usize,
    /// There are no more jobs that fit.
    done: bool,
    /// No more jobs may wait.
    full: bool,
}

impl Round {
    fn is_over(&self, limit: usize) -> bool {
        self.done || self.full || self.retried >= limit || self.looked_at >= MAX_LOOKED_AT
    }

    /// One page of jobs; answers which of them are queued again.
    async fn page(
        &mut self,
        state: &ApiState,
        tx: &mut Tx,
        wanted: &Wanted,
        now: DateTime<Utc>,
    ) -> Result<Vec<JobId>, StorageError> {
        let jobs = tx.jobs().list(&wanted.filter, self.cursor, PAGE).await?;
        self.done = jobs.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let mut wanted_jobs = Vec::new();
        for job in jobs {
            if self.retried + wanted_jobs.len() >= wanted.limit {
                self.done = false;
                break;
            }
            self.looked_at += 1;
            self.cursor = Some(job.id);
            let code = job.error.as_ref().map(|error| error.code);
            if wanted.code.is_none() || wanted.code == code {
                wanted_jobs.push(job);
            }
        }
        self.retry(state, tx, wanted_jobs, now).await
    }

    /// Puts jobs back into the queue as far as the limits allow; answers which.
    async fn retry(
        &mut self,
        state: &ApiState,
        tx: &mut Tx,
        jobs: Vec<Job>,
        now: DateTime<Utc>,
    ) -> Result<Vec<JobId>, StorageError> {
        let jobs = self.with_datasets(tx, jobs).await?;
        let demand = |job: &Job| JobDemand::one(job.created_by, job.dataset_id);
        let demands: Vec<_> = jobs.iter().map(demand).collect();
        let admissions = tx.jobs().admit(&demands, state.quota().limits).await?;
        let mut again = Vec::new();
        for (job, admission) in jobs.iter().zip(admissions) {
            match admission {
                Admission::Admitted if tx.jobs().retry(job.id, now).await? => {
                    self.retried += 1;
                    again.push(job.id);
                }
                Admission::Admitted => self.skip(job.id, "somebody else has retried it at the same moment"),
                Admission::UserFull => {
                    self.skip(job.id, "its account has as many jobs queued or running as it may have");
                }
                Admission::DatasetDeleted => self.skip(job.id, DATASET_DELETED),
                // Those that found no place are as they were: not looked at.
                Admission::TotalFull => (self.full, self.done) = (true, false),
            }
        }
        Ok(again)
    }

    /// The jobs whose data set is there; the others are skipped.
    async fn with_datasets(&mut self, tx: &mut Tx, jobs: Vec<Job>) -> Result<Vec<Job>, StorageError> {
        let mut ids: Vec<DatasetId> = jobs.iter().map(|job| job.dataset_id).collect();
        ids.sort();
        ids.dedup();
        let present = tx.datasets().present(&ids).await?;
        let (kept, gone): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| present.contains(&job.dataset_id));
        gone.iter().for_each(|job| self.skip(job.id, DATASET_DELETED));
        Ok(kept)
    }

    fn skip(&mut self, id: JobId, reason: &'static str) {
        self.skipped_total += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(SkippedView { job_id: id.0, reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_filter_is_named() {
        let wrong = json!({"name": "No Such", "algorithm": "x"});
        let request: RetryRequest = serde_json::from_value(wrong).unwrap();
        let fields: Vec<_> = request.parse().err().unwrap().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "algorithm"]);
        let all: RetryRequest = serde_json::from_value(json!({})).unwrap();
        let wanted = all.parse().ok().unwrap();
        assert_eq!((wanted.filter.status, wanted.limit), (Some(JobStatus::Failed), 1_000));
    }
}
