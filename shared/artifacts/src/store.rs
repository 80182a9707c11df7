//! The store, and its operations delete, list and ping.

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

/// An object store. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) objects: Arc<dyn ObjectStore>,
    backend: Backend,
}

/// Where the objects are stored.
#[derive(Debug, Clone)]
pub(crate) enum Backend {
    Folder { path: PathBuf, opened: FolderId },
    Remote,
}

/// Identifies the folder at a path. It changes when a volume is mounted or unmounted there.
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

/// A stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, lower-case hexadecimal. Readers verify it.
    pub sha256: String,
}

impl Store {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, backend: Backend) -> Self {
        Self { objects, backend }
    }

    pub(crate) fn path(key: &Key) -> ObjectPath {
        ObjectPath::from(key.as_str())
    }

    /// The file of an object, if the store is a folder.
    pub(crate) fn file_path(&self, key: &Key) -> Option<PathBuf> {
        match &self.backend {
            Backend::Folder { path, .. } => Some(path.join(Self::path(key).as_ref())),
            Backend::Remote => None,
        }
    }

    /// Deletes an object. Succeeds if it does not exist.
    ///
    /// # Errors
    /// Those of [`ArtifactError::is_retryable`].
    pub async fn delete(&self, key: &Key) -> Result<()> {
        match self.objects.delete(&Self::path(key)).await.map_err(ArtifactError::of_object) {
            Err(ArtifactError::NotFound) => Ok(()),
            other => other,
        }
    }

    /// Streams the objects under the folder `prefix` (such as `artifacts`; empty for all), each with its size in bytes and
    /// its time of modification. Objects without a valid [`Key`] belong to other programs and are skipped. An error ends
    /// the stream.
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

    /// As [`Store::stream`], collected: for small stores only.
    ///
    /// # Errors
    /// Those of [`ArtifactError::is_retryable`].
    pub async fn list(&self, prefix: &str) -> Result<Vec<(Key, u64, DateTime<Utc>)>> {
        self.stream(prefix).try_collect().await
    }

    /// Sends a cheap request to the store, with a timeout of three seconds.
    ///
    /// # Errors
    /// Those of [`ArtifactError::is_retryable`].
    pub async fn ping(&self) -> Result<()> {
        if let Backend::Folder { path, .. } = &self.backend {
            return tokio::fs::read_dir(path).await.map(drop).map_err(ArtifactError::of_folder);
        }
        // Listing an unused prefix requires the bucket and valid credentials, and returns nothing.
        let nothing = ObjectPath::from("ping");
        let mut listing = self.objects.list(Some(&nothing));
        match tokio::time::timeout(PING_LIMIT, listing.next()).await {
            Ok(Some(Err(error))) => Err(ArtifactError::of_store(error)),
            Ok(_) => Ok(()),
            Err(late) => Err(ArtifactError::Unavailable(Box::new(late))),
        }
    }

    /// The error for a missing object: [`ArtifactError::NotFound`], or the store's own error if its bucket or folder is
    /// missing or its volume is not mounted.
    pub(crate) async fn not_found(&self) -> ArtifactError {
        if let Err(error) = self.ping().await {
            return error;
        }
        let Backend::Folder { path, opened } = &self.backend else { return ArtifactError::NotFound };
        let is_replaced = async {
            let is_empty = tokio::fs::read_dir(path).await?.next_entry().await?.is_none();
            Ok(is_empty && FolderId::of(path)? != *opened)
        };
        match is_replaced.await {
            Ok(true) => ArtifactError::NoBucket(
                "the folder was replaced by an empty one; check that its volume is mounted".into(),
            ),
            Ok(false) => ArtifactError::NotFound,
            Err(error) => ArtifactError::of_folder(error),
        }
    }
}
