//! Watches how much a training process writes to its folder. A quota would be exact and needs a file system that has
//! one; a look every quarter of a second is late by what is written in that time.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(250);
/// The rest after a look, in multiples of what the look took: a folder of a million files must not busy a core.
const REST: u32 = 10;
/// What every entry counts for besides its blocks, in bytes: empty files take room too.
const ENTRY: u64 = 512;

/// The growth of one folder since this was made.
pub(super) struct Usage {
    folder: PathBuf,
    before: u64,
    limit: u64,
}

impl Usage {
    /// Begins with what is there now. `limit` is in bytes; 0 sets none.
    pub(super) async fn watch(folder: &Path, limit: u64) -> Self {
        let folder = folder.to_owned();
        let before = if limit > 0 { look(folder.clone()).await } else { 0 };
        Self { folder, before, limit }
    }

    /// Waits until more has come than the limit allows.
    pub(super) async fn outgrown(&self) {
        if self.limit == 0 {
            return std::future::pending().await;
        }
        loop {
            let started = Instant::now();
            if look(self.folder.clone()).await.saturating_sub(self.before) > self.limit {
                return;
            }
            tokio::time::sleep(EVERY.max(started.elapsed() * REST)).await;
        }
    }
}

async fn look(folder: PathBuf) -> u64 {
    tokio::task::spawn_blocking(move || bytes_in(folder)).await.unwrap_or(0)
}

/// The room that a folder takes on its disk, in bytes. Links are not followed; what vanishes meanwhile counts for nothing.
fn bytes_in(folder: PathBuf) -> u64 {
    let (mut folders, mut bytes) = (vec![folder], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(data) = entry.metadata() else { continue };
            bytes += data.blocks() * 512 + ENTRY;
            if data.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn growth_counts_and_what_was_there_does_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dataset.csv"), vec![1; 1 << 20]).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("elsewhere")).unwrap();
        let usage = Usage::watch(folder.path(), 1 << 20).await;
        let patience = Duration::from_millis(600);
        assert!(tokio::time::timeout(patience, usage.outgrown()).await.is_err());
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/c"), vec![1; 2 << 20]).unwrap();
        usage.outgrown().await;
    }

    #[tokio::test]
    async fn empty_files_take_room_too() {
        let folder = tempfile::tempdir().unwrap();
        let usage = Usage::watch(folder.path(), 10 * ENTRY).await;
        for i in 0..20 {
            fs::write(folder.path().join(i.to_string()), "").unwrap();
        }
        usage.outgrown().await;
    }
}
