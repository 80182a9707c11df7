//! Aliases: which version is served, under which word.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::model::parse_alias;
use trainyard_http::{Json, Path, Problem, whole};
use utoipa::ToSchema;

use super::{missing, model_name};
use crate::announce::announce;
use crate::audit::Actor;
use crate::state::ApiState;
use crate::views::model::AliasView;

/// Where an alias is to point.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasRequest {
    /// A version of the model.
    #[serde(deserialize_with = "whole::i64")]
    #[schema(example = 3, minimum = 1)]
    version: i64,
}

/// Move an alias.
///
/// Points an alias at a version, in one step. `production` is what `/inference` serves.
#[utoipa::path(
    put, path = "/models/{name}/aliases/{alias}", operation_id = "move_alias", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
           ("alias" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The alias.", example = "production")),
    request_body = AliasRequest,
    responses(
        (status = 200, description = "Where it points now.", body = AliasView),
        (status = 404, description = "There is no such model."),
        (status = 422, description = "Not fit for an alias, or there is no such version."),
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
    actor.did(&mut tx, "model.alias", format!("model:{name}"), detail).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(Json(AliasView { name: name.as_str().to_owned(), alias, version: body.version }))
}

/// Remove an alias.
///
/// Removes an alias; the version it pointed at stays.
#[utoipa::path(
    delete, path = "/models/{name}/aliases/{alias}", operation_id = "remove_alias", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
           ("alias" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The alias.", example = "candidate")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such model, or it has no such alias."),
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
        return Err(Problem::not_found("the model has no such alias"));
    }
    let (subject, detail) = (format!("model:{name}"), json!({"alias": alias}));
    actor.did(&mut tx, "model.alias_delete", subject, detail).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(StatusCode::NO_CONTENT)
}
