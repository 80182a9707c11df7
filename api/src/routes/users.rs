//! Administration of accounts, and the audit trail.

pub mod invite;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::{Role, UserId};
use trainyard_http::page::PageParams;
use trainyard_http::{Json, List, Page, Path, Problem};
use trainyard_storage::Tx;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::announce::announce;
use crate::audit::Actor;
use crate::state::ApiState;
use crate::views::account::{AccountView, AuditView, RoleView};

/// What to change about an account; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPatch {
    /// The new role.
    role: Option<RoleView>,
    /// Whether the account is shut out.
    disabled: Option<bool>,
}

/// List accounts.
///
/// All accounts.
#[utoipa::path(
    get, path = "/admin/users", operation_id = "list_accounts", tag = "administration",
    params(PageParams),
    responses((status = 200, description = "A page of accounts, newest first.", body = List<AccountView>))
)]
pub async fn list(State(state): State<ApiState>, page: Page<UserId>) -> Result<Json<List<AccountView>>, Problem> {
    let users = state.db.read().await?.users().list(page.cursor, page.fetch()).await?;
    Ok(Json(page.list(users, |user| user.id, |user| AccountView::from(&user))))
}

/// Change an account.
///
/// Changes an account's role, or shuts it out. Takes effect on the account's next request, and ends its refresh tokens and
/// open event streams.
#[utoipa::path(
    patch, path = "/admin/users/{id}", operation_id = "change_account", tag = "administration",
    params(("id" = Uuid, Path, description = "The account.")),
    request_body = AccountPatch,
    responses(
        (status = 200, description = "The account as it is now.", body = AccountView),
        (status = 404, description = "There is no such account."),
        (status = 409, description = "It is the last active administrator, or an outside issuer decides its role."),
    )
)]
pub async fn patch(
    State(state): State<ApiState>,
    actor: Actor,
    Path(id): Path<UserId>,
    Json(body): Json<AccountPatch>,
) -> Result<Json<AccountView>, Problem> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let before = tx.users().by_id(id).await?.ok_or_else(missing)?;
    let user = tx.users().update(id, body.role.map(Role::from), body.disabled).await?.ok_or_else(missing)?;
    if body.role.is_some() {
        refuse_managed_role(&mut tx, id).await?;
    }
    refuse_last_admin(&mut tx, "demoted or disabled").await?;
    if user.disabled {
        tx.users().end_sessions(id, now).await?;
    }
    if user.disabled || user.role != before.role {
        tx.refresh_tokens().revoke_user(id, None, now).await?;
    }
    let detail = json!({"role": body.role, "disabled": body.disabled});
    actor.did(&mut tx, "account.update", format!("user:{id}"), detail).await?;
    tx.commit().await?;
    // Inference turns disabled accounts away by a list that it refreshes with its models.
    announce(&state).await;
    Ok(Json(AccountView::from(&user)))
}

/// 409 where the tokens of an outside issuer set the account's role: a change here would last until the next token.
async fn refuse_managed_role(tx: &mut Tx, id: UserId) -> Result<(), Problem> {
    let identities = tx.identities().of_user(id).await?;
    match identities.iter().find(|identity| identity.role_as_of.is_some()) {
        Some(managed) => {
            let issuer = &managed.issuer;
            Err(Problem::conflict(format!("the issuer {issuer} decides this account's role; change the role there")))
        }
        None => Ok(()),
    }
}

/// Delete an account.
///
/// Deletes an account and ends its sessions; its e-mail address is free again. Its jobs, data sets and schedules stay and
/// go on, and the audit trail goes on naming its id.
#[utoipa::path(
    delete, path = "/admin/users/{id}", operation_id = "delete_account", tag = "administration",
    params(("id" = Uuid, Path, description = "The account.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such account."),
        (status = 409, description = "It is the last active administrator."),
    )
)]
pub async fn delete(
    State(state): State<ApiState>,
    actor: Actor,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Problem> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    if !tx.users().delete(id, now).await? {
        return Err(missing());
    }
    refuse_last_admin(&mut tx, "deleted").await?;
    tx.refresh_tokens().revoke_user(id, None, now).await?;
    actor.did(&mut tx, "account.delete", format!("user:{id}"), json!({})).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Counted after the change, which locks out other changes until the end of this transaction: two administrators who
/// demote each other at once can't both succeed.
async fn refuse_last_admin(tx: &mut Tx, what: &str) -> Result<(), Problem> {
    if tx.users().active_admins().await? == 0 {
        return Err(Problem::conflict(format!("the last active administrator can't be {what}")));
    }
    Ok(())
}

fn missing() -> Problem {
    Problem::not_found("there is no such account")
}

/// Read the audit trail.
///
/// Who did what to what, when, from which request.
#[utoipa::path(
    get, path = "/admin/audit", operation_id = "read_audit_trail", tag = "administration",
    params(PageParams),
    responses((status = 200, description = "A page of records, newest first.", body = List<AuditView>))
)]
pub async fn audit(State(state): State<ApiState>, page: Page<Uuid>) -> Result<Json<List<AuditView>>, Problem> {
    let entries = state.db.read().await?.audit().list(page.cursor, page.fetch()).await?;
    Ok(Json(page.list(entries, |entry| entry.id, AuditView::from)))
}
