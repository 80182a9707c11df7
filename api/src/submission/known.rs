//! Data sets that were looked at before. A version never changes, so its profile need not be read for every job.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use trainyard_domain::{DatasetId, IndexedDataset};
use trainyard_storage::{StorageError, Tx};

/// Data sets that are remembered; a profile of many columns takes some hundred kilobytes.
const MAX: usize = 64;

/// The profiles of versions, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashMap<DatasetId, Arc<IndexedDataset>>>);

impl Known {
    /// A version, as it was uploaded; whether it was deleted since is the database's to say.
    pub(super) async fn dataset(
        &self,
        tx: &mut Tx,
        id: DatasetId,
    ) -> Result<Option<Arc<IndexedDataset>>, StorageError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let found = tx.datasets().get(id).await?;
        let Some(dataset) = found.map(|dataset| Arc::new(IndexedDataset::from(dataset))) else { return Ok(None) };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX {
            all.clear();
        }
        all.insert(id, Arc::clone(&dataset));
        Ok(Some(dataset))
    }
}
