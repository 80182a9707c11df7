//! Looking at models.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::extract::State;
use trainyard_domain::{Dataset, DatasetId, ModelVersion};
use trainyard_http::page::PageParams;
use trainyard_http::{Json, List, Page, Path, Problem};
use trainyard_storage::{Model, StorageError, Tx};
use uuid::Uuid;

use super::{find, missing, model_name};
use crate::state::ApiState;
use crate::views::model::{ModelDetailView, ModelView, VersionView};

/// List models.
///
/// All models, newest first, each with its newest version.
#[utoipa::path(
    get, path = "/models", operation_id = "list_models", tag = "models",
    params(PageParams),
    responses((status = 200, description = "A page of models.", body = List<ModelView>))
)]
pub async fn list(State(state): State<ApiState>, page: Page<Uuid>) -> Result<Json<List<ModelView>>, Problem> {
    let mut tx = state.db.read().await?;
    let models = tx.models().list(page.cursor, page.fetch()).await?;
    let mut views = Vec::with_capacity(models.len());
    let mut datasets = Datasets::default();
    for Model { id, name, created_at, .. } in models {
        let aliases = tx.models().aliases(&name).await?.into_iter().collect();
        let latest = match tx.models().versions(&name, None, 1).await?.pop() {
            Some(version) => Some(datasets.view(&mut tx, version).await?),
            None => None,
        };
        views.push((id, ModelView { name: name.as_str().to_owned(), created_at, aliases, latest }));
    }
    Ok(Json(page.list(views, |(id, _)| *id, |(_, view)| view)))
}

/// Look at a model.
///
/// A model with its versions, newest first.
#[utoipa::path(
    get, path = "/models/{name}", operation_id = "get_model", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), PageParams),
    responses(
        (status = 200, description = "The model with a page of its versions.", body = ModelDetailView),
        (status = 404, description = "There is no such model."),
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
    let mut views = Vec::with_capacity(found.len());
    let mut datasets = Datasets::default();
    for version in found {
        views.push((version.version, datasets.view(&mut tx, version).await?));
    }
    let List { items: versions, next_cursor } = page.list(views, |(version, _)| *version, |(_, view)| view);
    let name = name.as_str().to_owned();
    Ok(Json(ModelDetailView { name, created_at: model.created_at, aliases, versions, next_cursor }))
}

/// Look at a version.
///
/// One version of a model.
#[utoipa::path(
    get, path = "/models/{name}/versions/{version}", operation_id = "get_version", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), ("version" = i64, Path, minimum = 1, description = "The version.")),
    responses(
        (status = 200, description = "The version.", body = VersionView),
        (status = 404, description = "There is no such version."),
    )
)]
pub async fn version(
    State(state): State<ApiState>,
    Path((name, version)): Path<(String, i64)>,
) -> Result<Json<VersionView>, Problem> {
    let mut tx = state.db.read().await?;
    let version = find(&mut tx, &name, version).await?;
    Ok(Json(Datasets::default().view(&mut tx, version).await?))
}

/// The data sets that the versions of a page were trained on: mostly one and the same, so each is read once.
#[derive(Default)]
struct Datasets(HashMap<DatasetId, Option<Dataset>>);

impl Datasets {
    async fn view(&mut self, tx: &mut Tx, version: ModelVersion) -> Result<VersionView, StorageError> {
        let id = version.dataset_id;
        let dataset = match self.0.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(tx.datasets().get(id).await?),
        };
        Ok(VersionView::new(version, dataset.as_ref()))
    }
}
