//! Removes objects that no row names: artifacts of runs that were fenced off, or died between upload and publish; data sets
//! whose upload ended before its row was committed, or whose deletion ended before the object was removed.

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use trainyard_artifacts::{Key, Store};
use trainyard_storage::Db;

use super::SweepError;

/// Where models and data sets lie.
const ARTIFACTS: &str = "artifacts";
const DATASETS: &str = "datasets";
/// Objects that are held against the database in one query. No more than these are in memory, however many there are.
const BATCH: usize = 500;

/// Looks at every object that was written before `before`: one that waits for its transaction is younger.
pub(super) async fn run(db: Db, store: Store, before: DateTime<Utc>) -> Result<(), SweepError> {
    for folder in [ARTIFACTS, DATASETS] {
        let removed = search(&db, &store, folder, before).await?;
        if removed > 0 {
            tracing::info!(folder, removed, "removed objects that no row names");
        }
    }
    Ok(())
}

async fn search(db: &Db, store: &Store, folder: &str, before: DateTime<Utc>) -> Result<usize, SweepError> {
    let mut removed = 0;
    let mut objects = store.stream(folder);
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(object) = objects.next().await {
        let (key, _, modified) = object?;
        if modified < before {
            batch.push(key);
        }
        if batch.len() == BATCH {
            removed += remove(db, store, folder, std::mem::take(&mut batch)).await?;
        }
    }
    Ok(removed + remove(db, store, folder, batch).await?)
}

async fn remove(db: &Db, store: &Store, folder: &str, batch: Vec<Key>) -> Result<usize, SweepError> {
    if batch.is_empty() {
        return Ok(0);
    }
    let keys: Vec<&str> = batch.iter().map(Key::as_str).collect();
    let mut tx = db.glance().await?;
    let named = match folder {
        DATASETS => tx.datasets().named(&keys).await?,
        _ => tx.models().named(&keys).await?,
    };
    tx.commit().await?;
    let mut removed = 0;
    for key in batch.iter().filter(|key| !named.contains(key.as_str())) {
        store.delete(key).await?;
        removed += 1;
    }
    Ok(removed)
}
