//! The disk cache: artifacts by digest, and an index of the served versions. With it a process can start while database
//! and object store are unavailable. Every call blocks.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model_record::Catalogue;

const INDEX: &str = "index.json";
const FORMAT: u32 = 1;
/// An unfinished file of this age belongs to a process that no longer runs.
const MAX_PART_AGE: Duration = Duration::from_secs(3_600);

/// A folder of artifacts by SHA-256, with an index.
#[derive(Debug, Clone)]
pub(crate) struct DiskCache {
    dir: PathBuf,
    max_bytes: u64,
    /// Digests of the served artifacts; `None` until they are known.
    needed: Arc<Mutex<Option<HashSet<String>>>>,
}

#[derive(Serialize, Deserialize)]
struct Index<C> {
    format: u32,
    catalogue: C,
}

impl DiskCache {
    /// Opens `dir` and creates it if it does not exist. A full or read-only disk is logged only: the role can serve
    /// without the cache.
    pub(crate) fn open(dir: &Path, max_bytes: u64) -> io::Result<Self> {
        let opened = fs::create_dir_all(dir).and_then(|()| remove_old_parts(dir));
        match opened {
            Err(error) if is_not_writable(&error) => {
                tracing::warn!(%error, path = %dir.display(), "the artifact cache is not writable");
            }
            opened => opened?,
        }
        Ok(Self { dir: dir.to_owned(), max_bytes, needed: Arc::default() })
    }

    /// Returns the artifact with this digest, or `None`. A damaged file is deleted.
    pub(crate) fn read(&self, sha256: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(sha256)?;
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if hex::encode(Sha256::digest(&bytes)) == sha256 {
            return Ok(Some(bytes));
        }
        tracing::warn!(path = %path.display(), "removed a damaged file from the artifact cache");
        fs::remove_file(&path)?;
        Ok(None)
    }

    /// Stores an artifact. The caller has verified the digest.
    pub(crate) fn write(&self, sha256: &str, bytes: &[u8]) -> io::Result<()> {
        self.replace(&self.path(sha256)?, bytes)
    }

    /// The index of the versions that were served last, if there is one.
    pub(crate) fn read_index(&self) -> Option<Catalogue> {
        let bytes = fs::read(self.dir.join(INDEX)).ok()?;
        match serde_json::from_slice::<Index<Catalogue>>(&bytes) {
            Ok(index) if index.format == FORMAT => Some(index.catalogue),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "the local index is invalid and is ignored");
                None
            }
        }
    }

    /// Stores the index of the served versions, then deletes unused artifacts, oldest first, down to the size limit.
    pub(crate) fn write_index(&self, catalogue: &Catalogue) -> io::Result<()> {
        let bytes = serde_json::to_vec(&Index { format: FORMAT, catalogue })?;
        let records = catalogue.served.iter().chain(&catalogue.pinned);
        *self.needed() = Some(records.map(|record| record.sha256.clone()).collect());
        let written = self.replace(&self.dir.join(INDEX), &bytes);
        // Also after an error: on a full disk the deletion makes space for the next attempt.
        self.prune(self.max_bytes)?;
        written
    }

    /// Deletes unused artifacts, oldest first, until at most `max_bytes` remain.
    fn prune(&self, max_bytes: u64) -> io::Result<()> {
        let needed = self.needed();
        let Some(needed) = needed.as_ref() else { return Ok(()) };
        let mut unused: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        let mut total = 0;
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            // Another thread may rename a temporary file between listing and reading the metadata.
            let (Some(name), Ok(meta)) = (artifact_name(&path), fs::metadata(&path)) else { continue };
            total += meta.len();
            if !needed.contains(name) {
                unused.push((meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len(), path.clone()));
            }
        }
        unused.sort();
        for (_, size, path) in unused {
            if total <= max_bytes {
                break;
            }
            fs::remove_file(path)?;
            total -= size;
        }
        Ok(())
    }

    fn path(&self, sha256: &str) -> io::Result<PathBuf> {
        // The digest becomes a file name, so it must not contain a path.
        if sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(self.dir.join(format!("{sha256}.tym")))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "not a SHA-256 in hexadecimal"))
        }
    }

    fn needed(&self) -> MutexGuard<'_, Option<HashSet<String>>> {
        self.needed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a file. On a full disk unused artifacts are deleted and the write is repeated.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match self.try_replace(path, bytes) {
            Err(error) if is_not_writable(&error) => {
                self.prune(0)?;
                self.try_replace(path, bytes)
            }
            written => written,
        }
    }

    /// Writes a temporary file and renames it, so that readers and crashes see the old or the new content.
    fn try_replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let part = self.dir.join(format!(".{}.part", uuid::Uuid::now_v7().simple()));
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_data()?;
            fs::rename(&part, path)
        });
        if written.is_err() {
            // The first error is returned.
            let _ = fs::remove_file(&part);
        }
        written
    }
}

/// Whether the disk is full or read-only.
fn is_not_writable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Deletes temporary files of processes that ended while they wrote.
fn remove_old_parts(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_part = path.extension().is_some_and(|extension| extension == "part");
        let written = fs::metadata(&path).and_then(|meta| meta.modified()).ok().filter(|_| is_part);
        if written.is_some_and(|written| written.elapsed().is_ok_and(|age| age > MAX_PART_AGE)) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn artifact_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.strip_suffix(".tym")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_record::ModelRecord;

    fn digest(bytes: &[u8]) -> String {
        hex::encode(Sha256::digest(bytes))
    }

    fn catalogue(sha256: &str) -> Catalogue {
        let record = ModelRecord {
            model: "m".into(),
            version: 1,
            aliases: vec!["production".into()],
            sha256: sha256.into(),
            artifact_key: "k".into(),
            traceparent: None,
        };
        Catalogue { revision: 7, served: vec![record], ..Catalogue::default() }
    }

    #[test]
    fn a_stored_artifact_can_be_read_and_a_damaged_one_is_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(dir.path(), 1 << 20).unwrap();
        let sha256 = digest(b"model");
        assert_eq!(cache.read(&sha256).unwrap(), None);
        cache.write(&sha256, b"model").unwrap();
        assert_eq!(cache.read(&sha256).unwrap().as_deref(), Some(&b"model"[..]));

        fs::write(dir.path().join(format!("{sha256}.tym")), b"other").unwrap();
        assert_eq!(cache.read(&sha256).unwrap(), None, "damaged bytes are never returned");
        assert!(!dir.path().join(format!("{sha256}.tym")).exists());
        assert!(cache.read("../../etc/passwd").is_err());
    }

    #[test]
    fn the_index_can_be_read_and_an_invalid_index_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(dir.path(), 1 << 20).unwrap();
        assert_eq!(cache.read_index(), None);
        cache.write_index(&catalogue(&digest(b"a"))).unwrap();
        assert_eq!(cache.read_index(), Some(catalogue(&digest(b"a"))));
        fs::write(dir.path().join(INDEX), b"{").unwrap();
        assert_eq!(cache.read_index(), None);
    }

    #[test]
    fn on_a_full_disk_unused_artifacts_are_deleted() {
        let Some(disk) = trainyard_testkit::SmallDisk::mount(1) else { return };
        let cache = DiskCache::open(disk.path(), 1 << 30).unwrap();
        let (served, unused, new) = (vec![1; 300_000], vec![2; 300_000], vec![3; 600_000]);
        cache.write(&digest(&served), &served).unwrap();
        cache.write(&digest(&unused), &unused).unwrap();
        assert!(cache.write(&digest(&new), &new).is_err(), "the served artifacts are not known yet");
        cache.write_index(&catalogue(&digest(&served))).unwrap();
        cache.write(&digest(&new), &new).unwrap();
        assert!(cache.read(&digest(&served)).unwrap().is_some());
        assert!(cache.read(&digest(&new)).unwrap().is_some());
        assert!(cache.read(&digest(&unused)).unwrap().is_none());
    }

    #[test]
    fn artifacts_of_served_versions_are_never_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(dir.path(), 1).unwrap();
        for bytes in [&b"served"[..], b"unused"] {
            cache.write(&digest(bytes), bytes).unwrap();
        }
        cache.write_index(&catalogue(&digest(b"served"))).unwrap();
        assert!(cache.read(&digest(b"served")).unwrap().is_some());
        assert!(cache.read(&digest(b"unused")).unwrap().is_none());
    }
}
