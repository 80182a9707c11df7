//! The readiness checks of each role: every one asks the real thing.

use std::time::Duration;

use trainyard_artifacts::Store;
use trainyard_http::ops::Check;
use trainyard_queue::Queue;
use trainyard_storage::Db;

/// Longest wait for one of our own stores.
const LIMIT: Duration = Duration::from_secs(2);

/// The checks that every role has. `critical` says which of them the role can't do without.
pub fn stores(db: &Db, queue: &Queue, store: &Store, critical: Critical) -> Vec<Check> {
    let (db, queue, store) = (db.clone(), queue.clone(), store.clone());
    vec![
        Check::new("database", critical.database, LIMIT, move || {
            let db = db.clone();
            async move { db.ping().await }
        }),
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
