//! Reads the versions to serve from the database.

use std::time::Duration;

use trainyard_domain::ModelName;
use trainyard_storage::{Db, StorageError};

use crate::catch_panic::Panicked;
use crate::model_record::{Catalogue, Key, ModelRecord, ServedGuard};

/// Timeout of a read, so that a hanging database does not block the next attempt.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// An error while the database is read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The database returned an error or is unavailable.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database did not answer in time.
    #[error("the database did not answer within {} s", READ_TIMEOUT.as_secs())]
    Slow(#[from] tokio::time::error::Elapsed),
    /// The read panicked.
    #[error("reading {0}")]
    Panicked(#[from] Panicked),
}

/// Reads the versions to serve, unless the revision is still `known`. Of the versions in `pinned`, the existing ones that are
/// not served anyway are kept.
pub(crate) async fn read(db: Db, known: Option<i64>, pinned: Vec<Key>) -> Result<Option<Catalogue>, SourceError> {
    tokio::time::timeout(READ_TIMEOUT, read_all(&db, known, &pinned)).await?.map_err(SourceError::from)
}

async fn read_all(db: &Db, known: Option<i64>, pinned: &[Key]) -> Result<Option<Catalogue>, StorageError> {
    let mut tx = db.read().await?;
    // The transaction is a snapshot, so the revision belongs to the lists that are read after it.
    let revision = tx.models().revision().await?;
    if known == Some(revision) {
        return Ok(None);
    }
    let served: Vec<ModelRecord> = tx.models().served().await?.into_iter().map(ModelRecord::from).collect();
    let traffic = tx.models().all_traffic().await?;
    let guards = tx.models().guards().await?.into_iter().map(|(guard, _)| ServedGuard::from(guard)).collect();
    let disabled = tx.users().disabled_ids().await?.into_iter().collect();
    let mut still_pinned = Vec::new();
    for (model, version) in pinned {
        let Ok(name) = ModelName::parse(model) else { continue };
        if served.iter().any(|record| record.version == *version && record.model == *model) {
            continue;
        }
        still_pinned.extend(tx.models().version(&name, *version).await?.map(ModelRecord::from));
    }
    Ok(Some(Catalogue { revision, served, pinned: still_pinned, traffic, guards, disabled }))
}

/// Looks up one version, with or without an alias, and the size of its artifact in bytes.
pub(crate) async fn look_up(db: Db, key: Key) -> Result<Option<(ModelRecord, u64)>, SourceError> {
    let Ok(name) = ModelName::parse(&key.0) else { return Ok(None) };
    let read = async {
        let mut tx = db.read().await?;
        tx.models().version(&name, key.1).await
    };
    let found = tokio::time::timeout(READ_TIMEOUT, read).await?.map_err(SourceError::from)?;
    Ok(found.map(|version| {
        let size = version.size.try_into().unwrap_or(0);
        (ModelRecord::from(version), size)
    }))
}

/// The names and numbers of all published versions, at most `limit`.
pub(crate) async fn published(db: &Db, limit: i64) -> Result<Vec<Key>, SourceError> {
    let read = async {
        let mut tx = db.read().await?;
        tx.models().published(limit).await
    };
    tokio::time::timeout(READ_TIMEOUT, read).await?.map_err(SourceError::from)
}
