//! Routes that delete models and versions: first the rows and, after the commit, the artifacts.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_http::{Path, Problem, Query};
use trainyard_storage::ModelDeletion;

use super::{missing, missing_version, model_name};
use crate::announce::announce;
use crate::audit::Actor;
use crate::objects;
use crate::state::ApiState;

/// Whether to delete versions with aliases.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ForceQuery {
    /// Deletes versions with aliases as well. Predictions with these aliases then fail.
    #[serde(default)]
    #[param(example = false)]
    force: bool,
}

/// Delete a version.
///
/// Deletes a version with its artifact and, with `force`, its aliases.
#[utoipa::path(
    delete, path = "/models/{name}/versions/{version}", operation_id = "delete_version", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), ("version" = i64, Path, minimum = 1, description = "The version."),
           ForceQuery),
    responses(
        (status = 204, description = "The version is deleted."),
        (status = 404, description = "The version does not exist."),
        (status = 409, description = "An alias points at the version."),
    )
)]
pub async fn version(
    State(state): State<ApiState>,
    actor: Actor,
    Path((name, version)): Path<(String, i64)>,
    Query(query): Query<ForceQuery>,
) -> Result<StatusCode, Problem> {
    let name = model_name(&name)?;
    let mut tx = state.db.begin().await?;
    let (keys, aliases) = match tx.models().delete_version(&name, version, query.force).await? {
        ModelDeletion::Deleted { keys, aliases } => (keys, aliases),
        ModelDeletion::Aliased(aliases) => return Err(aliased(&aliases)),
        ModelDeletion::Missing => return Err(missing_version()),
    };
    let (subject, detail) = (format!("model:{name}"), json!({"version": version, "aliases": aliases}));
    actor.record(&mut tx, "model.delete_version", subject, detail).await?;
    tx.commit().await?;
    announce(&state).await;
    objects::remove(&state, &keys).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a model.
///
/// Deletes a model with all versions and artifacts and, with `force`, its aliases.
#[utoipa::path(
    delete, path = "/models/{name}", operation_id = "delete_model", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), ForceQuery),
    responses(
        (status = 204, description = "The model is deleted."),
        (status = 404, description = "The model does not exist."),
        (status = 409, description = "An alias points at a version of the model."),
    )
)]
pub async fn model(
    State(state): State<ApiState>,
    actor: Actor,
    Path(name): Path<String>,
    Query(query): Query<ForceQuery>,
) -> Result<StatusCode, Problem> {
    let name = model_name(&name)?;
    let mut tx = state.db.begin().await?;
    let keys = match tx.models().delete(&name, query.force).await? {
        ModelDeletion::Deleted { keys, .. } => keys,
        ModelDeletion::Aliased(aliases) => return Err(aliased(&aliases)),
        ModelDeletion::Missing => return Err(missing()),
    };
    let (subject, detail) = (format!("model:{name}"), json!({"versions": keys.len()}));
    actor.record(&mut tx, "model.delete", subject, detail).await?;
    tx.commit().await?;
    announce(&state).await;
    objects::remove(&state, &keys).await;
    Ok(StatusCode::NO_CONTENT)
}

fn aliased(aliases: &[String]) -> Problem {
    let aliases = aliases.join(", ");
    Problem::conflict(format!("the aliases {aliases} point at it; move them first, or send force=true"))
}
