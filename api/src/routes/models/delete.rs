//! Deleting models and versions: first the rows, then, once that is committed, the artifacts.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_http::middleware::RequestId;
use trainyard_http::{Path, Principal, Problem, Query};

use super::{find, missing, missing_version, model_name};
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
    principal: Principal,
    request_id: RequestId,
    Path((name, version)): Path<(String, i64)>,
    Query(query): Query<ForceQuery>,
) -> Result<StatusCode, Problem> {
    let mut tx = state.db.begin().await?;
    let found = find(&mut tx, &name, version).await?;
    if !query.force && !found.aliases.is_empty() {
        return Err(served(&found.aliases.join(", ")));
    }
    let key = tx.models().delete_version(&found.name, version).await?.ok_or_else(missing_version)?;
    let (subject, detail) = (format!("model:{}", found.name), json!({"version": version, "aliases": found.aliases}));
    Actor::of(&principal, &request_id).did(&mut tx, "model.delete_version", subject, detail).await?;
    tx.commit().await?;
    announce(&state).await;
    objects::remove(&state, &[key]).await;
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
    principal: Principal,
    request_id: RequestId,
    Path(name): Path<String>,
    Query(query): Query<ForceQuery>,
) -> Result<StatusCode, Problem> {
    let name = model_name(&name)?;
    let mut tx = state.db.begin().await?;
    tx.models().get(&name).await?.ok_or_else(missing)?;
    let aliases = tx.models().aliases(&name).await?;
    if !query.force && !aliases.is_empty() {
        let names: Vec<_> = aliases.iter().map(|(alias, _)| alias.as_str()).collect();
        return Err(served(&names.join(", ")));
    }
    let keys = tx.models().delete(&name).await?;
    let (subject, detail) = (format!("model:{name}"), json!({"versions": keys.len()}));
    Actor::of(&principal, &request_id).did(&mut tx, "model.delete", subject, detail).await?;
    tx.commit().await?;
    announce(&state).await;
    objects::remove(&state, &keys).await;
    Ok(StatusCode::NO_CONTENT)
}

fn served(aliases: &str) -> Problem {
    Problem::conflict(format!("aliases point at it ({aliases}); move them first, or send force=true"))
}
