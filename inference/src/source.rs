//! What the database says should be served.

use std::time::Duration;

use trainyard_domain::ModelName;
use trainyard_storage::{Db, StorageError};

use crate::contained::Panicked;
use crate::record::{Catalogue, Key, Record};

/// Longest a read may take: a database that hangs must not hold up the next try.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The database refused or is away.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It did not answer in time.
    #[error("the database did not answer within {} s", PATIENCE.as_secs())]
    Slow(#[from] tokio::time::error::Elapsed),
    /// Reading stopped with a panic.
    #[error("reading {0}")]
    Panicked(#[from] Panicked),
}

/// Reads everything that should be served, unless the counter of changes still stands at `known`. Of the versions in
/// `pinned`, those that still exist and have no alias stay.
pub(crate) async fn read(db: Db, known: Option<i64>, pinned: Vec<Key>) -> Result<Option<Catalogue>, SourceError> {
    tokio::time::timeout(PATIENCE, read_all(&db, known, &pinned)).await?.map_err(SourceError::from)
}

async fn read_all(db: &Db, known: Option<i64>, pinned: &[Key]) -> Result<Option<Catalogue>, StorageError> {
    let mut tx = db.read().await?;
    // One transaction sees one moment, so the counter belongs to the list that is read after it.
    let revision = tx.models().revision().await?;
    if known == Some(revision) {
        return Ok(None);
    }
    let served: Vec<Record> = tx.models().served().await?.into_iter().map(Record::from).collect();
    let disabled = tx.users().disabled_ids().await?.into_iter().collect();
    let mut still_pinned = Vec::new();
    for (model, version) in pinned {
        let Ok(name) = ModelName::parse(model) else { continue };
        let found = tx.models().version(&name, *version).await?;
        still_pinned.extend(found.filter(|found| found.aliases.is_empty()).map(Record::from));
    }
    Ok(Some(Catalogue { revision, served, pinned: still_pinned, disabled }))
}

/// Looks one version up, whether an alias points at it or not.
pub(crate) async fn look_up(db: Db, key: Key) -> Result<Option<Record>, SourceError> {
    let Ok(name) = ModelName::parse(&key.0) else { return Ok(None) };
    let read = async {
        let mut tx = db.read().await?;
        tx.models().version(&name, key.1).await
    };
    let found = tokio::time::timeout(PATIENCE, read).await?.map_err(SourceError::from)?;
    Ok(found.map(Record::from))
}
