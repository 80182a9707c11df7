//! A cache of dataset profiles. A dataset version never changes, so its profile is read once.

use std::sync::Arc;

use quick_cache::sync::Cache;
use trainyard_domain::{DatasetId, IndexedDataset};
use trainyard_storage::{StorageError, Tx};

/// Most cached profiles. A profile of many columns takes some hundred kilobytes.
const MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct DatasetCache(Cache<DatasetId, Arc<IndexedDataset>>);

impl Default for DatasetCache {
    fn default() -> Self {
        Self(Cache::new(MAX))
    }
}

impl DatasetCache {
    /// A dataset version. A cached version may have been deleted since: only the database knows.
    pub(super) async fn get(&self, tx: &mut Tx, id: DatasetId) -> Result<Option<Arc<IndexedDataset>>, StorageError> {
        if let Some(cached) = self.0.get(&id) {
            return Ok(Some(cached));
        }
        let found = tx.datasets().get(id).await?;
        let Some(dataset) = found.map(|dataset| Arc::new(IndexedDataset::from(dataset))) else { return Ok(None) };
        self.0.insert(id, Arc::clone(&dataset));
        Ok(Some(dataset))
    }
}
