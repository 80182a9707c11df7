//! Routes that move and remove aliases.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::model::parse_alias;
use trainyard_http::{Json, Path, Problem, integer};
use utoipa::ToSchema;

use super::{missing, model_name};
use crate::announce::announce;
use crate::audit::Actor;
use crate::schemas::model::AliasView;
use crate::state::ApiState;

/// The target of an alias.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasRequest {
    /// A version of the model.
    #[serde(deserialize_with = "integer::i64")]
    #[schema(example = 3, minimum = 1)]
    version: i64,
}

/// Move an alias.
///
/// Points an alias at a version, atomically. `/inference` serves the version of `production`.
#[utoipa::path(
    put, path = "/models/{name}/aliases/{alias}", operation_id = "move_alias", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
           ("alias" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The alias.", example = "production")),
    request_body = AliasRequest,
    responses(
        (status = 200, description = "The alias and its version.", body = AliasView),
        (status = 404, description = "The model does not exist."),
        (status = 422, description = "The alias is invalid, or the version does not exist."),
    )
)]
pub async fn put(
    State(state): State<ApiState>,
    actor: Actor,
    Path((name, alias)): Path<(String, String)>,
    Json(body): Json<AliasRequest>,
) -> Result<Json<AliasView>, Problem> {
    let name = model_name(&name)?;
    let alias = parse_alias(&alias).map_err(|message| Problem::field("alias", message))?;
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    tx.models().get(&name).await?.ok_or_else(missing)?;
    if !tx.models().set_alias(&name, &alias, body.version, now).await? {
        return Err(Problem::field("version", format!("is not a version of {name}")));
    }
    let detail = json!({"alias": alias, "version": body.version});
    actor.record(&mut tx, "model.alias", format!("model:{name}"), detail).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(Json(AliasView { name: name.as_str().to_owned(), alias, version: body.version }))
}

/// Remove an alias.
///
/// Removes an alias. Its version stays.
#[utoipa::path(
    delete, path = "/models/{name}/aliases/{alias}", operation_id = "remove_alias", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
           ("alias" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The alias.", example = "candidate")),
    responses(
        (status = 204, description = "The alias is removed."),
        (status = 404, description = "The model or the alias does not exist."),
    )
)]
pub async fn delete(
    State(state): State<ApiState>,
    actor: Actor,
    Path((name, alias)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let name = model_name(&name)?;
    let mut tx = state.db.begin().await?;
    tx.models().get(&name).await?.ok_or_else(missing)?;
    if !tx.models().delete_alias(&name, &alias).await? {
        return Err(Problem::not_found("this alias of the model does not exist"));
    }
    let (subject, detail) = (format!("model:{name}"), json!({"alias": alias}));
    actor.record(&mut tx, "model.alias_delete", subject, detail).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(StatusCode::NO_CONTENT)
}
