//! Readiness checks of the roles, and the liveness check of a database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;
use trainyard_artifacts::Store;
use trainyard_http::ops::{Check, CheckError};
use trainyard_queue::Queue;
use trainyard_storage::{Db, StorageError};

use crate::config::Config;

/// Timeout of a single check.
const LIMIT: Duration = Duration::from_secs(2);
/// Shorter, so that an unavailable database does not fail the check of the migrations by its timeout.
const MIGRATIONS_LIMIT: Duration = Duration::from_millis(1_500);

/// The checks that every role has. `critical` names the checks that decide about readiness.
pub fn stores(db: &Db, queue: &Queue, store: &Store, critical: Critical) -> Vec<Check> {
    let (db, queue, store) = (db.clone(), queue.clone(), store.clone());
    let writable = db.clone();
    vec![
        Check::new("database", critical.database, LIMIT, move || {
            let db = writable.clone();
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

/// A role needs a schema that is at least as new as its program. The check `database` reports a database that is
/// unavailable.
fn migrations(db: Db) -> Check {
    Check::new("migrations", true, LIMIT, move || {
        let db = db.clone();
        async move {
            match timeout(MIGRATIONS_LIMIT, db.check_migrated()).await {
                Ok(Err(unmigrated @ StorageError::Unmigrated(_))) => Err(unmigrated),
                _ => Ok(()),
            }
        }
    })
}

/// Liveness of a process with an embedded database: if no transaction can begin for `worker.unhealthy_after_s`, a
/// restart helps. A full disk is no reason for a restart: the new process would find the same disk.
pub fn database_liveness(config: &Config, db: &Db) -> Check {
    let (db, failing) = (db.clone(), Arc::new(FailureTimer::default()));
    let limit = Duration::from_secs(config.worker.unhealthy_after_s);
    Check::new("database", true, LIMIT, move || {
        let (db, failing) = (db.clone(), Arc::clone(&failing));
        async move {
            let has_failed = match timeout(LIMIT / 2, db.check_writable()).await {
                Ok(Ok(())) => false,
                Ok(Err(error)) => !error.is_answer(),
                Err(_) => true,
            };
            if failing.for_at_least(limit, has_failed, Instant::now()) {
                let shown = "no database transaction could begin for too long";
                return Err(CheckError::new(shown, format!("no transaction within {} s", limit.as_secs())));
            }
            Ok(())
        }
    })
}

/// The start of an unbroken series of failures.
#[derive(Default)]
struct FailureTimer(Mutex<Option<Instant>>);

impl FailureTimer {
    /// Records one result at `now`. Returns whether all results of the last `limit` were failures.
    fn for_at_least(&self, limit: Duration, has_failed: bool, now: Instant) -> bool {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *since = has_failed.then(|| since.unwrap_or(now));
        since.is_some_and(|since| now.duration_since(since) >= limit)
    }
}

/// The dependencies that a role can't work without.
#[derive(Debug, Clone, Copy)]
pub struct Critical {
    /// The database with accounts and jobs.
    pub database: bool,
    /// The queue of job ids.
    pub queue: bool,
    /// The object store with datasets and artifacts.
    pub object_store: bool,
}

impl Critical {
    /// Without queue and object store the API still answers most requests: the sweep dispatches accepted jobs later.
    pub const API: Self = Self { database: true, queue: false, object_store: false };
    /// A worker needs all three to finish a job.
    pub const WORKER: Self = Self { database: true, queue: true, object_store: true };
    /// The inference role serves its loaded models without any of the three.
    pub const INFERENCE: Self = Self { database: false, queue: false, object_store: false };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unbroken_series_of_failures_counts() {
        let (failing, start, limit) = (FailureTimer::default(), Instant::now(), Duration::from_secs(60));
        let after = |seconds, has_failed| failing.for_at_least(limit, has_failed, start + Duration::from_secs(seconds));
        assert!(!after(0, true) && !after(59, true));
        assert!(!after(60, false) && !after(61, true) && !after(120, true));
        assert!(after(121, true));
    }
}
