//! Routes that move and remove aliases.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::model::parse_alias;
use trainyard_domain::{Guarded, ModelName, MoveCause, MoveReason, PRODUCTION};
use trainyard_http::{Json, Path, Problem, Query, integer};
use trainyard_storage::Tx;
use utoipa::ToSchema;

use super::guard::GuardRequest;
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
    /// Limits on the predictions of the version. If one is exceeded, the alias returns to the version before. Without it a
    /// former guard of the alias ends.
    guard: Option<GuardRequest>,
}

/// Whether to move `production` although the traffic has weights.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ForceQuery {
    /// Moves `production` although the weights of the model's traffic decide which versions answer, and deletes the weights.
    #[serde(default)]
    #[param(example = false)]
    force: bool,
}

/// Move an alias.
///
/// Points an alias at a version, atomically. `/inference` serves the version of `production`, unless the traffic of the model has
/// weights: then moving `production` is refused, or deletes the weights with `force`.
#[utoipa::path(
    put, path = "/models/{name}/aliases/{alias}", operation_id = "move_alias", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
           ("alias" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The alias.", example = "production"),
           ForceQuery),
    request_body = AliasRequest,
    responses(
        (status = 200, description = "The alias and its version.", body = AliasView),
        (status = 404, description = "The model does not exist."),
        (status = 409, description = "The alias is `production`, and the traffic of the model has weights."),
        (status = 422, description = "The alias or the guard is invalid, or the version does not exist."),
    )
)]
pub async fn put(
    State(state): State<ApiState>,
    actor: Actor,
    Path((name, alias)): Path<(String, String)>,
    Query(query): Query<ForceQuery>,
    Json(body): Json<AliasRequest>,
) -> Result<Json<AliasView>, Problem> {
    let name = model_name(&name)?;
    let alias = parse_alias(&alias).map_err(|message| Problem::field("alias", message))?;
    let refused = body.guard.map(|guard| guard.errors()).unwrap_or_default();
    if !refused.is_empty() {
        return Err(Problem::validation(refused));
    }
    let mut tx = state.db.begin().await?;
    if !tx.models().lock(&name).await? {
        return Err(missing());
    }
    let now = tx.now().await?;
    let weights_deleted = override_weights(&mut tx, &name, &alias, query.force).await?;
    let cause = MoveCause::new(MoveReason::User, now).by(actor.user());
    if !tx.models().set_alias(&name, &alias, body.version, &cause).await? {
        return Err(Problem::field("version", format!("is not a version of {name}")));
    }
    if let Some(guard) = body.guard {
        if tx.models().version_before(&name, &alias).await?.is_none() {
            return Err(Problem::field(
                "guard",
                format!("needs a version to return to: {alias} has no version before"),
            ));
        }
        let guarded = Guarded::Alias(alias.clone());
        tx.models().insert_guard(&guard.start(&name, body.version, guarded, now)).await?;
    }
    let detail = json!({
        "alias": alias, "version": body.version, "guard": body.guard, "weights_deleted": weights_deleted
    });
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
    let cause = MoveCause::new(MoveReason::User, tx.now().await?).by(actor.user());
    if !tx.models().delete_alias(&name, &alias, &cause).await? {
        return Err(missing_alias());
    }
    let (subject, detail) = (format!("model:{name}"), json!({"alias": alias}));
    actor.record(&mut tx, "model.alias_delete", subject, detail).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses to move `production` of a locked model whose traffic has weights, or deletes the weights with `force`. Returns
/// whether it deleted weights.
pub(super) async fn override_weights(tx: &mut Tx, name: &ModelName, alias: &str, force: bool) -> Result<bool, Problem> {
    if alias != PRODUCTION {
        return Ok(false);
    }
    let traffic = tx.models().traffic(name).await?.traffic;
    if !force && !traffic.weights.is_empty() {
        return Err(Problem::conflict(format!(
            "the traffic of {name} has weights for the versions {}, so production does not select the version that answers; \
             delete the traffic first, or send force=true to delete the weights",
            traffic.weighted_list()
        )));
    }
    Ok(tx.models().delete_weights(name).await?)
}

pub(super) fn missing_alias() -> Problem {
    Problem::not_found("this alias of the model does not exist")
}
