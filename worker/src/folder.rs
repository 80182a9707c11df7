//! The work folder: cached datasets, and one folder for each active run. A starting process deletes the folders of dead
//! processes; a live process holds a lock on its folder.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use trainyard_domain::JobId;

const LOCK: &str = ".lock";
/// The model's file, beside the dataset or in the folder where the training process starts.
pub(crate) const MODEL: &str = "model.tym";

/// The file of a part of a prediction's result, in the folder where the process starts.
pub(crate) fn part_name(number: u64) -> String {
    format!("part-{number}.csv")
}

/// The file of a checkpoint of a training, in the folder where the process starts.
pub(crate) fn checkpoint_name(number: u64) -> String {
    format!("checkpoint-{number}.tyc")
}

/// The folder of one worker process.
pub(crate) struct WorkFolder {
    datasets: PathBuf,
    runs: PathBuf,
    /// Locked for the life of the process. An unlocked folder belongs to a dead process.
    _lock: File,
}

impl WorkFolder {
    /// Creates the folder of worker `id` under `root`, and deletes the folders of dead workers.
    pub(crate) fn open(root: &Path, id: &str) -> io::Result<Self> {
        let datasets = root.join("datasets");
        let all_runs = root.join("runs");
        fs::create_dir_all(&datasets)?;
        fs::create_dir_all(&all_runs)?;
        // One start at a time: another process must not delete this folder before it is locked.
        let gate = File::create(root.join(LOCK))?;
        gate.lock()?;
        remove_dead(&all_runs)?;
        // Training processes have other working directories, so the paths must be absolute.
        let runs = all_runs.canonicalize()?.join(id);
        fs::create_dir_all(&runs)?;
        let lock = File::create(runs.join(LOCK))?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Self { datasets: datasets.canonicalize()?, runs, _lock: lock })
    }

    /// Creates the folder of one run. `owner` is the user of its training process; `None` is the worker's user.
    pub(crate) fn run(&self, job: JobId, claim: i64, owner: Option<u32>) -> io::Result<RunFolder> {
        let path = self.runs.join(format!("{job}-{claim}"));
        fs::create_dir_all(&path)?;
        let folder = RunFolder { path, owner };
        fs::create_dir_all(folder.output())?;
        if owner.is_some() {
            // The training process may open its dataset in this folder, and may not list the folder.
            fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o711))?;
            fs::set_permissions(folder.output(), fs::Permissions::from_mode(0o700))?;
            chown(folder.output(), owner, owner)?;
        }
        Ok(folder)
    }

    /// The path of the cached dataset with this digest.
    pub(crate) fn dataset(&self, sha256: &str) -> PathBuf {
        self.datasets.join(format!("{sha256}.csv"))
    }

    /// Deletes the least recently used datasets until at most `max_bytes` are cached.
    pub(crate) fn trim_datasets(&self, max_bytes: u64) {
        let mut cached = list(&self.datasets);
        let mut bytes: u64 = cached.iter().map(|(_, size, _)| size).sum();
        cached.sort_by_key(|(.., used)| *used);
        for (path, size, _) in cached {
            if bytes <= max_bytes {
                return;
            }
            // A run that reads the dataset has its own hard link.
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

/// The folder of one run, deleted when dropped. The training process starts in `output`, the only folder that it may
/// write. The dataset beside `output` is a hard link to the cache. A prediction has its model there, too, and a training
/// that continues its checkpoint.
pub(crate) struct RunFolder {
    path: PathBuf,
    /// The user of the training process, if it is not the worker's user.
    owner: Option<u32>,
}

impl RunFolder {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the dataset.
    pub(crate) fn dataset(&self) -> PathBuf {
        self.path.join("dataset.csv")
    }

    /// The working directory of the training process, which it may write.
    pub(crate) fn output(&self) -> PathBuf {
        self.path.join("output")
    }

    /// The path of the model that a prediction reads.
    pub(crate) fn model(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// The path of the checkpoint from which a training continues.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint.tyc")
    }

    /// The path of a checkpoint that a training writes.
    pub(crate) fn checkpoint_of_run(&self, number: u64) -> PathBuf {
        self.output().join(checkpoint_name(number))
    }

    /// The path of the model that a training writes.
    pub(crate) fn artifact(&self) -> PathBuf {
        self.output().join(MODEL)
    }

    /// The path of a part that a prediction writes.
    pub(crate) fn part(&self, number: u64) -> PathBuf {
        self.output().join(part_name(number))
    }

    /// Gives the group of the training process read access to a file beside `output`.
    pub(crate) fn share(&self, input: &Path) -> io::Result<()> {
        if self.owner.is_none() {
            return Ok(());
        }
        chown(input, None, self.owner)?;
        fs::set_permissions(input, fs::Permissions::from_mode(0o640))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "a run's folder was not deleted; the next start deletes it");
        }
    }
}

/// The path, size and time of last use of every file in `folder`.
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
            tracing::info!("deleting the work folder of a dead worker");
            // Another start may delete it at the same time.
            let _ = fs::remove_dir_all(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_deletes_the_folders_of_dead_workers_only() {
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
    fn the_cache_is_trimmed_to_its_limit() {
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
