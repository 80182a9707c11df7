//! A cache of dataset profiles. A dataset version never changes, so its profile is read once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use trainyard_domain::{DatasetId, IndexedDataset};
use trainyard_storage::{StorageError, Tx};

/// Most cached profiles. A profile of many columns takes some hundred kilobytes.
const MAX: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct DatasetCache(Mutex<HashMap<DatasetId, Arc<IndexedDataset>>>);

impl DatasetCache {
    /// A dataset version. A cached version may have been deleted since: only the database knows.
    pub(super) async fn get(&self, tx: &mut Tx, id: DatasetId) -> Result<Option<Arc<IndexedDataset>>, StorageError> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if cached.is_some() {
            return Ok(cached);
        }
        let found = tx.datasets().get(id).await?;
        let Some(dataset) = found.map(|dataset| Arc::new(IndexedDataset::from(dataset))) else { return Ok(None) };
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX {
            cache.clear();
        }
        cache.insert(id, Arc::clone(&dataset));
        Ok(Some(dataset))
    }
}
