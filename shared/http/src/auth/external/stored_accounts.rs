//! Accounts of external users in the API: read on each request, created or linked at the first token.

use serde_json::{Value, json};
use trainyard_domain::ids::uuid_at;
use trainyard_domain::user::AccountSecurity;
use trainyard_domain::{Clock, ExternalIdentity, LinkDecision, Role, RoleChange, User, UserId};
use trainyard_storage::{AuditEntry, Batcher, Db, LinkedAccount, StorageError, Tx};

use super::lookup::{IdentityLookup, IdentityQuery, lookups};
use super::{DISABLED, EMAIL_TAKEN, UNKNOWN, link_decision, refused};
use crate::auth::Principal;
use crate::auth::issuers::{ExternalToken, Issuer};
use crate::problem::Problem;

#[derive(Debug)]
pub(super) struct StoredAccounts {
    db: Db,
    lookups: Batcher<IdentityQuery, IdentityLookup>,
}

impl StoredAccounts {
    pub(super) fn new(db: Db) -> Self {
        Self { lookups: lookups(db.clone()), db }
    }

    /// The user of a verified token.
    pub(super) async fn principal(
        &self,
        issuer: &Issuer,
        token: &ExternalToken,
        clock: &Clock,
    ) -> Result<Principal, Problem> {
        let query = IdentityQuery::about(issuer, token);
        let account = match self.lookups.call(query.clone()).await?.linked {
            Some(account) => account,
            None => self.create_or_link(issuer, token, &query, clock).await?,
        };
        let security = &account.user.security;
        if account.user.disabled || security.is_revoked(None, token.issued_at.timestamp()) {
            return Err(refused(issuer, DISABLED));
        }
        let role = self.update_role(issuer, token, &account).await?;
        let email = account.user.email.as_str().to_owned();
        Ok(Principal { user_id: account.user.id, email, role, session: None, api_key: None })
    }

    /// Creates or links an account according to the rules.
    async fn create_or_link(
        &self,
        issuer: &Issuer,
        token: &ExternalToken,
        query: &IdentityQuery,
        clock: &Clock,
    ) -> Result<LinkedAccount, Problem> {
        match self.try_create_or_link(issuer, token, query, clock).await? {
            Some(account) => Ok(account),
            // A concurrent request of the same user, or a sign-up with the address, was first. Decide again.
            None => {
                self.try_create_or_link(issuer, token, query, clock).await?.ok_or_else(|| StorageError::Conflict.into())
            }
        }
    }

    /// One attempt. `None` if a concurrent request changed the data that the decision is based on.
    async fn try_create_or_link(
        &self,
        issuer: &Issuer,
        token: &ExternalToken,
        query: &IdentityQuery,
        clock: &Clock,
    ) -> Result<Option<LinkedAccount>, Problem> {
        let mut tx = self.db.begin().await?;
        let lookup = IdentityLookup::read(&mut tx, query).await?;
        if let Some(account) = lookup.linked {
            return Ok(Some(account));
        }
        let decision = link_decision(issuer, token, &lookup);
        let (user, role_as_of) = match (decision, lookup.owner) {
            (LinkDecision::Create, None) => (new_account(token, clock), token.role.map(|_| token.issued_at)),
            (LinkDecision::Link, Some((user, _))) if user.disabled => return Err(refused(issuer, DISABLED)),
            (LinkDecision::Link, Some((user, _))) => (user, None),
            (_, None) => return Err(refused(issuer, UNKNOWN)),
            (_, Some(_)) => return Err(refused(issuer, EMAIL_TAKEN)),
        };
        let identity = ExternalIdentity {
            issuer: query.issuer.clone(),
            subject: query.subject.clone(),
            user_id: user.id,
            email_verified: token.email_verified,
            role_as_of,
            created_at: clock.now(),
        };
        let created = decision == LinkDecision::Create;
        match store(tx, &user, &identity, created, &issuer.name).await {
            Ok(()) => {
                tracing::info!(user_id = %user.id, issuer = issuer.name, created, "linked a user of an external issuer");
                Ok(Some(LinkedAccount { user, role_as_of }))
            }
            Err(StorageError::Conflict) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The effective role. A role that the token changes is stored.
    async fn update_role(
        &self,
        issuer: &Issuer,
        token: &ExternalToken,
        account: &LinkedAccount,
    ) -> Result<Role, Problem> {
        let (user, subject) = (&account.user, token.subject.as_str());
        let change = RoleChange::decide(token.role, token.issued_at, user.role, account.role_as_of);
        match change {
            RoleChange::Keep => {}
            RoleChange::Release => {
                let mut tx = self.db.begin().await?;
                tx.identities().release_role(&issuer.identity_issuer, subject).await?;
                tx.commit().await?;
            }
            RoleChange::Set(role, issued_at) => {
                let mut tx = self.db.begin().await?;
                let identity_issuer = &issuer.identity_issuer;
                if tx.identities().set_role(identity_issuer, subject, user.id, role, issued_at).await? {
                    let detail = json!({"role": role.as_str(), "issuer": issuer.name});
                    audit(&mut tx, user.id, "account.update", detail).await?;
                    tx.commit().await?;
                }
            }
        }
        Ok(change.effective(user.role))
    }
}

/// Stores the link, and a new account.
async fn store(
    mut tx: Tx,
    user: &User,
    identity: &ExternalIdentity,
    created: bool,
    issuer_name: &str,
) -> Result<(), StorageError> {
    if created {
        tx.users().insert(user).await?;
    }
    tx.identities().link(identity).await?;
    let detail = json!({"issuer": issuer_name, "subject": identity.subject, "role": user.role.as_str()});
    audit(&mut tx, user.id, if created { "account.create" } else { "account.link" }, detail).await?;
    tx.commit().await
}

fn new_account(token: &ExternalToken, clock: &Clock) -> User {
    let created_at = clock.now();
    User {
        id: UserId::at(created_at),
        email: token.email.clone(),
        password_hash: String::new(),
        role: token.role.unwrap_or(Role::User),
        disabled: false,
        created_at,
        security: AccountSecurity::default(),
    }
}

async fn audit(tx: &mut Tx, user: UserId, action: &str, detail: Value) -> Result<(), StorageError> {
    let at = tx.now().await?;
    let (action, subject) = (action.to_owned(), format!("user:{user}"));
    let entry = AuditEntry { id: uuid_at(at), at, actor: Some(user), action, subject, request_id: None, detail };
    tx.audit().insert(&entry).await
}
