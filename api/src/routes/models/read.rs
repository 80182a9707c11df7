//! Routes that read models and versions.

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use trainyard_domain::{Dataset, DatasetId, ModelName, ModelVersion};
use trainyard_http::page::PageParams;
use trainyard_http::{Json, List, Page, Path, Problem};
use trainyard_storage::{Model, StorageError, Tx};
use uuid::Uuid;

use super::{find, missing, model_name};
use crate::schemas::model::{ModelDetailView, ModelView, VersionDetailView, VersionView};
use crate::state::ApiState;

/// List models.
///
/// Lists all models, newest first, each with its newest version, without the curves of its metrics.
#[utoipa::path(
    get, path = "/models", operation_id = "list_models", tag = "models",
    params(PageParams),
    responses((status = 200, description = "A page of models.", body = List<ModelView>))
)]
pub async fn list(State(state): State<ApiState>, page: Page<Uuid>) -> Result<Json<List<ModelView>>, Problem> {
    let mut tx = state.db.read().await?;
    let models = tx.models().list(page.cursor, page.fetch()).await?;
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    let mut aliases: HashMap<String, BTreeMap<String, i64>> = HashMap::new();
    for (model, alias, version) in tx.models().aliases_of(&names).await? {
        aliases.entry(model).or_default().insert(alias, version);
    }
    let latest = tx.models().latest_of(&names).await?;
    let mut latest: HashMap<String, VersionView> =
        views(&mut tx, latest).await?.into_iter().map(|(model, view)| (model.as_str().to_owned(), view)).collect();
    let view = |Model { name, created_at, .. }: Model| ModelView {
        created_at,
        aliases: aliases.remove(name.as_str()).unwrap_or_default(),
        latest: latest.remove(name.as_str()),
        name: name.as_str().to_owned(),
    };
    Ok(Json(page.list(models, |model| model.id, view)))
}

/// Get a model.
///
/// Returns a model with its versions, newest first, without the curves of their metrics.
#[utoipa::path(
    get, path = "/models/{name}", operation_id = "get_model", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), PageParams),
    responses(
        (status = 200, description = "The model with a page of its versions.", body = ModelDetailView),
        (status = 404, description = "The model does not exist."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    page: Page<i64>,
) -> Result<Json<ModelDetailView>, Problem> {
    let name = model_name(&name)?;
    let mut tx = state.db.read().await?;
    let model = tx.models().get(&name).await?.ok_or_else(missing)?;
    let aliases = tx.models().aliases(&name).await?.into_iter().collect();
    let found = tx.models().versions(&name, page.cursor, page.fetch()).await?;
    let views = views(&mut tx, found).await?;
    let List { items: versions, next_cursor } = page.list(views, |(_, view)| view.version, |(_, view)| view);
    let name = name.as_str().to_owned();
    Ok(Json(ModelDetailView { name, created_at: model.created_at, aliases, versions, next_cursor }))
}

/// Get a version.
///
/// Returns one version of a model with its signature.
#[utoipa::path(
    get, path = "/models/{name}/versions/{version}", operation_id = "get_version", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), ("version" = i64, Path, minimum = 1, description = "The version.")),
    responses(
        (status = 200, description = "The version.", body = VersionDetailView),
        (status = 404, description = "The version does not exist."),
    )
)]
pub async fn version(
    State(state): State<ApiState>,
    Path((name, version)): Path<(String, i64)>,
) -> Result<Json<VersionDetailView>, Problem> {
    let mut tx = state.db.read().await?;
    let version = find(&mut tx, &name, version).await?;
    let dataset = tx.datasets().get(version.dataset_id).await?;
    let job = tx.jobs().get(version.job_id).await?;
    Ok(Json(VersionDetailView::new(version, job.as_ref().map(|job| &job.spec), dataset.as_ref())))
}

/// Adds the training dataset to each version; returns the versions with the names of their models.
async fn views(tx: &mut Tx, versions: Vec<ModelVersion>) -> Result<Vec<(ModelName, VersionView)>, StorageError> {
    let mut ids: Vec<DatasetId> = versions.iter().map(|version| version.dataset_id).collect();
    ids.sort();
    ids.dedup();
    let datasets = tx.datasets().get_many(&ids).await?;
    let datasets: HashMap<DatasetId, Dataset> = datasets.into_iter().map(|dataset| (dataset.id, dataset)).collect();
    let view = |version: ModelVersion| {
        let dataset = datasets.get(&version.dataset_id);
        (version.name.clone(), VersionView::new(version, dataset).without_curves())
    };
    Ok(versions.into_iter().map(view).collect())
}
