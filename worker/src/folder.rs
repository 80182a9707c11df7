//! The work folder: cached data sets, and one folder for each run that goes when the run ends. What a dead process left
//! behind is removed by the next one to start; a living process is told by the lock it holds.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use trainyard_domain::JobId;

const LOCK: &str = ".lock";
/// The model's file in the folder where the training process starts.
pub(crate) const MODEL: &str = "model.tym";

/// The folder of one worker process.
pub(crate) struct WorkFolder {
    datasets: PathBuf,
    runs: PathBuf,
    /// Held for the life of the process: its absence tells others that this folder is nobody's.
    _lock: File,
}

impl WorkFolder {
    /// Makes the folder of worker `id` under `root`, and removes those of dead workers.
    ///
    /// # Errors
    /// When the folder can't be made or written.
    pub(crate) fn open(root: &Path, id: &str) -> io::Result<Self> {
        let datasets = root.join("datasets");
        let all_runs = root.join("runs");
        fs::create_dir_all(&datasets)?;
        fs::create_dir_all(&all_runs)?;
        // One start at a time: another must not take this one, before it holds its lock, for dead.
        let gate = File::create(root.join(LOCK))?;
        gate.lock()?;
        remove_dead(&all_runs)?;
        // Training processes work in these folders, so the paths must hold from anywhere.
        let runs = all_runs.canonicalize()?.join(id);
        fs::create_dir_all(&runs)?;
        let lock = File::create(runs.join(LOCK))?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Self { datasets: datasets.canonicalize()?, runs, _lock: lock })
    }

    /// Makes the folder of one run, whose training process is user `owner`, or the worker's own user.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn run(&self, job: JobId, claim: i64, owner: Option<u32>) -> io::Result<RunFolder> {
        let path = self.runs.join(format!("{job}-{claim}"));
        fs::create_dir_all(&path)?;
        let folder = RunFolder { path, owner };
        fs::create_dir_all(folder.output())?;
        if owner.is_some() {
            // The training process reaches its dataset through this folder, and may not list it.
            fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o711))?;
            fs::set_permissions(folder.output(), fs::Permissions::from_mode(0o700))?;
            chown(folder.output(), owner, owner)?;
        }
        Ok(folder)
    }

    /// Where the data set with this digest is cached.
    pub(crate) fn dataset(&self, sha256: &str) -> PathBuf {
        self.datasets.join(format!("{sha256}.csv"))
    }

    /// Removes cached data sets, the longest unused first, until `max_bytes` are left.
    pub(crate) fn trim_datasets(&self, max_bytes: u64) {
        let mut cached = list(&self.datasets);
        let mut bytes: u64 = cached.iter().map(|(_, size, _)| size).sum();
        cached.sort_by_key(|(.., used)| *used);
        for (path, size, _) in cached {
            if bytes <= max_bytes {
                return;
            }
            // A run that reads it has a link of its own.
            if fs::remove_file(path).is_ok() {
                bytes -= size;
            }
        }
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.runs);
    }
}

/// The folder of one run, removed when dropped. The training process starts in `output`, the only folder that it may
/// write. The dataset is beside `output`: its file is a hard link to the cache that later runs read.
pub(crate) struct RunFolder {
    path: PathBuf,
    /// The user of the training process, where that is not the worker's.
    owner: Option<u32>,
}

impl RunFolder {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the training process finds its data.
    pub(crate) fn dataset(&self) -> PathBuf {
        self.path.join("dataset.csv")
    }

    /// Where the training process starts and may write.
    pub(crate) fn output(&self) -> PathBuf {
        self.path.join("output")
    }

    /// Where it leaves the model.
    pub(crate) fn artifact(&self) -> PathBuf {
        self.output().join(MODEL)
    }

    /// Lets the training process read the dataset, through its group, and not change it.
    ///
    /// # Errors
    /// When the file's group or mode can't be set.
    pub(crate) fn share_dataset(&self) -> io::Result<()> {
        if self.owner.is_none() {
            return Ok(());
        }
        chown(self.dataset(), None, self.owner)?;
        fs::set_permissions(self.dataset(), fs::Permissions::from_mode(0o640))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "a run's folder was not removed; the next start does it");
        }
    }
}

/// Path, size and last use of every file in `folder`.
fn list(folder: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let with_data = entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)));
    with_data.map(|(path, data)| (path, data.len(), data.modified().unwrap_or(SystemTime::UNIX_EPOCH))).collect()
}

fn remove_dead(runs: &Path) -> io::Result<()> {
    for entry in fs::read_dir(runs)? {
        let path = entry?.path();
        let lives =
            File::open(path.join(LOCK)).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        if !lives {
            tracing::info!("removing what a dead worker left in the work folder");
            // Two starts may do this at once; whoever is second finds nothing.
            let _ = fs::remove_dir_all(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_removes_dead_workers_folders_and_leaves_the_living() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("runs/dead/some-job-1")).unwrap();
        let living = WorkFolder::open(root.path(), "living").unwrap();
        let run = living.run(JobId::at(chrono::DateTime::UNIX_EPOCH), 1, None).unwrap();
        let _second = WorkFolder::open(root.path(), "second").unwrap();
        assert!(run.path().exists());
        assert!(!root.path().join("runs/dead").exists());
        let path = run.path().to_owned();
        drop(run);
        assert!(!path.exists());
    }

    #[test]
    fn the_cache_keeps_to_its_size() {
        let root = tempfile::tempdir().unwrap();
        let folder = WorkFolder::open(root.path(), "w").unwrap();
        for name in ["a", "b", "c"] {
            fs::write(folder.dataset(name), [0; 10]).unwrap();
        }
        folder.trim_datasets(20);
        assert_eq!(list(&folder.datasets).len(), 2);
        folder.trim_datasets(0);
        assert_eq!(list(&folder.datasets).len(), 0);
    }
}
