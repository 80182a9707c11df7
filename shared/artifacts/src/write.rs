//! Uploads: hashed while they are read, unless the digest is known, multipart if large, visible when complete.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use metrics::counter;
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::io::AsyncReadExt;
use trainyard_telemetry::catalogue::ARTIFACTS_BYTES_TOTAL;

use crate::digest::Digest;
use crate::error::{ArtifactError, Result};
use crate::key::Key;
use crate::store::{Store, Stored};

/// Part size of a multipart upload, which an upload keeps in memory. S3 allows 10,000 parts: 78 GiB.
const PART: usize = 8 * 1024 * 1024;
/// Bytes hashed before the task yields: well under a millisecond.
const STEP: usize = 256 * 1024;

impl Store {
    /// Uploads a file.
    ///
    /// # Errors
    /// [`ArtifactError::Io`], and those of [`ArtifactError::is_retryable`].
    pub async fn put_file(&self, key: &Key, path: &Path) -> Result<Stored> {
        let file = tokio::fs::File::open(path).await?;
        self.put(key, Source::File(file), Digest::default()).await
    }

    /// Uploads the rest of an open file.
    ///
    /// # Errors
    /// [`ArtifactError::Io`], and those of [`ArtifactError::is_retryable`].
    pub async fn put_open_file(&self, key: &Key, file: File) -> Result<Stored> {
        self.put(key, Source::File(file.into()), Digest::default()).await
    }

    /// Uploads a file whose digest the caller has computed, without hashing it again. The caller compares the size, and
    /// must not change the file afterwards: a store in the same file system links it instead of copying it.
    ///
    /// # Errors
    /// [`ArtifactError::Io`], and those of [`ArtifactError::is_retryable`].
    pub async fn put_hashed_file(&self, key: &Key, path: &Path, sha256: &str) -> Result<Stored> {
        if let Some(target) = self.file_path(key)
            && let Ok(size) = link(path.to_owned(), target).await
        {
            counter!(ARTIFACTS_BYTES_TOTAL, "direction" => "put").increment(size);
            return Ok(Stored { size, sha256: sha256.to_owned() });
        }
        let file = tokio::fs::File::open(path).await?;
        self.put(key, Source::File(file), Digest::known(sha256)).await
    }

    /// Uploads bytes.
    ///
    /// # Errors
    /// Those of [`ArtifactError::is_retryable`].
    pub async fn put_bytes(&self, key: &Key, bytes: Bytes) -> Result<Stored> {
        self.put(key, Source::Bytes(bytes), Digest::default()).await
    }

    async fn put(&self, key: &Key, mut source: Source, mut digest: Digest) -> Result<Stored> {
        let path = Self::path(key);
        let first = source.part(&mut digest).await?;
        if first.len() < PART {
            self.objects.put(&path, first.into()).await.map_err(ArtifactError::of_store)?;
        } else {
            self.put_parts(&path, first, &mut source, &mut digest).await?;
        }
        let stored = Stored { size: digest.bytes(), sha256: digest.finish() };
        counter!(ARTIFACTS_BYTES_TOTAL, "direction" => "put").increment(stored.size);
        Ok(stored)
    }

    async fn put_parts(&self, path: &ObjectPath, first: Bytes, source: &mut Source, digest: &mut Digest) -> Result<()> {
        let mut upload = self.objects.put_multipart(path).await.map_err(ArtifactError::of_store)?;
        let sent = send_parts(upload.as_mut(), first, source, digest).await;
        if sent.is_err()
            && let Err(error) = upload.abort().await
        {
            // Uploaded parts stay invisible. A lifecycle rule of the bucket should remove incomplete uploads.
            tracing::warn!(object = %path, %error, "cannot abort an incomplete multipart upload");
        }
        sent
    }
}

/// Makes a file durable and gives it a second name. Returns its size in bytes. Fails in particular if the target exists or is
/// in another file system.
async fn link(path: PathBuf, target: PathBuf) -> io::Result<u64> {
    let linked = tokio::task::spawn_blocking(move || {
        let file = File::open(&path)?;
        file.sync_all()?;
        let folder = target.parent().ok_or(io::ErrorKind::NotFound)?;
        std::fs::create_dir_all(folder)?;
        std::fs::hard_link(&path, &target)?;
        // The folder may be new, so its own entry must be durable too.
        for folder in [Some(folder), folder.parent()].into_iter().flatten() {
            File::open(folder)?.sync_all()?;
        }
        Ok(file.metadata()?.len())
    });
    linked.await.map_err(io::Error::other)?
}

async fn send_parts(
    upload: &mut dyn MultipartUpload,
    first: Bytes,
    source: &mut Source,
    digest: &mut Digest,
) -> Result<()> {
    let mut part = first;
    while !part.is_empty() {
        upload.put_part(PutPayload::from(part)).await.map_err(ArtifactError::of_store)?;
        part = source.part(digest).await?;
    }
    upload.complete().await.map_err(ArtifactError::of_store)?;
    Ok(())
}

/// The source of an upload.
enum Source {
    File(tokio::fs::File),
    Bytes(Bytes),
}

impl Source {
    /// The next part: [`PART`] bytes, fewer at the end, none after the end.
    async fn part(&mut self, digest: &mut Digest) -> Result<Bytes> {
        match self {
            Self::File(file) => read_part(file, digest).await,
            Self::Bytes(bytes) => {
                let part = bytes.split_to(bytes.len().min(PART));
                for step in part.chunks(STEP) {
                    digest.update(step);
                    tokio::task::yield_now().await;
                }
                Ok(part)
            }
        }
    }
}

async fn read_part(file: &mut tokio::fs::File, digest: &mut Digest) -> Result<Bytes> {
    let mut part = BytesMut::new();
    while part.len() < PART {
        let wanted = STEP.min(PART - part.len());
        part.reserve(wanted);
        let start = part.len();
        if (&mut *file).take(wanted as u64).read_buf(&mut part).await? == 0 {
            break;
        }
        digest.update(&part[start..]);
    }
    Ok(part.freeze())
}
