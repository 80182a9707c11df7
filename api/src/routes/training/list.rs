//! `GET /training` and `GET /training/count`: lists and counts jobs.

use axum::extract::State;
use trainyard_domain::JobId;
use trainyard_http::page::{PageParams, Search};
use trainyard_http::query::Query;
use trainyard_http::{Json, List, Principal, Problem};

use super::filter::FilterView;
use crate::schemas::job::{JobCountView, JobView};
use crate::state::ApiState;

/// Most jobs that are counted, and most jobs of a bulk action.
pub(crate) const MAX_COUNT: i64 = 100_000;

/// List jobs.
///
/// Lists jobs, newest first. `queue_position` and the curves of the metrics are left out; `GET /training/{job_id}` has
/// them. A page may have fewer jobs than `limit`, or none, when few of many jobs match several filters: continue with
/// `next_cursor` until it is null.
#[utoipa::path(
    get, path = "/training", operation_id = "list_jobs", tag = "training",
    params(PageParams, FilterView),
    responses(
        (status = 200, description = "A page of jobs.", body = List<JobView>),
        (status = 422, description = "A filter has an invalid value."),
    )
)]
pub async fn list(
    State(state): State<ApiState>,
    principal: Principal,
    search: Search<FilterView, JobId>,
) -> Result<Json<List<JobView>>, Problem> {
    let Search { filter, page } = search;
    let filter = filter.parse("", &principal).map_err(Problem::validation)?;
    let mut tx = state.db.read().await?;
    let found = tx.jobs().list(&filter, page.cursor, page.fetch()).await?;
    let now = tx.now().await?;
    let view = |job| JobView::new(job, None, now).without_curves().visible_to(&principal);
    Ok(Json(page.list(found.jobs, |job| job.id, view).stopped_at(found.stopped_at)))
}

/// Count jobs.
///
/// Counts the jobs that match, up to 100,000.
#[utoipa::path(
    get, path = "/training/count", operation_id = "count_jobs", tag = "training",
    params(FilterView),
    responses(
        (status = 200, description = "The number of jobs.", body = JobCountView),
        (status = 422, description = "A filter has an invalid value."),
    )
)]
pub async fn count(
    State(state): State<ApiState>,
    principal: Principal,
    query: Query<FilterView>,
) -> Result<Json<JobCountView>, Problem> {
    let filter = query.0.parse("", &principal).map_err(Problem::validation)?;
    let counted = state.db.read().await?.jobs().count(&filter, MAX_COUNT).await?;
    Ok(Json(JobCountView { count: counted.count, more: counted.more }))
}
