//! Removes artifacts that belong to no model version: of runs that were fenced off, or died between upload and publish.

use chrono::{DateTime, Utc};
use trainyard_artifacts::Store;
use trainyard_storage::Db;

use super::SweepError;

/// Where the models lie; data sets are not looked at.
const FOLDER: &str = "artifacts";

/// Looks at every artifact that was written before `before`: an upload that waits for its transaction is younger.
pub(super) async fn run(db: Db, store: Store, before: DateTime<Utc>) -> Result<(), SweepError> {
    let mut removed = 0;
    for (key, _, modified) in store.list(FOLDER).await? {
        if modified < before && !db.read().await?.models().holds(key.as_str()).await? {
            store.delete(&key).await?;
            removed += 1;
        }
    }
    if removed > 0 {
        tracing::info!(removed, "removed artifacts that belong to no version");
    }
    Ok(())
}
