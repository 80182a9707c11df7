//! Routes that delete models and versions: first the rows and, after the commit, the artifacts.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::{MoveCause, MoveReason, Traffic};
use trainyard_http::{Path, Problem, Query};
use trainyard_storage::ModelDeletion;

use super::{missing, missing_version, model_name};
use crate::announce::announce;
use crate::audit::Actor;
use crate::objects;
use crate::state::ApiState;

/// Whether to delete versions that serve.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ForceQuery {
    /// Deletes versions with aliases and versions in the traffic of the model as well. Predictions with these aliases then fail, and
    /// the weights of the model are deleted with a version that has one.
    #[serde(default)]
    #[param(example = false)]
    force: bool,
}

/// Delete a version.
///
/// Deletes a version with its artifact and, with `force`, its aliases and its traffic.
#[utoipa::path(
    delete, path = "/models/{name}/versions/{version}", operation_id = "delete_version", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), ("version" = i64, Path, minimum = 1, description = "The version."),
           ForceQuery),
    responses(
        (status = 204, description = "The version is deleted."),
        (status = 404, description = "The version does not exist."),
        (status = 409, description = "An alias points at the version, or the traffic of the model uses it."),
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
    let cause = MoveCause::new(MoveReason::VersionDeleted, tx.now().await?).by(actor.user());
    let (keys, aliases) = match tx.models().delete_version(&name, version, query.force, &cause).await? {
        ModelDeletion::Deleted { keys, aliases } => (keys, aliases),
        ModelDeletion::Aliased(aliases) => return Err(aliased(&aliases)),
        ModelDeletion::Traffic(traffic) => return Err(in_traffic(&traffic)),
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
/// Deletes a model with all versions and artifacts, its history and, with `force`, its aliases and its traffic.
#[utoipa::path(
    delete, path = "/models/{name}", operation_id = "delete_model", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."), ForceQuery),
    responses(
        (status = 204, description = "The model is deleted."),
        (status = 404, description = "The model does not exist."),
        (status = 409, description = "An alias points at a version of the model, or the model has traffic."),
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
        ModelDeletion::Traffic(traffic) => return Err(in_traffic(&traffic)),
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

fn in_traffic(traffic: &Traffic) -> Problem {
    let versions: Vec<_> = traffic.versions().iter().map(i64::to_string).collect();
    let versions = versions.join(", ");
    Problem::conflict(format!(
        "the traffic of the model uses the versions {versions}; change the traffic first, or send force=true"
    ))
}
