//! Authenticates users of external issuers.
//!
//! A user is identified by issuer and subject (`external_identities`), never by e-mail address. The API reads the account
//! on each request, creates or links it at the first token, and stores the role of the token. The inference role only
//! reads accounts, and caches them.

mod cached_accounts;
mod lookup;
mod stored_accounts;

use std::sync::Arc;

use trainyard_domain::{Clock, LinkDecision};
use trainyard_storage::Db;

use super::issuers::{ExternalToken, Issuer, Issuers, Rejection};
use super::{DisabledUsers, Principal};
use crate::problem::Problem;

use cached_accounts::CachedAccounts;
use lookup::IdentityLookup;
use stored_accounts::StoredAccounts;

/// The external issuers, and the accounts of their users.
#[derive(Debug)]
pub(super) struct External {
    issuers: Arc<Issuers>,
    accounts: Kind,
}

#[derive(Debug)]
enum Kind {
    Stored(StoredAccounts),
    Cached(CachedAccounts),
}

impl External {
    /// For the API: reads and writes accounts in the database. Call it within a Tokio runtime.
    pub(super) fn with_database(issuers: Arc<Issuers>, db: Db) -> Self {
        Self { issuers, accounts: Kind::Stored(StoredAccounts::new(db)) }
    }

    /// For the inference role: caches accounts, and refuses those in `disabled`. Call it within a Tokio runtime.
    pub(super) fn with_cache(issuers: Arc<Issuers>, db: Db, disabled: DisabledUsers, clock: Clock) -> Self {
        Self { issuers, accounts: Kind::Cached(CachedAccounts::new(db, disabled, clock)) }
    }

    /// The user of `token`.
    ///
    /// # Errors
    /// 401 with the fault of the token or the account, 503 while keys or accounts are unavailable, `None` for a text that is
    /// not a token of an external issuer.
    pub(super) async fn principal(&self, token: &str, clock: &Clock) -> Result<Principal, Option<Problem>> {
        let verified = self.issuers.verify(token, clock.now()).await;
        let (issuer, token) = verified.map_err(Rejection::into_problem)?;
        match &self.accounts {
            Kind::Stored(accounts) => accounts.principal(issuer, &token, clock).await.map_err(Some),
            Kind::Cached(accounts) => accounts.principal(issuer, &token).await.map_err(Some),
        }
    }
}

/// The decision of the rules about an identity without an account.
fn link_decision(issuer: &Issuer, token: &ExternalToken, lookup: &IdentityLookup) -> LinkDecision {
    let owner = lookup.owner.as_ref().map(|(user, linked)| (user, linked.as_slice()));
    issuer.link_rules.decide(&issuer.identity_issuer, token.email_verified, owner)
}

fn refused(issuer: &Issuer, why: &str) -> Problem {
    let rejection = Rejection::Account { issuer: issuer.name.clone(), why: why.to_owned() };
    rejection.into_problem().unwrap_or_else(|| Problem::internal(why))
}

const DISABLED: &str = "its account is disabled";
const UNKNOWN: &str = "its user has no account here; ask an administrator (setting accounts of auth.issuers)";
const EMAIL_TAKEN: &str = "its e-mail address belongs to an account that is not linked to this issuer's user";
