//! Ends event streams and long polls when their session ends: an account was disabled or deleted, its role or password
//! changed, or an API key was deleted or has expired, at any replica. One task per process reads the accounts and the keys of
//! all open streams and polls once per round. The task runs only while there are streams or polls.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trainyard_domain::{ApiKeyGrant, ApiKeyId, Clock, User, UserId};
use trainyard_http::Principal;
use trainyard_storage::{Db, StorageError};

/// The watcher. Clones share one task.
#[derive(Clone)]
pub(crate) struct SessionWatcher(Arc<Shared>);

struct Shared {
    db: Db,
    clock: Clock,
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    sessions: HashMap<u64, Entry>,
    /// Runs while sessions are watched.
    task: Option<JoinHandle<()>>,
}

struct Entry {
    principal: Principal,
    /// When watching began, for tokens without a session.
    since: i64,
    is_stream: bool,
    ended: CancellationToken,
}

/// A watched session. Watching ends on drop.
pub(crate) struct WatchedSession {
    id: u64,
    watcher: SessionWatcher,
    ended: CancellationToken,
}

impl WatchedSession {
    /// Waits for the end of the session.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

impl Drop for WatchedSession {
    fn drop(&mut self) {
        self.watcher.0.state().sessions.remove(&self.id);
    }
}

impl SessionWatcher {
    /// A watcher that checks the accounts once per `interval`.
    pub(crate) fn new(db: Db, clock: Clock, interval: Duration) -> Self {
        Self(Arc::new(Shared { db, clock, interval, state: Mutex::default() }))
    }

    /// Watches the session of a long poll. Call it within a Tokio runtime.
    pub(crate) fn watch_poll(&self, principal: &Principal) -> WatchedSession {
        let mut state = self.0.state();
        self.add(&mut state, principal, false)
    }

    /// Watches the session of an event stream; `None` when its account has `max` streams already.
    pub(crate) fn watch_stream(&self, principal: &Principal, max: usize) -> Option<WatchedSession> {
        let mut state = self.0.state();
        let streams = state.sessions.values().filter(|entry| entry.is_stream);
        let open = streams.filter(|entry| entry.principal.user_id == principal.user_id).count();
        (open < max).then(|| self.add(&mut state, principal, true))
    }

    fn add(&self, state: &mut State, principal: &Principal, is_stream: bool) -> WatchedSession {
        let (principal, since) = (principal.clone(), self.0.clock.now().timestamp());
        let ended = CancellationToken::new();
        state.last_id += 1;
        let id = state.last_id;
        state.sessions.insert(id, Entry { principal, since, is_stream, ended: ended.clone() });
        // A task that panicked is finished as well, and is replaced here.
        if state.task.as_ref().is_none_or(JoinHandle::is_finished) {
            state.task = Some(tokio::spawn(run(Arc::clone(&self.0))));
        }
        WatchedSession { id, watcher: self.clone(), ended }
    }
}

async fn run(watcher: Arc<Shared>) {
    loop {
        tokio::time::sleep(watcher.interval).await;
        let callers = {
            let mut state = watcher.state();
            if state.sessions.is_empty() {
                state.task = None;
                return;
            }
            Callers::of(state.sessions.values().map(|entry| &entry.principal))
        };
        match Found::read(&watcher.db, &callers).await {
            Ok(found) => watcher.end_sessions(&callers, &found, watcher.clock.now()),
            // While the database is unavailable, no account can change.
            Err(error) => tracing::debug!(%error, "the accounts of open streams could not be read"),
        }
    }
}

/// The accounts and API keys of the watched sessions.
#[derive(Default)]
struct Callers {
    users: HashSet<UserId>,
    keys: HashSet<ApiKeyId>,
}

impl Callers {
    fn of<'p>(principals: impl Iterator<Item = &'p Principal>) -> Self {
        let mut callers = Self::default();
        for principal in principals {
            match principal.api_key {
                Some(key) => callers.keys.insert(key),
                None => callers.users.insert(principal.user_id),
            };
        }
        callers
    }

    fn contain(&self, principal: &Principal) -> bool {
        match principal.api_key {
            Some(key) => self.keys.contains(&key),
            None => self.users.contains(&principal.user_id),
        }
    }
}

/// The existing accounts and API keys.
#[derive(Default)]
struct Found {
    users: HashMap<UserId, User>,
    keys: HashMap<ApiKeyId, ApiKeyGrant>,
}

impl Found {
    async fn read(db: &Db, callers: &Callers) -> Result<Self, StorageError> {
        let (users, keys): (Vec<_>, Vec<_>) =
            (callers.users.iter().copied().collect(), callers.keys.iter().copied().collect());
        let mut tx = db.read().await?;
        let users = tx.users().by_ids(&users).await?;
        let keys = tx.api_keys().by_ids(&keys).await?;
        let users = users.into_iter().map(|user| (user.id, user)).collect();
        Ok(Self { users, keys: keys.into_iter().map(|grant| (grant.id, grant)).collect() })
    }

    /// Whether the session of `principal` is valid at `now`. `since` is the time when watching began.
    fn permits(&self, principal: &Principal, since: i64, now: DateTime<Utc>) -> bool {
        match principal.api_key {
            Some(key) => self.keys.get(&key).is_some_and(|grant| grant.role_at(now) == Ok(principal.role)),
            None => self.users.get(&principal.user_id).is_some_and(|user| {
                !user.disabled && user.role == principal.role && !user.security.is_revoked(principal.session, since)
            }),
        }
    }
}

impl Shared {
    /// Ends the sessions whose account or API key changed. `queried` are the callers of the query.
    fn end_sessions(&self, queried: &Callers, found: &Found, now: DateTime<Utc>) {
        for entry in self.state().sessions.values() {
            // A caller outside the query may have been added since; a deleted one is in the query but not found.
            if queried.contain(&entry.principal) && !found.permits(&entry.principal, entry.since, now) {
                entry.ended.cancel();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use trainyard_domain::{Email, Role};
    use trainyard_storage::PoolOptions;

    use super::*;

    /// A watcher of one long poll of `principal`.
    async fn watch(principal: &Principal) -> (SessionWatcher, WatchedSession) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let db = Db::connect(&url, &PoolOptions::default()).await.unwrap();
        let watcher = SessionWatcher::new(db, Clock::system(), Duration::from_secs(3_600));
        let session = watcher.watch_poll(principal);
        (watcher, session)
    }

    fn principal(api_key: Option<ApiKeyId>) -> Principal {
        let user_id = UserId::at(Clock::system().now());
        Principal { user_id, email: "ada@example.com".into(), role: Role::User, session: None, api_key }
    }

    #[tokio::test]
    async fn an_account_that_was_not_in_the_query_keeps_its_sessions() {
        let principal = principal(None);
        let (watcher, session) = watch(&principal).await;
        let now = Clock::system().now();
        watcher.0.end_sessions(&Callers::default(), &Found::default(), now);
        assert!(!session.ended.is_cancelled());
        watcher.0.end_sessions(&Callers::of([&principal].into_iter()), &Found::default(), now);
        assert!(session.ended.is_cancelled(), "a deleted account is in the query but not found");
    }

    #[tokio::test]
    async fn a_session_of_an_api_key_ends_with_the_key_and_not_with_a_role_of_the_account() {
        let now = Clock::system().now();
        let key = ApiKeyId::at(now);
        let principal = principal(Some(key));
        let (watcher, session) = watch(&principal).await;
        let callers = Callers::of([&principal].into_iter());
        let grant = ApiKeyGrant {
            id: key,
            role: Role::User,
            expires_at: Some(now + chrono::TimeDelta::hours(1)),
            last_used_at: None,
            user_id: principal.user_id,
            email: Email::stored(principal.email.clone()),
            owner_role: Role::Admin,
            owner_disabled: false,
        };
        let found = Found { users: HashMap::new(), keys: HashMap::from([(key, grant)]) };
        watcher.0.end_sessions(&callers, &found, now);
        assert!(!session.ended.is_cancelled(), "the account is an administrator, the key is not");
        watcher.0.end_sessions(&callers, &found, now + chrono::TimeDelta::hours(1));
        assert!(session.ended.is_cancelled(), "the key has expired");
    }
}
