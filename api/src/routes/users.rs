//! Routes of account administration and the audit trail.

pub mod invite;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::{FieldError, Role, UserId};
use trainyard_http::page::{PageParams, Search};
use trainyard_http::{Json, List, Page, Path, Problem};
use trainyard_storage::{AuditFilter, AuditSearch, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::announce::announce;
use crate::audit::Actor;
use crate::schemas::account::{AccountView, AuditView, RoleView};
use crate::state::ApiState;

/// Changes to an account. Fields that are left out do not change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPatch {
    /// The new role.
    role: Option<RoleView>,
    /// Whether the account is disabled.
    disabled: Option<bool>,
}

/// List accounts.
///
/// Lists all accounts, newest first.
#[utoipa::path(
    get, path = "/admin/users", operation_id = "list_accounts", tag = "administration",
    params(PageParams),
    responses((status = 200, description = "A page of accounts.", body = List<AccountView>))
)]
pub async fn list(State(state): State<ApiState>, page: Page<UserId>) -> Result<Json<List<AccountView>>, Problem> {
    let users = state.db.read().await?.users().list(page.cursor, page.fetch()).await?;
    Ok(Json(page.list(users, |user| user.id, |user| AccountView::from(&user))))
}

/// Change an account.
///
/// Changes the role of an account, or disables or enables the account. The change applies to the next request of the
/// account. A new role or disabling revokes the refresh tokens of the account and ends its event streams.
#[utoipa::path(
    patch, path = "/admin/users/{id}", operation_id = "change_account", tag = "administration",
    params(("id" = Uuid, Path, description = "The account.")),
    request_body = AccountPatch,
    responses(
        (status = 200, description = "The changed account.", body = AccountView),
        (status = 404, description = "The account does not exist."),
        (status = 409, description = "The account is the last active administrator, or an external issuer manages its role."),
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
    actor.record(&mut tx, "account.update", format!("user:{id}"), detail).await?;
    tx.commit().await?;
    // The inference role refuses disabled accounts by a list that it refreshes with its models.
    announce(&state).await;
    Ok(Json(AccountView::from(&user)))
}

/// Refuses (409) to change a role that the tokens of an external issuer set: the next token would undo the change.
async fn refuse_managed_role(tx: &mut Tx, id: UserId) -> Result<(), Problem> {
    let identities = tx.identities().of_user(id).await?;
    match identities.iter().find(|identity| identity.role_as_of.is_some()) {
        Some(managed) => {
            let issuer = &managed.issuer;
            Err(Problem::conflict(format!(
                "the issuer {issuer} manages the role of this account; change the role there"
            )))
        }
        None => Ok(()),
    }
}

/// Delete an account.
///
/// Deletes an account and ends its sessions. Its e-mail address can be used again. Its jobs, datasets and schedules stay, and
/// the audit trail keeps its id.
#[utoipa::path(
    delete, path = "/admin/users/{id}", operation_id = "delete_account", tag = "administration",
    params(("id" = Uuid, Path, description = "The account.")),
    responses(
        (status = 204, description = "The account is deleted."),
        (status = 404, description = "The account does not exist."),
        (status = 409, description = "The account is the last active administrator."),
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
    actor.record(&mut tx, "account.delete", format!("user:{id}"), json!({})).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses (409) a change after which no active administrator is left. Call it after the change: the change locks the
/// accounts, so two administrators can't demote each other concurrently.
async fn refuse_last_admin(tx: &mut Tx, change: &str) -> Result<(), Problem> {
    if tx.users().active_admins().await? == 0 {
        return Err(Problem::conflict(format!("the last active administrator can't be {change}")));
    }
    Ok(())
}

fn missing() -> Problem {
    Problem::not_found("this account does not exist")
}

/// Most characters of the action in a filter.
const MAX_ACTION: usize = 100;
/// Most characters of the object in a filter.
const MAX_SUBJECT: usize = 200;

/// Which records to list. A record must match every given filter.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// The action, or the first part of actions with `.*`.
    #[param(max_length = 100, example = "account.*")]
    action: Option<String>,
    /// The account that did the action.
    actor: Option<Uuid>,
    /// The object of the action.
    #[param(max_length = 200, example = "model:titanic-rf")]
    subject: Option<String>,
}

/// Read the audit trail.
///
/// Lists the changes to accounts and the actions of administrators, newest first. A filtered list reads at most 10,000
/// records per request: a page may have few records, or none, and still have a `next_cursor`.
#[utoipa::path(
    get, path = "/admin/audit", operation_id = "read_audit_trail", tag = "administration",
    params(PageParams, AuditQuery),
    responses(
        (status = 200, description = "A page of records.", body = List<AuditView>),
        (status = 422, description = "A filter has an invalid value."),
    )
)]
pub async fn audit(
    State(state): State<ApiState>,
    search: Search<AuditQuery, Uuid>,
) -> Result<Json<List<AuditView>>, Problem> {
    let Search { filter, page } = search;
    let filter = filter.parse().map_err(Problem::validation)?;
    let mut tx = state.db.read().await?;
    let found = if filter == AuditFilter::default() {
        AuditSearch { entries: tx.audit().list(page.cursor, page.fetch()).await?, stopped_at: None }
    } else {
        tx.audit().search(&filter, page.cursor, page.fetch()).await?
    };
    let list = page.list(found.entries, |entry| entry.id, AuditView::from);
    Ok(Json(list.stopped_at(found.stopped_at)))
}

impl AuditQuery {
    fn parse(self) -> Result<AuditFilter, Vec<FieldError>> {
        let Self { action, actor, subject } = self;
        let texts = [("action", &action, MAX_ACTION), ("subject", &subject, MAX_SUBJECT)];
        let refuse = |(name, text, most): (&str, &Option<String>, usize)| {
            let text = text.as_deref().unwrap_or_default();
            let wrong = text.chars().count() > most || text.contains('\0');
            wrong.then(|| FieldError::new(name, format!("must have at most {most} characters, without NUL")))
        };
        let refused: Vec<_> = texts.into_iter().filter_map(refuse).collect();
        if !refused.is_empty() {
            return Err(refused);
        }
        let prefix = action.as_deref().and_then(|action| action.strip_suffix('*')).map(str::to_owned);
        let action = action.filter(|_| prefix.is_none());
        Ok(AuditFilter { action, action_prefix: prefix, actor: actor.map(UserId), subject })
    }
}
