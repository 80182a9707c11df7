//! The readiness checks of each role: every one asks the real thing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;
use trainyard_artifacts::Store;
use trainyard_http::ops::{Check, CheckError};
use trainyard_queue::Queue;
use trainyard_storage::{Db, StorageError};

use crate::config::Config;

/// Longest wait for one of our own stores.
const LIMIT: Duration = Duration::from_secs(2);

/// The checks that every role has. `critical` says which of them the role can't do without.
pub fn stores(db: &Db, queue: &Queue, store: &Store, critical: Critical) -> Vec<Check> {
    let (db, queue, store) = (db.clone(), queue.clone(), store.clone());
    let written = db.clone();
    vec![
        Check::new("database", critical.database, LIMIT, move || {
            let db = written.clone();
            async move { db.check_writable().await }
        }),
        migrations(db),
        Check::new("queue", critical.queue, LIMIT, move || {
            let queue = queue.clone();
            async move { queue.ping().await }
        }),
        Check::new("object_store", critical.object_store, LIMIT, move || {
            let store = store.clone();
            async move { store.ping().await }
        }),
        Check::not_configured("ai"),
    ]
}

/// No role can work on a schema that is older than its program. A database that is away is the check `database`'s business.
fn migrations(db: Db) -> Check {
    Check::new("migrations", true, LIMIT, move || {
        let db = db.clone();
        async move {
            match db.check_migrated().await {
                Err(behind @ StorageError::Unmigrated(_)) => Err(behind),
                _ => Ok(()),
            }
        }
    })
}

/// Liveness of a process that is its own database server: one whose connections are stuck is started anew. A full disk is
/// not of that kind; a new process would find it too.
pub fn connections(config: &Config, db: &Db) -> Check {
    let (db, stuck) = (db.clone(), Arc::new(Stuck::default()));
    let limit = Duration::from_secs(config.worker.unhealthy_after_s);
    Check::new("database", true, LIMIT, move || {
        let (db, stuck) = (db.clone(), Arc::clone(&stuck));
        async move {
            let is_stuck = match timeout(LIMIT / 2, db.check_writable()).await {
                Ok(Ok(())) => false,
                Ok(Err(error)) => !error.is_answer(),
                Err(_) => true,
            };
            if stuck.for_at_least(limit, is_stuck, Instant::now()) {
                let shown = "no transaction could be begun for too long";
                return Err(CheckError::new(shown, format!("none within {} s", limit.as_secs())));
            }
            Ok(())
        }
    })
}

/// Since when something has been stuck without a break.
#[derive(Default)]
struct Stuck(Mutex<Option<Instant>>);

impl Stuck {
    /// Records what was seen at `now`; whether it has been so for `limit`.
    fn for_at_least(&self, limit: Duration, is_stuck: bool, now: Instant) -> bool {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *since = is_stuck.then(|| since.unwrap_or(now));
        since.is_some_and(|since| now.duration_since(since) >= limit)
    }
}

/// What a role can't do without.
#[derive(Debug, Clone, Copy)]
pub struct Critical {
    /// Accounts and jobs.
    pub database: bool,
    /// Ids on their way to workers.
    pub queue: bool,
    /// Data sets and artifacts.
    pub object_store: bool,
}

impl Critical {
    /// The API answers most calls without the queue and the object store: submissions are accepted and swept later.
    pub const API: Self = Self { database: true, queue: false, object_store: false };
    /// A worker without any of the three can't finish a job.
    pub const WORKER: Self = Self { database: true, queue: true, object_store: true };
    /// The pool goes on serving what it has.
    pub const INFERENCE: Self = Self { database: false, queue: false, object_store: false };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_stuck_without_a_break_counts() {
        let (stuck, start, limit) = (Stuck::default(), Instant::now(), Duration::from_secs(60));
        let after = |seconds, is_stuck| stuck.for_at_least(limit, is_stuck, start + Duration::from_secs(seconds));
        assert!(!after(0, true) && !after(59, true));
        assert!(!after(60, false) && !after(61, true) && !after(120, true));
        assert!(after(121, true));
    }
}
