//! Measures how much a training process writes to its folder, every 250 ms. An exact limit would need a file system with
//! quotas.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(250);
/// The pause after a measurement, in multiples of its duration, so that a folder of a million files keeps no core busy.
const PAUSE_FACTOR: u32 = 10;
/// The size of an entry besides its blocks, in bytes, so that empty files count.
const ENTRY: u64 = 512;

/// The growth of one folder since the start of the measurements.
pub(super) struct Usage {
    folder: PathBuf,
    before: u64,
    limit: u64,
}

impl Usage {
    /// Measures the folder's present size. `limit` is in bytes; 0 sets no limit.
    pub(super) async fn watch(folder: &Path, limit: u64) -> Self {
        let folder = folder.to_owned();
        let before = if limit > 0 { measure(folder.clone()).await } else { 0 };
        Self { folder, before, limit }
    }

    /// Waits until the growth exceeds the limit.
    pub(super) async fn exceeded(&self) {
        if self.limit == 0 {
            return std::future::pending().await;
        }
        loop {
            let started = Instant::now();
            if measure(self.folder.clone()).await.saturating_sub(self.before) > self.limit {
                return;
            }
            tokio::time::sleep(EVERY.max(started.elapsed() * PAUSE_FACTOR)).await;
        }
    }
}

async fn measure(folder: PathBuf) -> u64 {
    tokio::task::spawn_blocking(move || bytes_in(folder)).await.unwrap_or(0)
}

/// The size of a folder on its disk, in bytes. Links are not followed, and files that vanish meanwhile are ignored.
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
    async fn only_growth_counts() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dataset.csv"), vec![1; 1 << 20]).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("elsewhere")).unwrap();
        let usage = Usage::watch(folder.path(), 1 << 20).await;
        let limit = Duration::from_millis(600);
        assert!(tokio::time::timeout(limit, usage.exceeded()).await.is_err());
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/c"), vec![1; 2 << 20]).unwrap();
        usage.exceeded().await;
    }

    #[tokio::test]
    async fn empty_files_count() {
        let folder = tempfile::tempdir().unwrap();
        let usage = Usage::watch(folder.path(), 10 * ENTRY).await;
        for i in 0..20 {
            fs::write(folder.path().join(i.to_string()), "").unwrap();
        }
        usage.exceeded().await;
    }
}
