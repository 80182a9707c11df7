//! The inference role's side: it reads accounts and never writes, and remembers what it read, so that a prediction waits
//! for no database. A disabled account is refused as soon as the set of disabled accounts says so.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::timeout;
use trainyard_domain::{Clock, FirstSight, Role, RoleChange, UserId};
use trainyard_storage::{Coalesce, Db, LinkedAccount, StorageError};
use uuid::Uuid;

use super::lookup::{Question, Sight, lookups};
use super::{DISABLED, EMAIL_TAKEN, UNKNOWN, first_sight, refused};
use crate::auth::issuers::{ExternalToken, Issuer};
use crate::auth::{DisabledUsers, Principal};
use crate::problem::Problem;

/// How long an account that was read is used before it is read again.
const LINKED_FOR: TimeDelta = TimeDelta::seconds(30);
/// The same for a user without one: the API may be about to make it.
const UNLINKED_FOR: TimeDelta = TimeDelta::seconds(2);
/// How long an account goes on being used after the database did not answer.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(5);
/// Longest wait for the database.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most users that are remembered.
const MAX_KNOWN: usize = 10_000;

/// See the module.
#[derive(Debug)]
pub(super) struct PoolAccounts {
    lookups: Coalesce<Question, Sight>,
    disabled: DisabledUsers,
    clock: Clock,
    /// Until when it is used, and what was read.
    known: RwLock<HashMap<Question, (DateTime<Utc>, Sight)>>,
}

impl PoolAccounts {
    pub(super) fn new(db: Db, disabled: DisabledUsers, clock: Clock) -> Self {
        Self { lookups: lookups(db), disabled, clock, known: RwLock::default() }
    }

    /// The caller behind a verified token.
    pub(super) async fn principal(&self, issuer: &Issuer, token: &ExternalToken) -> Result<Principal, Problem> {
        let sight = self.sight(Question::about(issuer, token)).await?;
        let decision = first_sight(issuer, token, &sight);
        let account = match (sight.linked, decision, sight.owner) {
            (Some(account), ..) => account,
            (None, FirstSight::Link, Some((user, _))) => LinkedAccount { user, role_as_of: None },
            // The API makes the account when it sees the user; until then the token alone says who calls.
            (None, FirstSight::Create, None) => return Ok(without_account(token)),
            (None, _, None) => return Err(refused(issuer, UNKNOWN)),
            (None, _, Some(_)) => return Err(refused(issuer, EMAIL_TAKEN)),
        };
        if account.user.disabled || self.disabled.contains(account.user.id) {
            return Err(refused(issuer, DISABLED));
        }
        let stored = account.user.role;
        let role = RoleChange::decide(token.role, token.issued_at, stored, account.role_as_of).effective(stored);
        Ok(Principal { user_id: account.user.id, email: account.user.email.as_str().to_owned(), role, session: None })
    }

    /// What is known about a user: from memory while it is fresh, else from the database, or from memory all the same
    /// while the database is away.
    async fn sight(&self, question: Question) -> Result<Sight, Problem> {
        let now = self.clock.now();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&question).cloned();
        let old = match known {
            Some((fresh_until, sight)) if now < fresh_until => return Ok(sight),
            old => old,
        };
        let answer = timeout(PATIENCE, self.lookups.call(question.clone())).await;
        match answer.unwrap_or_else(|slow| Err(StorageError::Unavailable(slow.into()))) {
            Ok(sight) => {
                self.remember(question, now + lifetime(&sight), sight.clone());
                Ok(sight)
            }
            Err(error) => {
                let Some((_, sight)) = old else { return Err(error.into()) };
                self.remember(question, now + RETRY_AFTER, sight.clone());
                Ok(sight)
            }
        }
    }

    fn remember(&self, question: Question, fresh_until: DateTime<Utc>, sight: Sight) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // An account that is disabled is read again: the set says when it no longer is, but not before it was filled.
        if sight.linked.as_ref().is_some_and(|account| account.user.disabled) {
            known.remove(&question);
            return;
        }
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(question, (fresh_until, sight));
    }
}

fn lifetime(sight: &Sight) -> TimeDelta {
    if sight.linked.is_some() { LINKED_FOR } else { UNLINKED_FOR }
}

/// A caller whose account is yet to be made. Nothing is stored for callers here, so none needs an id.
fn without_account(token: &ExternalToken) -> Principal {
    let role = token.role.unwrap_or(Role::User);
    Principal { user_id: UserId(Uuid::nil()), email: token.email.as_str().to_owned(), role, session: None }
}
