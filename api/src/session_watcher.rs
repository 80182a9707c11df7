//! Ends event streams and long polls when their session ends: an account was disabled or deleted, or its role or password
//! changed, at any replica. One task per process reads the accounts of all open streams and polls in one query per round.
//! The task runs only while there are streams or polls.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trainyard_domain::{Clock, User, UserId};
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
        let users: Vec<UserId> = {
            let mut state = watcher.state();
            let users: HashSet<_> = state.sessions.values().map(|entry| entry.principal.user_id).collect();
            if users.is_empty() {
                state.task = None;
                return;
            }
            users.into_iter().collect()
        };
        match read_users(&watcher.db, &users).await {
            Ok(found) => watcher.end_sessions(&users, &found),
            // While the database is unavailable, no account can change.
            Err(error) => tracing::debug!(%error, "the accounts of open streams could not be read"),
        }
    }
}

async fn read_users(db: &Db, users: &[UserId]) -> Result<HashMap<UserId, User>, StorageError> {
    let found = db.read().await?.users().by_ids(users).await?;
    Ok(found.into_iter().map(|user| (user.id, user)).collect())
}

impl Shared {
    /// Ends the sessions of accounts that changed. `queried` are the accounts of the query, `found` those that exist.
    fn end_sessions(&self, queried: &[UserId], found: &HashMap<UserId, User>) {
        for entry in self.state().sessions.values() {
            let principal = &entry.principal;
            let is_valid = found.get(&principal.user_id).is_some_and(|user| {
                !user.disabled
                    && user.role == principal.role
                    && !user.security.is_revoked(principal.session, entry.since)
            });
            // An account outside the query may have been added since; a deleted account is in the query but not found.
            if !is_valid && queried.contains(&principal.user_id) {
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
    use trainyard_domain::Role;
    use trainyard_storage::PoolOptions;

    use super::*;

    #[tokio::test]
    async fn an_account_that_was_not_in_the_query_keeps_its_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let db = Db::connect(&url, &PoolOptions::default()).await.unwrap();
        let watcher = SessionWatcher::new(db, Clock::system(), Duration::from_secs(3_600));
        let user_id = UserId::at(Clock::system().now());
        let principal = Principal { user_id, email: "ada@example.com".into(), role: Role::User, session: None, api_key: None };
        let session = watcher.watch_poll(&principal);
        watcher.0.end_sessions(&[], &HashMap::new());
        assert!(!session.ended.is_cancelled());
        watcher.0.end_sessions(&[user_id], &HashMap::new());
        assert!(session.ended.is_cancelled(), "a deleted account is in the query but not found");
    }
}
