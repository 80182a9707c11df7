//! The start from the local index: the cached versions answer requests before the database has been read.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;

use super::Refresher;
use crate::catch_panic::catch_panic;
use crate::model_record::{Catalogue, ModelRecord};

/// Maximum number of versions that are read from the disk cache at the same time.
const CONCURRENT_CACHE_READS: usize = 4;
/// Minimum time between two snapshots while cached versions are loaded: a snapshot contains all of them.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(10);

impl Refresher {
    /// Serves the versions of the local index, and starts to read the database once the first version is served.
    ///
    /// The process is not ready until the database has been read or is unavailable. Requests that arrive earlier are answered by
    /// the versions that this process served last. All cached versions are loaded before the list from the database replaces the
    /// index: if the database names a version that can't be loaded, the previous version is served.
    pub(super) async fn load_from_cache(&mut self) {
        let last = self.plan.catalogue();
        if *last == Catalogue::default() {
            return self.read();
        }
        tracing::info!(
            versions = last.served.len(),
            "serving the versions in the disk cache until the database answers"
        );
        self.deps.disabled.replace(last.disabled.iter().copied());
        self.catalogue_known = true;
        self.loading_cache = true;
        let loader = self.deps.loader.clone();
        let records: Vec<ModelRecord> = last.records().cloned().collect();
        let loads = records.into_iter().map(|record| {
            let loader = loader.clone();
            catch_panic(async move { loader.load_cached(record).await })
        });
        let mut loads = futures::stream::iter(loads).buffer_unordered(CONCURRENT_CACHE_READS);
        let mut published_at: Option<Instant> = None;
        while let Some(result) = loads.next().await {
            match result {
                Ok(Some(loaded)) => self.plan.record_loaded(Arc::new(loaded)),
                Ok(None) => continue,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "a version in the disk cache could not be loaded");
                    continue;
                }
            }
            if published_at.is_none_or(|at| at.elapsed() >= SNAPSHOT_EVERY) {
                self.publish();
                if published_at.is_none() {
                    self.read();
                }
                published_at = Some(Instant::now());
            }
        }
        self.loading_cache = false;
        self.keep_within_budget(None);
        self.publish();
        if published_at.is_none() {
            self.read();
        }
    }
}
