//! Deleting models and versions: first the rows, then, once that is committed, the artifacts.

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

/// Whether to delete what is served.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ForceQuery {
    /// Deletes even what an alias points at; predictions with it then fail.
    #[serde(default)]
    #[param(example = false)]
    force: bool,
}

/// Delete a version.
///
/// Deletes a version with its artifact and, when forced, the aliases that point at it.
#[utoipa::path(
    delete, path = "/models/{name}/versions/{version}", operation_id = "delete_version", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), ("version" = i64, Path, minimum = 1, description = "The version."),
           ForceQuery),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such version."),
        (status = 409, description = "An alias points at it."),
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
        ModelDeletion::Aliased(aliases) => return Err(served(&aliases)),
        ModelDeletion::Missing => return Err(missing_version()),
    };
    let (subject, detail) = (format!("model:{name}"), json!({"version": version, "aliases": aliases}));
    actor.did(&mut tx, "model.delete_version", subject, detail).await?;
    tx.commit().await?;
    announce(&state).await;
    objects::remove(&state, &keys).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a model.
///
/// Deletes a model with all of its versions.
#[utoipa::path(
    delete, path = "/models/{name}", operation_id = "delete_model", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), ForceQuery),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such model."),
        (status = 409, description = "An alias points at one of its versions."),
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
        ModelDeletion::Aliased(aliases) => return Err(served(&aliases)),
        ModelDeletion::Missing => return Err(missing()),
    };
    let (subject, detail) = (format!("model:{name}"), json!({"versions": keys.len()}));
    actor.did(&mut tx, "model.delete", subject, detail).await?;
    tx.commit().await?;
    announce(&state).await;
    objects::remove(&state, &keys).await;
    Ok(StatusCode::NO_CONTENT)
}

fn served(aliases: &[String]) -> Problem {
    let aliases = aliases.join(", ");
    Problem::conflict(format!("aliases point at it ({aliases}); move them first, or send force=true"))
}
