//! Reports what this process has counted for guards. These are the only rows that this role writes besides the use of API keys:
//! an automatic rollback needs the sum over all processes, and must not depend on a queue that may lose messages.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use trainyard_domain::{GuardCounts, GuardId};
use trainyard_storage::{Db, StorageError};
use uuid::Uuid;

use crate::guard_counters::GuardCounter;

/// Time between two reports. Without a guard nothing is written.
const EVERY: Duration = Duration::from_secs(1);
/// Time limit of a report.
const LIMIT: Duration = Duration::from_secs(2);

/// Reports until `shutdown`. A report that fails is repeated, and the counts continue.
pub(crate) async fn run(db: Db, mut guards: watch::Receiver<Vec<Arc<GuardCounter>>>, shutdown: CancellationToken) {
    let process = Uuid::now_v7();
    let mut reported: HashMap<GuardId, GuardCounts> = HashMap::new();
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Waits without a timer while there is no guard.
        let has_guards = tokio::select! {
            () = shutdown.cancelled() => return,
            found = guards.wait_for(|guards| !guards.is_empty()) => found.is_ok(),
        };
        if !has_guards {
            return;
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        let counters = guards.borrow().clone();
        reported.retain(|id, _| counters.iter().any(|counter| counter.id() == *id));
        let current = counters.iter().map(|counter| (counter.id(), counter.counts()));
        let changed: Vec<_> =
            current.filter(|(id, counts)| reported.get(id).copied().unwrap_or_default() != *counts).collect();
        if changed.is_empty() {
            continue;
        }
        match tokio::time::timeout(LIMIT, report(&db, process, &changed)).await {
            Ok(Ok(())) => reported.extend(changed),
            Ok(Err(error)) => tracing::debug!(%error, "the counts of guards were not reported; trying again"),
            Err(_) => tracing::debug!("the database did not answer; the counts of guards are reported later"),
        }
    }
}

async fn report(db: &Db, process: Uuid, counts: &[(GuardId, GuardCounts)]) -> Result<(), StorageError> {
    let mut tx = db.begin().await?;
    tx.models().report_guards(process, counts).await?;
    tx.commit().await
}
