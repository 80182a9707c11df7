//! Downloads, with a size limit and a verified digest.

use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use metrics::counter;
use object_store::ObjectStoreExt;
use tokio::io::AsyncWriteExt;
use trainyard_telemetry::catalogue::ARTIFACTS_BYTES_TOTAL;
use uuid::Uuid;

use crate::digest::Digest;
use crate::error::{ArtifactError, Result};
use crate::key::Key;
use crate::store::Store;

impl Store {
    /// Reads an object into memory. `sha256` is the expected digest, `max_bytes` the size limit.
    ///
    /// # Errors
    /// [`ArtifactError::NotFound`], [`ArtifactError::DigestMismatch`], [`ArtifactError::TooLarge`], and those of
    /// [`ArtifactError::is_retryable`].
    pub async fn get_bytes(&self, key: &Key, sha256: &str, max_bytes: u64) -> Result<Bytes> {
        let mut download = self.download(key, max_bytes).await?;
        let mut bytes = BytesMut::with_capacity(usize::try_from(download.size).unwrap_or(0));
        while let Some(chunk) = download.next().await? {
            bytes.extend_from_slice(&chunk);
        }
        download.check(sha256)?;
        Ok(bytes.freeze())
    }

    /// Downloads an object to the file `path`, which an error leaves untouched.
    ///
    /// # Errors
    /// [`ArtifactError::NotFound`], [`ArtifactError::DigestMismatch`], [`ArtifactError::TooLarge`], those of
    /// [`ArtifactError::is_retryable`], and [`ArtifactError::Io`].
    pub async fn get_to_file(&self, key: &Key, sha256: &str, path: &Path, max_bytes: u64) -> Result<()> {
        let mut download = self.download(key, max_bytes).await?;
        let partial = PartialFile::beside(path);
        let mut file = tokio::fs::File::create(&partial.0).await?;
        while let Some(chunk) = download.next().await? {
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
        download.check(sha256)?;
        tokio::fs::rename(&partial.0, path).await?;
        Ok(())
    }

    /// Reads the first `bytes` of an object. The digest cannot be verified, so this is for previews only, never for
    /// training or inference.
    ///
    /// # Errors
    /// [`ArtifactError::NotFound`], and those of [`ArtifactError::is_retryable`]. An empty object counts as unavailable.
    pub async fn head(&self, key: &Key, bytes: u64) -> Result<Bytes> {
        let head = match self.objects.get_range(&Self::path(key), 0..bytes).await.map_err(ArtifactError::of_object) {
            Err(ArtifactError::NotFound) => return Err(self.not_found().await),
            other => other?,
        };
        counter!(ARTIFACTS_BYTES_TOTAL, "direction" => "get").increment(head.len() as u64);
        Ok(head)
    }

    async fn download(&self, key: &Key, max: u64) -> Result<Download> {
        let object = match self.objects.get(&Self::path(key)).await.map_err(ArtifactError::of_object) {
            Err(ArtifactError::NotFound) => return Err(self.not_found().await),
            other => other?,
        };
        if object.meta.size > max {
            return Err(ArtifactError::TooLarge { max });
        }
        Ok(Download { size: object.meta.size, max, chunks: object.into_stream(), digest: Digest::default() })
    }
}

/// A running download.
struct Download {
    /// The size that the store stated.
    size: u64,
    max: u64,
    chunks: BoxStream<'static, object_store::Result<Bytes>>,
    digest: Digest,
}

impl Download {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(chunk) = self.chunks.next().await.transpose().map_err(ArtifactError::of_object)? else {
            return Ok(None);
        };
        self.digest.update(&chunk);
        if self.digest.bytes() > self.max {
            return Err(ArtifactError::TooLarge { max: self.max });
        }
        Ok(Some(chunk))
    }

    fn check(self, expected: &str) -> Result<()> {
        counter!(ARTIFACTS_BYTES_TOTAL, "direction" => "get").increment(self.digest.bytes());
        let found = self.digest.finish();
        if found.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        Err(ArtifactError::DigestMismatch { expected: expected.to_owned(), found })
    }
}

/// An incomplete file. Dropping it deletes the file, for example when a download is cancelled; a renamed file stays.
struct PartialFile(PathBuf);

impl PartialFile {
    fn beside(path: &Path) -> Self {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", Uuid::now_v7().simple()));
        Self(path.with_file_name(name))
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
