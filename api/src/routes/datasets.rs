//! Routes of datasets: list, read, delete.

pub mod preview;
pub mod upload;
pub mod upload_query;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::{Dataset, DatasetId, DatasetName};
use trainyard_http::page::PageParams;
use trainyard_http::{Json, List, Page, Path, Problem, Query, bounded};
use trainyard_storage::{DatasetDeletion, Tx};

use crate::audit::Actor;
use crate::objects;
use crate::schemas::dataset::DatasetView;
use crate::seed::is_built_in;
use crate::state::ApiState;

/// The version of a dataset.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VersionQuery {
    /// The version; the newest when left out.
    #[serde(default, deserialize_with = "bounded::optional::<1, { i64::MAX }, _, _>")]
    #[param(minimum = 1, example = 1)]
    version: Option<i64>,
}

/// List datasets.
///
/// Lists the newest version of every dataset, newest upload first, with the first 50 columns of each.
#[utoipa::path(
    get, path = "/datasets", operation_id = "list_datasets", tag = "datasets",
    params(PageParams),
    responses((status = 200, description = "A page of datasets.", body = List<DatasetView>))
)]
pub async fn list(State(state): State<ApiState>, page: Page<DatasetId>) -> Result<Json<List<DatasetView>>, Problem> {
    let datasets = state.db.read().await?.datasets().list(page.cursor, page.fetch()).await?;
    Ok(Json(page.list(datasets, |dataset| dataset.id, DatasetView::listed)))
}

/// Get a dataset.
///
/// Returns a dataset with the profile of every column.
#[utoipa::path(
    get, path = "/datasets/{name}", operation_id = "get_dataset", tag = "datasets",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The dataset.", example = "titanic"), VersionQuery),
    responses(
        (status = 200, description = "The dataset.", body = DatasetView),
        (status = 404, description = "The dataset or its version does not exist."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<DatasetView>, Problem> {
    let mut tx = state.db.read().await?;
    Ok(Json(DatasetView::from(find(&mut tx, &name, &query).await?)))
}

/// Delete a dataset.
///
/// Deletes every version of a dataset. Models that were trained on it stay.
#[utoipa::path(
    delete, path = "/datasets/{name}", operation_id = "delete_dataset", tag = "datasets",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The dataset.")),
    responses(
        (status = 204, description = "The dataset is deleted."),
        (status = 404, description = "The dataset does not exist."),
        (status = 409, description = "A queued or running job needs the dataset, or the dataset is built in."),
    )
)]
pub async fn delete(
    State(state): State<ApiState>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let name = DatasetName::parse(&name).map_err(|_| missing())?;
    if is_built_in(&name) {
        return Err(Problem::conflict("this dataset is built in and can't be deleted"));
    }
    let mut tx = state.db.begin().await?;
    let keys = match tx.datasets().delete(&name).await? {
        DatasetDeletion::Deleted(keys) => keys,
        DatasetDeletion::Needed => {
            return Err(Problem::conflict(
                "a queued or running job needs this dataset; cancel the job or wait for its end",
            ));
        }
        DatasetDeletion::Missing => return Err(missing()),
    };
    let (subject, detail) = (format!("dataset:{}", name.as_str()), json!({"versions": keys.len()}));
    actor.record(&mut tx, "dataset.delete", subject, detail).await?;
    tx.commit().await?;
    objects::remove(&state, &keys).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(tx: &mut Tx, name: &str, query: &VersionQuery) -> Result<Dataset, Problem> {
    let name = DatasetName::parse(name).map_err(|_| missing())?;
    let found = match query.version {
        Some(version) => tx.datasets().version(&name, version).await?,
        None => tx.datasets().latest(&name).await?,
    };
    found.ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("this dataset does not exist, or not in this version")
}
