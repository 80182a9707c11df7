//! `GET /training`: lists jobs by status, model, algorithm and submitter.

use axum::extract::State;
use serde::Deserialize;
use trainyard_domain::{Algorithm, FieldError, JobId, JobStatus, ModelName, UserId};
use trainyard_http::page::{PageParams, Search};
use trainyard_http::{Json, List, Principal, Problem};
use trainyard_storage::JobFilter;

use crate::schemas::algorithm::AlgorithmName;
use crate::schemas::job::{JobView, StatusView};
use crate::state::ApiState;

/// Which jobs to list. A job must match every given filter.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobQuery {
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    #[param(value_type = Option<StatusView>, inline, example = "running")]
    status: Option<String>,
    /// The name of the model.
    #[param(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", example = "titanic-rf")]
    name: Option<String>,
    /// The name of an algorithm; `GET /algorithms` lists all.
    #[param(value_type = Option<AlgorithmName>, inline, example = "random_forest")]
    algorithm: Option<String>,
    /// The id of the account that submitted the job.
    #[param(value_type = Option<Uuid>)]
    created_by: Option<String>,
}

/// List jobs.
///
/// Lists jobs, newest first. `queue_position` and the curves of the metrics are left out; `GET /training/{job_id}` has
/// them.
#[utoipa::path(
    get, path = "/training", operation_id = "list_jobs", tag = "training",
    params(PageParams, JobQuery),
    responses(
        (status = 200, description = "A page of jobs.", body = List<JobView>),
        (status = 422, description = "A filter has an invalid value."),
    )
)]
pub async fn list(
    State(state): State<ApiState>,
    principal: Principal,
    search: Search<JobQuery, JobId>,
) -> Result<Json<List<JobView>>, Problem> {
    let Search { filter, page } = search;
    let filter = filter.parse().map_err(Problem::validation)?;
    let mut tx = state.db.read().await?;
    let jobs = tx.jobs().list(&filter, page.cursor, page.fetch()).await?;
    let now = tx.now().await?;
    Ok(Json(page.list(jobs, |job| job.id, |job| JobView::new(job, None, now).without_curves().visible_to(&principal))))
}

impl JobQuery {
    fn parse(&self) -> Result<JobFilter, Vec<FieldError>> {
        let mut refused = Vec::new();
        let mut refuse = |field: &str, message: String| refused.push(FieldError::new(field, message));
        let one_of = |all: &[&str]| format!("must be one of {}", all.join(", "));
        let status = self.status.as_deref().and_then(|text| {
            let found = JobStatus::parse(text);
            found.or_else(|| {
                refuse("status", one_of(&JobStatus::ALL.map(JobStatus::as_str)));
                None
            })
        });
        let algorithm = self.algorithm.as_deref().and_then(|text| {
            let found = Algorithm::parse(text);
            found.or_else(|| {
                refuse("algorithm", one_of(&Algorithm::ALL.map(Algorithm::as_str)));
                None
            })
        });
        let name = self
            .name
            .as_deref()
            .map(ModelName::parse)
            .and_then(|parsed| parsed.map_err(|message| refuse("name", message.to_owned())).ok());
        let created_by = self.created_by.as_deref().map(str::parse::<UserId>).and_then(|parsed| {
            parsed.map_err(|_| refuse("created_by", "must be the id of an account (a UUID)".to_owned())).ok()
        });
        if refused.is_empty() { Ok(JobFilter { status, name, algorithm, created_by }) } else { Err(refused) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invalid_filter_is_named() {
        let invalid = || Some("No Such".to_owned());
        let query = JobQuery { status: invalid(), name: invalid(), algorithm: invalid(), created_by: invalid() };
        let fields: Vec<_> = query.parse().unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["status", "algorithm", "name", "created_by"]);
        assert!(JobQuery::default().parse().is_ok());
    }
}
