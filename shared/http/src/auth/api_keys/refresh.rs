//! Keeps the cached keys current, and records their use.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use trainyard_domain::ApiKeyId;
use trainyard_storage::{Result, StorageError};

use super::cache::{Entry, KeyState, RECORD_EVERY};
use super::{ApiKeyHash, QUERY_TIMEOUT, Shared};

/// Time between two reads of the revision.
const EVERY: Duration = Duration::from_secs(1);
/// Keys are read again after this time even without a new revision: a row may have been changed by hand.
const MAX_AGE: Duration = Duration::from_secs(30);
/// Maximum number of keys in a query.
const BATCH: usize = 1_000;

/// Refreshes once a second until the last clone is dropped.
pub(super) async fn run(shared: Weak<Shared>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = false;
    loop {
        tick.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        match Box::pin(within_limit(shared.refresh())).await {
            Ok(()) if std::mem::take(&mut failed) => tracing::info!("API keys are refreshed again"),
            Ok(()) => {}
            Err(error) if !std::mem::replace(&mut failed, true) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "API keys can't be refreshed; known keys are accepted for a limited time");
            }
            Err(_) => {}
        }
        if let Err(error) = Box::pin(within_limit(shared.record_uses())).await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "the use of API keys could not be recorded; another attempt follows");
        }
    }
}

async fn within_limit(work: impl Future<Output = Result<()>>) -> Result<()> {
    timeout(QUERY_TIMEOUT, work).await.unwrap_or_else(|slow| Err(StorageError::Unavailable(slow.into())))
}

impl Shared {
    /// Reads the revision, and the cached keys of other revisions. Without cached keys nothing is read.
    pub(super) async fn refresh(&self) -> Result<()> {
        let entries = self.cache.entries();
        if entries.is_empty() {
            return Ok(());
        }
        let read_at = Instant::now();
        let mut tx = self.db.read().await?;
        // The transaction is a snapshot, so the revision belongs to the keys.
        let revision = tx.models().revision().await?;
        let is_stale =
            |entry: &Entry| entry.revision != revision || read_at.saturating_duration_since(entry.read_at) >= MAX_AGE;
        let stale: Vec<(ApiKeyHash, Arc<Entry>)> = entries.into_iter().filter(|(_, entry)| is_stale(entry)).collect();
        let ids: Vec<ApiKeyId> = stale.iter().map(|(_, entry)| entry.grant.id).collect();
        let mut grants = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(BATCH) {
            let found = tx.api_keys().by_ids(ids).await?;
            grants.extend(found.into_iter().map(|grant| (grant.id, grant)));
        }
        tx.commit().await?;
        for (hash, entry) in stale {
            let grant = grants.remove(&entry.grant.id);
            self.cache.store(hash, KeyState { grant, revision, read_at }, read_at);
        }
        self.cache.confirm(revision, read_at);
        Ok(())
    }

    /// Records the keys that were used, each at most once in [`RECORD_EVERY`]. A failed attempt loses the use; the next use
    /// is recorded after this time.
    pub(super) async fn record_uses(&self) -> Result<()> {
        let now = self.clock.now();
        let entries = self.cache.entries().into_iter();
        let mut ids: Vec<_> =
            entries.filter(|(_, entry)| entry.usage.take_due(now)).map(|(_, entry)| entry.grant.id).collect();
        // One order in all processes prevents deadlocks.
        ids.sort();
        for ids in ids.chunks(BATCH) {
            let mut tx = self.db.write_autocommit().await?;
            tx.api_keys().record_uses(ids, now, now - RECORD_EVERY).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
