//! The checkpoints of one run of a training job: that of an earlier run, which the process continues from, and those that the
//! process writes, which are stored as they come.
//!
//! A checkpoint counts once its row is recorded under the current claim. Its object has a key of this run, so a late run can
//! neither overwrite an object nor record one. Checkpoints only save time: no failure of the store or the database, and no
//! damaged checkpoint fails a run.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use trainyard_artifacts::Key;
use trainyard_domain::{Algorithm, Job, JobId, LogLevel};
use trainyard_ml::checkpoint::is_supported;
use trainyard_storage::{Checkpoint, RecordOutcome};

use crate::active_runs::StopSignal;
use crate::folder::RunFolder;
use crate::job_metrics;
use crate::progress::Progress;
use crate::protocol::{CheckpointDone, CheckpointTask};
use crate::retry::Retry;
use crate::sandbox::CHECKPOINT;
use crate::worker::Worker;

/// How long a succeeded run waits for a checkpoint that is being stored and for its deletion.
const DISCARD_LIMIT: Duration = Duration::from_secs(10);
/// As [`DISCARD_LIMIT`], while the worker drains: the process ends soon, and the sweep also deletes checkpoints.
const DRAINED_DISCARD_LIMIT: Duration = Duration::from_secs(1);

/// The checkpoints of one run.
pub(crate) struct Checkpoints<'w> {
    worker: &'w Worker,
    folder: &'w RunFolder,
    job: JobId,
    claim: i64,
    /// Whether this run writes checkpoints.
    is_enabled: bool,
    /// Whether the checkpoint of an earlier run is in the run's folder.
    has_earlier: bool,
    /// The object of the last recorded checkpoint.
    last: Option<Key>,
    /// Whether the model is published.
    is_published: bool,
    /// The checkpoint that is being stored.
    storing: Option<Storing<'w>>,
}

struct Storing<'w> {
    done: CheckpointDone,
    /// The key of the recorded object.
    result: BoxFuture<'w, Result<Key, NotStored>>,
}

/// Why a checkpoint is not stored.
enum NotStored {
    /// Another claim owns the job.
    Fenced,
    Failed(anyhow::Error),
}

impl<'w> Checkpoints<'w> {
    /// Loads the last checkpoint of earlier runs, if there is one, into the run's folder.
    pub(crate) async fn open(
        worker: &'w Worker,
        job: &Job,
        algorithm: Algorithm,
        folder: &'w RunFolder,
        progress: &Progress,
    ) -> Self {
        let is_enabled = worker.config.checkpoint_interval_s > 0 && is_supported(algorithm);
        let mut checkpoints = Self {
            worker,
            folder,
            job: job.id,
            claim: job.claim,
            is_enabled,
            has_earlier: false,
            last: None,
            is_published: false,
            storing: None,
        };
        // The first run of a job has none, and costs no query.
        if is_enabled
            && job.claim > 1
            && let Err(error) = checkpoints.load().await
        {
            job_metrics::record_resume(false);
            tracing::warn!(error = &*error, "the checkpoint of an earlier run can't be loaded");
            let message =
                "the checkpoint of an earlier run is lost or can't be read; training starts from the beginning";
            progress.log(LogLevel::Warning, message);
        }
        checkpoints
    }

    /// What the process needs; `None` without checkpoints.
    pub(crate) fn task(&self) -> Option<CheckpointTask> {
        self.is_enabled.then(|| CheckpointTask {
            interval_s: self.worker.config.checkpoint_interval_s,
            max_bytes: self.worker.config.checkpoint_limit(),
            earlier: self.has_earlier.then(|| CHECKPOINT.into()),
        })
    }

    /// Whether this run writes checkpoints.
    pub(crate) fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Starts to store a checkpoint that the process has written. The one before is stored first.
    pub(crate) async fn store(&mut self, done: CheckpointDone) {
        if self.storing.is_some() {
            self.stored().await;
        }
        let key = Key::checkpoint(self.job, self.claim, i64::try_from(done.number).unwrap_or(i64::MAX));
        let file = self.folder.checkpoint_of_run(done.number);
        let result = store(self.worker, self.job, self.claim, key, file).boxed();
        self.storing = Some(Storing { done, result });
    }

    /// Waits until the current checkpoint is stored or can't be stored, and returns whether it was the last one of the process.
    /// Never returns while no checkpoint is being stored. Dropping the future loses nothing.
    pub(crate) async fn stored(&mut self) -> bool {
        let Some(Storing { result, .. }) = &mut self.storing else { return std::future::pending().await };
        let result = result.await;
        let done = self.storing.take().map(|storing| storing.done);
        job_metrics::record_checkpoint(result.is_ok(), done.as_ref().map_or(0, |done| done.size));
        let work = done.as_ref().map_or("", |done| &done.done);
        match result {
            Ok(key) => {
                tracing::debug!(work, "stored a checkpoint");
                self.last = Some(key);
            }
            Err(NotStored::Fenced) if self.is_published => {}
            // The run is stopped as soon as the worker knows of the other claim.
            Err(NotStored::Fenced) => job_metrics::record_fenced_write(),
            Err(NotStored::Failed(error)) => tracing::warn!(error = &*error, work, "a checkpoint was not stored"),
        }
        done.is_some_and(|done| done.is_last)
    }

    /// Waits for the checkpoint that is being stored, if there is one.
    pub(crate) async fn finish(&mut self) {
        if self.storing.is_some() {
            self.stored().await;
        }
    }

    /// Deletes the last checkpoint of a job that has succeeded. The sweep deletes the object if this fails.
    pub(crate) async fn discard(mut self, stop: &StopSignal) {
        let limit = if stop.get().is_some() { DRAINED_DISCARD_LIMIT } else { DISCARD_LIMIT };
        // A checkpoint that is stored now is not recorded any more, and its object is deleted.
        self.is_published = true;
        let removed = async {
            self.finish().await;
            let Some(key) = self.last.take() else { return Ok(()) };
            let mut tx = self.worker.deps.db.begin().await?;
            tx.checkpoints().remove(self.job).await?;
            tx.commit().await?;
            self.worker.deps.store.delete(&key).await?;
            anyhow::Ok(())
        };
        match tokio::time::timeout(limit, removed).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(error = &*error, "the last checkpoint is left to the sweep"),
            Err(_) => tracing::debug!("the last checkpoint is left to the sweep: its deletion takes too long"),
        }
    }

    async fn load(&mut self) -> anyhow::Result<()> {
        let mut retry = Retry::for_at_most(self.worker.config.storage_timeout());
        let last = async || self.worker.deps.db.read().await?.checkpoints().last(self.job).await;
        let checkpoint = loop {
            match last().await {
                Ok(checkpoint) => break checkpoint,
                Err(error) if error.is_retryable() && retry.wait().await => {}
                Err(error) => return Err(error.into()),
            }
        };
        let Some(Checkpoint { key, bytes, sha256 }) = checkpoint else { return Ok(()) };
        let (key, size) = (Key::parse(&key)?, u64::try_from(bytes)?);
        // Also if the object is damaged, so that it is deleted at last.
        self.last = Some(key.clone());
        let path = self.folder.checkpoint();
        loop {
            match self.worker.deps.store.get_to_file(&key, &sha256, &path, size).await {
                Ok(()) => break,
                Err(error) if error.is_retryable() && retry.wait().await => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.folder.share(&path)?;
        self.has_earlier = true;
        Ok(())
    }
}

/// Uploads a checkpoint, records it, and deletes the one before and the file.
async fn store(worker: &Worker, job: JobId, claim: i64, key: Key, file: PathBuf) -> Result<Key, NotStored> {
    let stored = upload_and_record(worker, job, claim, &key, &file).await;
    if let Err(error) = std::fs::remove_file(&file) {
        tracing::debug!(%error, "the file of a checkpoint is deleted with the run's folder");
    }
    let (unused, result) = match stored {
        Ok(RecordOutcome::Stored { replaced }) => (replaced.and_then(|key| Key::parse(&key).ok()), Ok(key)),
        Ok(RecordOutcome::Fenced) => (Some(key), Err(NotStored::Fenced)),
        // The transaction may have been committed, so the object may be the last checkpoint.
        Err(error) => (None, Err(NotStored::Failed(error))),
    };
    if let Some(unused) = unused {
        // The sweep deletes it if this fails.
        let _ = worker.deps.store.delete(&unused).await;
    }
    result
}

async fn upload_and_record(
    worker: &Worker,
    job: JobId,
    claim: i64,
    key: &Key,
    file: &Path,
) -> anyhow::Result<RecordOutcome> {
    // Without Landlock, a training process can put a link to another file here, or a pipe, whose opening would wait.
    let file = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(file)?;
    let found = file.metadata()?;
    anyhow::ensure!(found.is_file(), "the checkpoint is not a file");
    anyhow::ensure!(found.len() <= worker.config.checkpoint_limit(), "the checkpoint has {} bytes", found.len());
    let stored = worker.deps.store.put_open_file(key, file).await?;
    anyhow::ensure!(stored.size == found.len(), "the checkpoint has changed while it was stored");
    let bytes = i64::try_from(stored.size)?;
    let checkpoint = Checkpoint { key: key.as_str().to_owned(), bytes, sha256: stored.sha256 };
    let mut tx = worker.deps.db.begin().await?;
    let recorded = tx.checkpoints().record(job, claim, &checkpoint).await?;
    tx.commit().await?;
    Ok(recorded)
}
