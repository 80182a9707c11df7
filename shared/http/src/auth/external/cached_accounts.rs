//! Accounts of external users in the inference role: read-only and cached, so that predictions do not wait for the
//! database. A disabled account is refused as soon as the set of disabled accounts contains the account.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;
use tokio::time::timeout;
use trainyard_domain::{Clock, LinkDecision, Role, RoleChange, UserId};
use trainyard_storage::{Batcher, Db, LinkedAccount, StorageError};
use uuid::Uuid;

use super::lookup::{IdentityLookup, IdentityQuery, lookups};
use super::{DISABLED, EMAIL_TAKEN, UNKNOWN, link_decision, refused};
use crate::auth::issuers::{ExternalToken, Issuer};
use crate::auth::{DisabledUsers, Principal};
use crate::problem::Problem;

const LINKED_TTL: TimeDelta = TimeDelta::seconds(30);
/// Time to live of a user without an account: the API may create the account at any time.
const UNLINKED_TTL: TimeDelta = TimeDelta::seconds(2);
/// Time until the next query for an expired entry, after a query failed.
const RETRY_INTERVAL: TimeDelta = TimeDelta::seconds(5);
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_CACHED: usize = 10_000;

#[derive(Debug)]
pub(super) struct CachedAccounts {
    lookups: Batcher<IdentityQuery, IdentityLookup>,
    disabled: DisabledUsers,
    clock: Clock,
    /// The time of expiry and the result of each lookup.
    cache: Cache<IdentityQuery, (DateTime<Utc>, IdentityLookup)>,
}

impl CachedAccounts {
    pub(super) fn new(db: Db, disabled: DisabledUsers, clock: Clock) -> Self {
        Self { lookups: lookups(db), disabled, clock, cache: Cache::new(MAX_CACHED) }
    }

    /// The user of a verified token.
    pub(super) async fn principal(&self, issuer: &Issuer, token: &ExternalToken) -> Result<Principal, Problem> {
        let lookup = self.lookup(IdentityQuery::about(issuer, token)).await?;
        let decision = link_decision(issuer, token, &lookup);
        let account = match (lookup.linked, decision, lookup.owner) {
            (Some(account), ..) => account,
            (None, LinkDecision::Link, Some((user, _))) => LinkedAccount { user, role_as_of: None },
            // The API creates the account at its first request. Until then the claims of the token are used.
            (None, LinkDecision::Create, None) => return Ok(without_account(token)),
            (None, _, None) => return Err(refused(issuer, UNKNOWN)),
            (None, _, Some(_)) => return Err(refused(issuer, EMAIL_TAKEN)),
        };
        if account.user.disabled || self.disabled.contains(account.user.id) {
            return Err(refused(issuer, DISABLED));
        }
        let stored = account.user.role;
        let role = RoleChange::decide(token.role, token.issued_at, stored, account.role_as_of).effective(stored);
        let email = account.user.email.as_str().to_owned();
        Ok(Principal { user_id: account.user.id, email, role, session: None, api_key: None })
    }

    /// The cached lookup while it is fresh, else a query. An expired entry is used while the database is unavailable.
    async fn lookup(&self, query: IdentityQuery) -> Result<IdentityLookup, Problem> {
        let now = self.clock.now();
        let expired = match self.cache.get(&query) {
            Some((fresh_until, lookup)) if now < fresh_until => return Ok(lookup),
            expired => expired,
        };
        let result = timeout(QUERY_TIMEOUT, self.lookups.call(query.clone())).await;
        match result.unwrap_or_else(|slow| Err(StorageError::Unavailable(slow.into()))) {
            Ok(lookup) => {
                self.store(query, now + time_to_live(&lookup), lookup.clone());
                Ok(lookup)
            }
            Err(error) => {
                let Some((_, lookup)) = expired else { return Err(error.into()) };
                self.store(query, now + RETRY_INTERVAL, lookup.clone());
                Ok(lookup)
            }
        }
    }

    fn store(&self, query: IdentityQuery, fresh_until: DateTime<Utc>, lookup: IdentityLookup) {
        // A disabled account is not cached: the account may be enabled again before the set has been filled.
        if lookup.linked.as_ref().is_some_and(|account| account.user.disabled) {
            self.cache.remove(&query);
            return;
        }
        self.cache.insert(query, (fresh_until, lookup));
    }
}

fn time_to_live(lookup: &IdentityLookup) -> TimeDelta {
    if lookup.linked.is_some() { LINKED_TTL } else { UNLINKED_TTL }
}

/// A user without an account. This role stores nothing under the user id, so the id may be nil.
fn without_account(token: &ExternalToken) -> Principal {
    let role = token.role.unwrap_or(Role::User);
    let email = token.email.as_str().to_owned();
    Principal { user_id: UserId(Uuid::nil()), email, role, session: None, api_key: None }
}
