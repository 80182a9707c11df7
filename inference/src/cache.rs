//! The local folder that lets a process restart with everything else away: fetched artifacts by digest, and an index of
//! what was served last. May touch its folder and nothing else; every call blocks.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::record::Catalogue;

const INDEX: &str = "index.json";
const FORMAT: u32 = 1;
/// A file that was not finished for so long never will be.
const PART_AGE: Duration = Duration::from_secs(3_600);

/// A folder of artifacts by SHA-256, with an index.
#[derive(Debug, Clone)]
pub(crate) struct DiskCache {
    dir: PathBuf,
    max_bytes: u64,
    /// Digests of what is served; `None` until that is known.
    needed: Arc<Mutex<Option<HashSet<String>>>>,
}

#[derive(Serialize, Deserialize)]
struct Index<C> {
    format: u32,
    catalogue: C,
}

impl DiskCache {
    /// Opens `dir`, which is made when it is not there. A disk that takes no writes now is no reason not to serve.
    pub(crate) fn open(dir: &Path, max_bytes: u64) -> io::Result<Self> {
        let opened = fs::create_dir_all(dir).and_then(|()| remove_old_parts(dir));
        match opened {
            Err(error) if takes_no_writes(&error) => {
                tracing::warn!(%error, path = %dir.display(), "the artifact cache can't be written");
            }
            opened => opened?,
        }
        Ok(Self { dir: dir.to_owned(), max_bytes, needed: Arc::default() })
    }

    /// The artifact with this digest, if it is here and whole; a damaged file is removed.
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

    /// Keeps an artifact whose digest the caller has verified.
    pub(crate) fn write(&self, sha256: &str, bytes: &[u8]) -> io::Result<()> {
        self.replace(&self.path(sha256)?, bytes)
    }

    /// What was served last, if that is known.
    pub(crate) fn read_index(&self) -> Option<Catalogue> {
        let bytes = fs::read(self.dir.join(INDEX)).ok()?;
        match serde_json::from_slice::<Index<Catalogue>>(&bytes) {
            Ok(index) if index.format == FORMAT => Some(index.catalogue),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "the local index can't be read and is left out");
                None
            }
        }
    }

    /// Remembers what is served, then removes artifacts nobody needs, oldest first, until the folder fits its limit.
    pub(crate) fn write_index(&self, catalogue: &Catalogue) -> io::Result<()> {
        let bytes = serde_json::to_vec(&Index { format: FORMAT, catalogue })?;
        let records = catalogue.served.iter().chain(&catalogue.pinned);
        *self.needed() = Some(records.map(|record| record.sha256.clone()).collect());
        let written = self.replace(&self.dir.join(INDEX), &bytes);
        // Also when the index found no room: an old artifact may be what takes it.
        self.prune(self.max_bytes)?;
        written
    }

    /// Removes artifacts nobody needs, oldest first, until `max_bytes` are left.
    fn prune(&self, max_bytes: u64) -> io::Result<()> {
        let needed = self.needed();
        let Some(needed) = needed.as_ref() else { return Ok(()) };
        let mut spare: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        let mut total = 0;
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            // A file may go between listing and asking: another thread has just put it in its place.
            let (Some(name), Ok(meta)) = (artifact_name(&path), fs::metadata(&path)) else { continue };
            total += meta.len();
            if !needed.contains(name) {
                spare.push((meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len(), path.clone()));
            }
        }
        spare.sort();
        for (_, size, path) in spare {
            if total <= max_bytes {
                break;
            }
            fs::remove_file(path)?;
            total -= size;
        }
        Ok(())
    }

    fn path(&self, sha256: &str) -> io::Result<PathBuf> {
        // The digest becomes a file name, so it must be one.
        if sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(self.dir.join(format!("{sha256}.tym")))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "not a SHA-256 in hexadecimal"))
        }
    }

    fn needed(&self) -> MutexGuard<'_, Option<HashSet<String>>> {
        self.needed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a file; on a full disk once more, without the artifacts nobody needs.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match self.try_replace(path, bytes) {
            Err(error) if takes_no_writes(&error) => {
                self.prune(0)?;
                self.try_replace(path, bytes)
            }
            written => written,
        }
    }

    /// Writes beside the target and renames, so that a reader or a crash sees the old file or the new one.
    fn try_replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let part = self.dir.join(format!(".{}.part", uuid::Uuid::now_v7().simple()));
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_data()?;
            fs::rename(&part, path)
        });
        if written.is_err() {
            // Nothing to add to the error that is already on its way.
            let _ = fs::remove_file(&part);
        }
        written
    }
}

/// Whether a disk has no room, or is mounted read-only.
fn takes_no_writes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Removes what a process left that ended while it wrote.
fn remove_old_parts(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_part = path.extension().is_some_and(|extension| extension == "part");
        let written = fs::metadata(&path).and_then(|meta| meta.modified()).ok().filter(|_| is_part);
        if written.is_some_and(|written| written.elapsed().is_ok_and(|age| age > PART_AGE)) {
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
    use crate::record::Record;

    fn digest(bytes: &[u8]) -> String {
        hex::encode(Sha256::digest(bytes))
    }

    fn catalogue(sha256: &str) -> Catalogue {
        let record = Record {
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
    fn what_was_written_is_read_back_and_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(dir.path(), 1 << 20).unwrap();
        let sha256 = digest(b"model");
        assert_eq!(cache.read(&sha256).unwrap(), None);
        cache.write(&sha256, b"model").unwrap();
        assert_eq!(cache.read(&sha256).unwrap().as_deref(), Some(&b"model"[..]));

        fs::write(dir.path().join(format!("{sha256}.tym")), b"other").unwrap();
        assert_eq!(cache.read(&sha256).unwrap(), None, "damaged bytes are never handed out");
        assert!(!dir.path().join(format!("{sha256}.tym")).exists());
        assert!(cache.read("../../etc/passwd").is_err());
    }

    #[test]
    fn the_index_comes_back_and_rubbish_counts_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(dir.path(), 1 << 20).unwrap();
        assert_eq!(cache.read_index(), None);
        cache.write_index(&catalogue(&digest(b"a"))).unwrap();
        assert_eq!(cache.read_index(), Some(catalogue(&digest(b"a"))));
        fs::write(dir.path().join(INDEX), b"{").unwrap();
        assert_eq!(cache.read_index(), None);
    }

    #[test]
    fn a_full_disk_makes_room_from_what_nobody_needs() {
        let Some(disk) = trainyard_testkit::SmallDisk::mount(1) else { return };
        let cache = DiskCache::open(disk.path(), 1 << 30).unwrap();
        let (served, spare, new) = (vec![1; 300_000], vec![2; 300_000], vec![3; 600_000]);
        cache.write(&digest(&served), &served).unwrap();
        cache.write(&digest(&spare), &spare).unwrap();
        assert!(cache.write(&digest(&new), &new).is_err(), "what is needed is not known yet");
        cache.write_index(&catalogue(&digest(&served))).unwrap();
        cache.write(&digest(&new), &new).unwrap();
        assert!(cache.read(&digest(&served)).unwrap().is_some());
        assert!(cache.read(&digest(&new)).unwrap().is_some());
        assert!(cache.read(&digest(&spare)).unwrap().is_none());
    }

    #[test]
    fn the_folder_keeps_to_its_limit_but_never_drops_what_is_served() {
        let dir = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(dir.path(), 1).unwrap();
        for bytes in [&b"served"[..], b"spare"] {
            cache.write(&digest(bytes), bytes).unwrap();
        }
        cache.write_index(&catalogue(&digest(b"served"))).unwrap();
        assert!(cache.read(&digest(b"served")).unwrap().is_some());
        assert!(cache.read(&digest(b"spare")).unwrap().is_none());
    }
}
