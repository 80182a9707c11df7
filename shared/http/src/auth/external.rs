//! Who a token of an outside issuer stands for.
//!
//! An issuer's user is known here by issuer and subject (`external_identities`), never by e-mail address. The API reads
//! the account on each request, makes or links it at the first sight, and keeps the role that the token states; the
//! inference role only reads, and remembers for a while what it read.

mod account;
mod lookup;
mod pool;

use std::sync::Arc;

use trainyard_domain::{Clock, FirstSight};
use trainyard_storage::Db;

use super::issuers::{ExternalToken, Issuer, Issuers, Rejection};
use super::{DisabledUsers, Principal};
use crate::problem::Problem;

use account::Accounts;
use lookup::Sight;
use pool::PoolAccounts;

/// Outside issuers, and the accounts of their users.
#[derive(Debug)]
pub(super) struct External {
    issuers: Arc<Issuers>,
    accounts: Kind,
}

#[derive(Debug)]
enum Kind {
    Database(Accounts),
    Pool(PoolAccounts),
}

impl External {
    /// For the API: accounts as the database has them now. Call it within a Tokio runtime.
    pub(super) fn with_database(issuers: Arc<Issuers>, db: Db) -> Self {
        Self { issuers, accounts: Kind::Database(Accounts::new(db)) }
    }

    /// For the inference role: accounts as they were a moment ago, without those in `disabled`. Call it within a Tokio
    /// runtime.
    pub(super) fn with_pool(issuers: Arc<Issuers>, db: Db, disabled: DisabledUsers, clock: Clock) -> Self {
        Self { issuers, accounts: Kind::Pool(PoolAccounts::new(db, disabled, clock)) }
    }

    /// The caller that `token` stands for.
    ///
    /// # Errors
    /// A 401 that names what is wrong with the token or its account, 503 while keys or accounts are out of reach; `None`
    /// for what is no token of an outside issuer.
    pub(super) async fn principal(&self, token: &str, clock: &Clock) -> Result<Principal, Option<Problem>> {
        let verified = self.issuers.verify(token, clock.now()).await;
        let (issuer, token) = verified.map_err(Rejection::into_problem)?;
        match &self.accounts {
            Kind::Database(accounts) => accounts.principal(issuer, &token, clock).await.map_err(Some),
            Kind::Pool(accounts) => accounts.principal(issuer, &token).await.map_err(Some),
        }
    }
}

/// What the rules say about an identity that is not linked.
fn first_sight(issuer: &Issuer, token: &ExternalToken, sight: &Sight) -> FirstSight {
    let owner = sight.owner.as_ref().map(|(user, linked)| (user, linked.as_slice()));
    issuer.first_sight.decide(&issuer.identity_issuer, token.email_verified, owner)
}

/// 401 for a user who may not come in.
fn refused(issuer: &Issuer, why: &str) -> Problem {
    let rejection = Rejection::Account { issuer: issuer.name.clone(), why: why.to_owned() };
    rejection.into_problem().unwrap_or_else(|| Problem::internal(why))
}

const DISABLED: &str = "its account is disabled";
const UNKNOWN: &str = "its user has no account here; an administrator decides who gets one (auth.issuers, accounts)";
const EMAIL_TAKEN: &str = "its e-mail address belongs to an account that is not linked to this issuer's user";
