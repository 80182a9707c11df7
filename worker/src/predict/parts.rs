//! The parts of one run's result: those of earlier runs, and those that this run stores as they come.
//!
//! A part counts once its row is recorded under the current claim. Its object has a key of this run, so a late run can neither
//! overwrite an object nor record one. A part is read back before it is recorded, and again before a later run continues
//! after it, so the digest of the whole result is that of the stored bytes.

use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use trainyard_artifacts::{ArtifactError, Key};
use trainyard_domain::{FailureCode, Job, JobId};
use trainyard_ml::batch::{self, Counts};
use trainyard_storage::{PredictionPart, StorageError};
use trainyard_telemetry::catalogue;

use crate::fetch::{disk_failure, transfer_failure};
use crate::folder::RunFolder;
use crate::job::RunError;
use crate::protocol::PartDone;
use crate::retry::Retry;
use crate::worker::Worker;

/// Bytes hashed before the task yields.
const STEP: usize = 256 * 1024;

/// A finished result.
pub(crate) struct PredictionResult {
    /// Number of parts.
    pub(crate) parts: u64,
    /// The metrics of the job.
    pub(crate) metrics: serde_json::Value,
}

/// The stored parts of a job's result.
pub(crate) struct Parts<'w> {
    worker: &'w Worker,
    folder: &'w RunFolder,
    job: JobId,
    claim: i64,
    count: u64,
    rows: u64,
    bytes: u64,
    digest: Sha256,
    counts: Counts,
}

impl<'w> Parts<'w> {
    /// The parts that earlier runs have recorded, up to the first one that the store no longer has as it was written. The
    /// records of that one and all later ones are removed.
    pub(crate) async fn resume(worker: &'w Worker, job: &Job, folder: &'w RunFolder) -> Result<Self, RunError> {
        let mut parts = Self {
            worker,
            folder,
            job: job.id,
            claim: job.claim,
            count: 0,
            rows: 0,
            bytes: 0,
            digest: Sha256::new(),
            counts: Counts::default(),
        };
        let mut retry = Retry::for_at_most(worker.config.storage_timeout());
        let recorded = parts.recorded(&mut retry).await?;
        let total = recorded.len() as u64;
        for part in recorded {
            if !parts.accept(part, &mut retry).await? {
                break;
            }
        }
        if parts.count < total {
            tracing::warn!(
                kept = parts.count,
                of = total,
                "stored parts of the result are lost; they are predicted again"
            );
            parts.truncate(&mut retry).await?;
        }
        Ok(parts)
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The whole result. `warnings` are those that concern every row.
    pub(crate) fn finish(self, warnings: Vec<String>) -> PredictionResult {
        let sha256 = hex::encode(self.digest.finalize());
        let metrics = batch::metrics(self.rows, self.bytes, &sha256, warnings, &self.counts);
        PredictionResult { parts: self.count, metrics }
    }

    /// Stores a part that the process of this run has written, records it, and deletes its file.
    pub(crate) async fn store(&mut self, part: PartDone) -> Result<(), RunError> {
        if part.number != self.count {
            return Err(changed());
        }
        let file = self.folder.part(part.number);
        let key = Key::prediction_part(self.job, self.claim, number(part.number));
        let mut retry = Retry::for_at_most(self.worker.config.storage_timeout());
        self.upload(&key, &file, &part, &mut retry).await?;
        let record = PredictionPart {
            number: number(part.number),
            key: key.as_str().to_owned(),
            rows: number(part.rows),
            bytes: number(part.size),
            sha256: part.sha256,
            counts: serde_json::to_value(&part.counts).unwrap_or_default(),
        };
        if !self.record(&record, &mut retry).await? {
            // The row was not written, so the object is an orphan.
            let _ = self.worker.deps.store.delete(&key).await;
            return Err(RunError::Fenced);
        }
        self.add_stored(&part.counts, part.rows, part.size).await?;
        metrics::counter!(catalogue::PREDICTIONS_ROWS_TOTAL).increment(part.rows);
        std::fs::remove_file(&file).map_err(|error| disk_failure(&error))
    }

    /// Uploads a file and reads it back.
    async fn upload(&self, key: &Key, file: &Path, part: &PartDone, retry: &mut Retry) -> Result<(), RunError> {
        loop {
            match self.try_upload(key, file, part).await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    // A part that this run refuses must not stay readable. The sweep deletes it if this fails.
                    let _ = self.worker.deps.store.delete(key).await;
                    return Err(changed());
                }
                Err(error) if error.is_retryable() && retry.wait().await => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a part of the result is not stored yet");
                }
                Err(error) => return Err(transfer_failure("a part of the result could not be stored", &error)),
            }
        }
    }

    /// Uploads once; `false` if the file differs from the report of the process.
    async fn try_upload(&self, key: &Key, file: &Path, part: &PartDone) -> Result<bool, ArtifactError> {
        // Without Landlock, a training process can put a link to another file here.
        if !std::fs::symlink_metadata(file).is_ok_and(|file| file.is_file()) {
            return Ok(false);
        }
        let stored = self.worker.deps.store.put_file(key, file).await?;
        if stored.sha256 != part.sha256 || stored.size != part.size {
            return Ok(false);
        }
        self.download(key, &part.sha256, part.size).await?;
        Ok(true)
    }

    /// Downloads a part to the run's folder.
    async fn download(&self, key: &Key, sha256: &str, size: u64) -> Result<(), ArtifactError> {
        self.worker.deps.store.get_to_file(key, sha256, &self.folder.path().join(COPY), size).await
    }

    /// Adds a recorded part of an earlier run; `false` if its object is lost.
    async fn accept(&mut self, part: PredictionPart, retry: &mut Retry) -> Result<bool, RunError> {
        let (Ok(key), Ok(counts)) = (Key::parse(&part.key), serde_json::from_value::<Counts>(part.counts)) else {
            return Ok(false);
        };
        let (rows, size) = (part.rows.unsigned_abs(), part.bytes.unsigned_abs());
        if part.number.unsigned_abs() != self.count {
            return Ok(false);
        }
        loop {
            match self.download(&key, &part.sha256, size).await {
                Ok(()) => break,
                Err(
                    ArtifactError::NotFound | ArtifactError::DigestMismatch { .. } | ArtifactError::TooLarge { .. },
                ) => return Ok(false),
                Err(error) if error.is_retryable() && retry.wait().await => {}
                Err(error) => return Err(transfer_failure("a part of the result could not be read", &error)),
            }
        }
        self.add_stored(&counts, rows, size).await?;
        Ok(true)
    }

    /// Adds the part that was downloaded last.
    async fn add_stored(&mut self, counts: &Counts, rows: u64, bytes: u64) -> Result<(), RunError> {
        let copy = self.folder.path().join(COPY);
        let digest = hash(self.digest.clone(), &copy).await.map_err(|error| disk_failure(&error))?;
        self.digest = digest;
        self.counts.add(counts);
        self.count += 1;
        self.rows += rows;
        self.bytes += bytes;
        Ok(())
    }

    async fn recorded(&self, retry: &mut Retry) -> Result<Vec<PredictionPart>, RunError> {
        let read = async || self.worker.deps.db.read().await?.predictions().parts(self.job).await;
        loop {
            match read().await {
                Ok(parts) => return Ok(parts),
                Err(error) => wait(&error, retry).await?,
            }
        }
    }

    /// Returns `false` if the claim is no longer current.
    async fn record(&self, part: &PredictionPart, retry: &mut Retry) -> Result<bool, RunError> {
        let record = async || {
            let mut tx = self.worker.deps.db.begin().await?;
            let is_current = tx.predictions().record_part(self.job, self.claim, part).await?;
            tx.commit().await.map(|()| is_current)
        };
        loop {
            match record().await {
                Ok(is_current) => return Ok(is_current),
                Err(error) => wait(&error, retry).await?,
            }
        }
    }

    /// Removes the records after the parts of this value.
    async fn truncate(&self, retry: &mut Retry) -> Result<(), RunError> {
        let truncate = async || {
            let mut tx = self.worker.deps.db.begin().await?;
            let is_current = tx.predictions().truncate(self.job, self.claim, number(self.count)).await?;
            tx.commit().await.map(|()| is_current)
        };
        loop {
            match truncate().await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(RunError::Fenced),
                Err(error) => wait(&error, retry).await?,
            }
        }
    }
}

/// Waits before the next attempt of a statement, or returns why there is none.
async fn wait(error: &StorageError, retry: &mut Retry) -> Result<(), RunError> {
    if error.is_retryable() && retry.wait().await {
        return Ok(());
    }
    tracing::warn!(error = error as &dyn std::error::Error, "the parts of the result can't be recorded");
    let message = "the database was not available to record a part of the result";
    Err(RunError::failed(FailureCode::StorageUnavailable, message))
}

/// The copy of the last part, as the store has it.
const COPY: &str = "stored.csv";

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn changed() -> RunError {
    RunError::failed(FailureCode::Internal, "a part of the result changed between prediction and upload")
}

/// Adds the bytes of a file to a digest.
async fn hash(mut digest: Sha256, path: &Path) -> std::io::Result<Sha256> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut buffer = vec![0; STEP];
    loop {
        match file.read(&mut buffer).await? {
            0 => return Ok(digest),
            read => digest.update(&buffer[..read]),
        }
    }
}
