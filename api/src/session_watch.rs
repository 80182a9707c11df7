//! Ends event streams and long polls whose session has ended: the account was disabled, deleted or given another role or
//! password, here or at another replica. One task of each process looks at the accounts of all of them in one query a
//! round; while nobody streams or polls it does not run.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trainyard_domain::{Clock, User, UserId};
use trainyard_http::Principal;
use trainyard_storage::{Db, StorageError};

/// The watch. Clones share it.
#[derive(Clone)]
pub(crate) struct SessionWatch(Arc<Shared>);

struct Shared {
    db: Db,
    clock: Clock,
    every: Duration,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    last_id: u64,
    sessions: HashMap<u64, Entry>,
    /// Runs while sessions are watched.
    task: Option<JoinHandle<()>>,
}

struct Entry {
    principal: Principal,
    /// For tokens that name no session.
    since: i64,
    is_stream: bool,
    ended: CancellationToken,
}

/// A session that is watched until this is dropped.
pub(crate) struct WatchedSession {
    id: u64,
    watch: SessionWatch,
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
        self.watch.0.watched().sessions.remove(&self.id);
    }
}

impl SessionWatch {
    /// A watch that looks every so often.
    pub(crate) fn new(db: Db, clock: Clock, every: Duration) -> Self {
        Self(Arc::new(Shared { db, clock, every, watched: Mutex::default() }))
    }

    /// Watches the session of a long poll. Call it within a Tokio runtime.
    pub(crate) fn poll(&self, principal: &Principal) -> WatchedSession {
        let mut watched = self.0.watched();
        self.add(&mut watched, principal, false)
    }

    /// Watches the session of an event stream, unless its account has `max` of them already.
    pub(crate) fn stream(&self, principal: &Principal, max: usize) -> Option<WatchedSession> {
        let mut watched = self.0.watched();
        let streams = watched.sessions.values().filter(|entry| entry.is_stream);
        let open = streams.filter(|entry| entry.principal.user_id == principal.user_id).count();
        (open < max).then(|| self.add(&mut watched, principal, true))
    }

    fn add(&self, watched: &mut Watched, principal: &Principal, is_stream: bool) -> WatchedSession {
        let (principal, since) = (principal.clone(), self.0.clock.now().timestamp());
        let ended = CancellationToken::new();
        watched.last_id += 1;
        let id = watched.last_id;
        watched.sessions.insert(id, Entry { principal, since, is_stream, ended: ended.clone() });
        // Also when the last task died of a defect.
        if watched.task.as_ref().is_none_or(JoinHandle::is_finished) {
            watched.task = Some(tokio::spawn(run(Arc::clone(&self.0))));
        }
        WatchedSession { id, watch: self.clone(), ended }
    }
}

async fn run(watch: Arc<Shared>) {
    loop {
        tokio::time::sleep(watch.every).await;
        let users: Vec<UserId> = {
            let mut watched = watch.watched();
            let users: HashSet<_> = watched.sessions.values().map(|entry| entry.principal.user_id).collect();
            if users.is_empty() {
                watched.task = None;
                return;
            }
            users.into_iter().collect()
        };
        match look(&watch.db, &users).await {
            Ok(found) => watch.end_sessions(&users, &found),
            // While the database is away no account can be changed either.
            Err(error) => tracing::debug!(%error, "the accounts of open streams could not be looked at"),
        }
    }
}

async fn look(db: &Db, users: &[UserId]) -> Result<HashMap<UserId, User>, StorageError> {
    let found = db.read().await?.users().by_ids(users).await?;
    Ok(found.into_iter().map(|user| (user.id, user)).collect())
}

impl Shared {
    fn end_sessions(&self, asked: &[UserId], found: &HashMap<UserId, User>) {
        for entry in self.watched().sessions.values() {
            let principal = &entry.principal;
            let goes_on = found.get(&principal.user_id).is_some_and(|user| {
                !user.disabled && user.role == principal.role && !user.security.is_over(principal.session, entry.since)
            });
            // An account that is watched since the query was sent has no answer yet; a deleted one has none at all.
            if !goes_on && asked.contains(&principal.user_id) {
                entry.ended.cancel();
            }
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
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
        let watch = SessionWatch::new(db, Clock::system(), Duration::from_secs(3_600));
        let user_id = UserId::at(Clock::system().now());
        let principal = Principal { user_id, email: "ada@example.com".into(), role: Role::User, session: None };
        let session = watch.poll(&principal);
        watch.0.end_sessions(&[], &HashMap::new());
        assert!(!session.ended.is_cancelled());
        watch.0.end_sessions(&[user_id], &HashMap::new());
        assert!(session.ended.is_cancelled(), "a deleted account is in the query but not found");
    }
}
