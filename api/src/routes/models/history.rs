//! `GET /models/{name}/aliases/{alias}/history` and `POST /models/{name}/aliases/{alias}/rollback`.

use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::{MoveCause, MoveReason};
use trainyard_http::page::PageParams;
use trainyard_http::{Json, List, Page, Path, Problem, Query, bounded};
use trainyard_storage::Rollback;

use super::aliases::{missing_alias, override_weights};
use super::{missing, model_name};
use crate::announce::announce;
use crate::audit::Actor;
use crate::schemas::model::{AliasMoveView, AliasView, GuardView};
use crate::state::ApiState;

/// The highest version number that every JSON client supports.
const MAX_VERSION: i64 = (1 << 53) - 1;

/// The conditions of a rollback.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RollbackQuery {
    /// The version that the alias must point at. Two people who roll back the same version then roll back once.
    #[serde(default, deserialize_with = "bounded::optional::<1, MAX_VERSION, _, _>")]
    #[param(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 4)]
    from: Option<i64>,
    /// Rolls `production` back although the weights of the model's traffic decide which versions answer, and deletes the weights.
    #[serde(default)]
    #[param(example = false)]
    force: bool,
}

/// List the history of an alias.
///
/// Lists which version the alias pointed at and when, newest first. The newest 1,000 changes are kept.
#[utoipa::path(
    get, path = "/models/{name}/aliases/{alias}/history", operation_id = "list_alias_history", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
           ("alias" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The alias.", example = "production"),
           PageParams),
    responses(
        (status = 200, description = "A page of changes.", body = List<AliasMoveView>),
        (status = 404, description = "The model does not exist, or never had the alias."),
    )
)]
pub async fn list(
    State(state): State<ApiState>,
    Path((name, alias)): Path<(String, String)>,
    page: Page<i64>,
) -> Result<Json<List<AliasMoveView>>, Problem> {
    let name = model_name(&name)?;
    let mut tx = state.db.read().await?;
    tx.models().get(&name).await?.ok_or_else(missing)?;
    let moves = tx.models().alias_moves(&name, &alias, page.cursor, page.fetch()).await?;
    if moves.is_empty() && page.cursor.is_none() {
        return Err(missing_alias());
    }
    let guards = tx.models().guards_of(&name).await?;
    // Each change of an alias ends its guard, so a guard belongs to the newest change.
    let mut guard = guards.into_iter().find(|(guard, _)| guard.alias() == Some(alias.as_str()));
    let newest = moves.first().filter(|_| page.cursor.is_none()).map(|newest| newest.number);
    let view = |change: trainyard_domain::AliasMove| {
        let guard = if newest == Some(change.number) { guard.take() } else { None };
        AliasMoveView::new(change, guard.map(GuardView::from))
    };
    Ok(Json(page.list(moves, |change| change.number, view)))
}

/// Roll back an alias.
///
/// Moves an alias to the version that it pointed at before, atomically. Further rollbacks go further back.
#[utoipa::path(
    post, path = "/models/{name}/aliases/{alias}/rollback", operation_id = "roll_back_alias", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
           ("alias" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The alias.", example = "production"),
           RollbackQuery),
    responses(
        (status = 200, description = "The alias and its version.", body = AliasView),
        (status = 404, description = "The model or the alias does not exist."),
        (status = 409, description = "There is no version before or it has been deleted, the alias does not point at `from`, or the alias is `production` and the traffic of the model has weights."),
    )
)]
pub async fn roll_back(
    State(state): State<ApiState>,
    actor: Actor,
    Path((name, alias)): Path<(String, String)>,
    Query(query): Query<RollbackQuery>,
) -> Result<Json<AliasView>, Problem> {
    let name = model_name(&name)?;
    let mut tx = state.db.begin().await?;
    if !tx.models().lock(&name).await? {
        return Err(missing());
    }
    let now = tx.now().await?;
    let weights_deleted = override_weights(&mut tx, &name, &alias, query.force).await?;
    let cause = MoveCause::new(MoveReason::Rollback, now).by(actor.user());
    let (from, to) = match tx.models().roll_back(&name, &alias, query.from, &cause).await? {
        Rollback::Done { from, to } => (from, to),
        Rollback::Missing => return Err(missing_alias()),
        Rollback::NothingBefore => {
            return Err(Problem::conflict(format!(
                "{alias} of {name} has no version before, so it can't be rolled back"
            )));
        }
        Rollback::Deleted(version) => {
            return Err(Problem::conflict(format!(
                "version {version}, which {alias} of {name} pointed at before, has been deleted; move the alias to another version"
            )));
        }
        Rollback::Moved(version) => {
            return Err(Problem::conflict(format!(
                "{alias} of {name} points at version {version}, so it has been moved or rolled back meanwhile"
            )));
        }
    };
    let detail = json!({"alias": alias, "from": from, "version": to, "weights_deleted": weights_deleted});
    actor.record(&mut tx, "model.rollback", format!("model:{name}"), detail).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(Json(AliasView { name: name.as_str().to_owned(), alias, version: to }))
}
