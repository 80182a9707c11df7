//! The store itself, and what needs no streaming: delete, list, ping.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::error::{ArtifactError, Result};
use crate::key::Key;

const PING_LIMIT: Duration = Duration::from_secs(3);

/// An object store. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) objects: Arc<dyn ObjectStore>,
    place: Place,
}

/// Where the objects are.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Folder { path: PathBuf, opened: FolderId },
    Remote,
}

/// Which folder a path leads to: another one once a volume is mounted there, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FolderId {
    device: u64,
    inode: u64,
}

impl FolderId {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::metadata(path)?;
        Ok(Self { device: found.dev(), inode: found.ino() })
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// In bytes.
    pub size: u64,
    /// SHA-256 of the bytes, lower-case hexadecimal: what a reader must present.
    pub sha256: String,
}

impl Store {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, place: Place) -> Self {
        Self { objects, place }
    }

    pub(crate) fn path(key: &Key) -> ObjectPath {
        ObjectPath::from(key.as_str())
    }

    /// Removes an object; one that is not there is fine.
    ///
    /// # Errors
    /// Those of [`ArtifactError::is_retryable`].
    pub async fn delete(&self, key: &Key) -> Result<()> {
        match self.objects.delete(&Self::path(key)).await.map_err(ArtifactError::of_object) {
            Err(ArtifactError::NotFound) => Ok(()),
            other => other,
        }
    }

    /// Every object below the folder `prefix` (such as `artifacts`; empty for all) with its size in bytes and the time it
    /// was written, as the store lists them: a few at a time, however many there are. Objects whose names are no [`Key`]
    /// are somebody else's and are left out. An error, [`ArtifactError::Unavailable`], ends the list.
    pub fn stream(&self, prefix: &str) -> BoxStream<'static, Result<(Key, u64, DateTime<Utc>)>> {
        let objects = self.objects.list(Some(&ObjectPath::from(prefix)));
        let found = objects.filter_map(async |object| match object {
            Ok(object) => {
                let key = Key::parse(object.location.as_ref()).ok()?;
                Some(Ok((key, object.size, object.last_modified)))
            }
            Err(error) => Some(Err(ArtifactError::of_store(error))),
        });
        found.boxed()
    }

    /// What [`Store::stream`] lists, all at once: for stores that are known to be small.
    ///
    /// # Errors
    /// Those of [`ArtifactError::is_retryable`].
    pub async fn list(&self, prefix: &str) -> Result<Vec<(Key, u64, DateTime<Utc>)>> {
        self.stream(prefix).try_collect().await
    }

    /// Whether the store answers now: a real, cheap request, given three seconds.
    ///
    /// # Errors
    /// Those of [`ArtifactError::is_retryable`].
    pub async fn ping(&self) -> Result<()> {
        if let Place::Folder { path, .. } = &self.place {
            return tokio::fs::read_dir(path).await.map(drop).map_err(ArtifactError::of_folder);
        }
        // Lists what does not exist: needs the bucket and the credentials to be right, and returns nothing.
        let nothing = ObjectPath::from("ping");
        let mut listing = self.objects.list(Some(&nothing));
        match tokio::time::timeout(PING_LIMIT, listing.next()).await {
            Ok(Some(Err(error))) => Err(ArtifactError::of_store(error)),
            Ok(_) => Ok(()),
            Err(late) => Err(ArtifactError::Unavailable(Box::new(late))),
        }
    }

    /// What it means that an object is not there: [`ArtifactError::NotFound`] from a store that is as it should be. A bucket
    /// or folder that is missing, or a volume that is not mounted, has no object either, and comes back with all of them.
    pub(crate) async fn absent(&self) -> ArtifactError {
        if let Err(error) = self.ping().await {
            return error;
        }
        let Place::Folder { path, opened } = &self.place else { return ArtifactError::NotFound };
        let look = async {
            let is_empty = tokio::fs::read_dir(path).await?.next_entry().await?.is_none();
            Ok(is_empty && FolderId::of(path)? != *opened)
        };
        match look.await {
            Ok(true) => ArtifactError::NoBucket("another, empty folder took its place; is its volume mounted?".into()),
            Ok(false) => ArtifactError::NotFound,
            Err(error) => ArtifactError::of_folder(error),
        }
    }
}
