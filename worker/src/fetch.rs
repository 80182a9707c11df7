//! Loads a job's dataset into the work folder, from the cache or the object store, and maps errors of disks and object
//! stores to job errors.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use trainyard_artifacts::{ArtifactError, Key};
use trainyard_domain::{Dataset, FailureCode, Job};
use trainyard_storage::StorageError;

use crate::folder::RunFolder;
use crate::job::RunError;
use crate::retry::Retry;
use crate::worker::Worker;

/// Most downloads of a dataset whose digest differs from the upload's.
const MAX_DOWNLOADS: u32 = 3;

/// Loads the job's dataset into the run's folder and returns its row. Retries while the store or the database is away.
pub(crate) async fn dataset(worker: &Worker, job: &Job, folder: &RunFolder) -> Result<Dataset, RunError> {
    let mut retry = Retry::for_at_most(worker.config.storage_timeout());
    let dataset = read_row(worker, job, &mut retry).await?;
    let cached = worker.folder.dataset(&dataset.sha256);
    if is_complete(&cached, &dataset) && fs::hard_link(&cached, folder.dataset()).is_ok() {
        touch(&cached);
        return Ok(dataset);
    }
    download(worker, &dataset, folder, &mut retry).await?;
    // The cache only saves a download, so errors are ignored. A link is atomic.
    let _ = fs::remove_file(&cached);
    let _ = fs::hard_link(folder.dataset(), &cached);
    worker.folder.trim_datasets(worker.config.dataset_cache_mb << 20);
    Ok(dataset)
}

async fn read_row(worker: &Worker, job: &Job, retry: &mut Retry) -> Result<Dataset, RunError> {
    let read = async || {
        let mut tx = worker.deps.db.read().await?;
        tx.datasets().get(job.dataset_id).await
    };
    loop {
        match read().await {
            Ok(Some(dataset)) => return Ok(dataset),
            Ok(None) => return Err(RunError::failed(FailureCode::DatasetMissing, "the dataset was deleted")),
            Err(error) if error.is_retryable() && retry.wait().await => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

fn unreadable(error: &StorageError) -> RunError {
    tracing::warn!(error = error as &dyn std::error::Error, "the dataset's row can't be read");
    RunError::failed(FailureCode::StorageUnavailable, "the dataset's row could not be read from the database")
}

async fn download(worker: &Worker, dataset: &Dataset, folder: &RunFolder, retry: &mut Retry) -> Result<(), RunError> {
    let key = Key::parse(&dataset.storage_key).map_err(|error| {
        tracing::error!(%error, "the dataset's storage key is invalid");
        RunError::failed(FailureCode::Internal, "the dataset's storage key is invalid")
    })?;
    let max_bytes = u64::try_from(dataset.bytes).unwrap_or(0);
    let mut downloads = 0;
    loop {
        let error = match worker.deps.store.get_to_file(&key, &dataset.sha256, &folder.dataset(), max_bytes).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        downloads += 1;
        // A wrong digest can come from a broken transfer.
        let may_differ = matches!(error, ArtifactError::DigestMismatch { .. }) && downloads < MAX_DOWNLOADS;
        if !(error.is_retryable() || may_differ) || !retry.wait().await {
            let lost = permanent_failure(&error);
            return Err(lost.unwrap_or_else(|| transfer_failure("the dataset could not be loaded", &error)));
        }
        tracing::warn!(error = &error as &dyn std::error::Error, "the dataset is not loaded yet");
    }
}

/// The error for a dataset that must be uploaded again, because no further attempt can load it.
fn permanent_failure(error: &ArtifactError) -> Option<RunError> {
    let (code, what) = match error {
        ArtifactError::NotFound => (FailureCode::DatasetMissing, "the dataset is missing in the object store"),
        ArtifactError::DigestMismatch { .. } | ArtifactError::TooLarge { .. } => {
            (FailureCode::DatasetCorrupt, "the dataset in the object store differs from the upload")
        }
        _ => return None,
    };
    tracing::error!(error = error as &dyn std::error::Error, code = code.as_str(), "{what}");
    Some(RunError::failed(code, format!("{what}; upload it again and submit a new job")))
}

/// The job error for a failed transfer. `what` names the failed step.
pub(crate) fn transfer_failure(what: &str, error: &ArtifactError) -> RunError {
    tracing::warn!(error = error as &dyn std::error::Error, what, "a transfer failed");
    if error.is_disk_full() {
        return RunError::failed(FailureCode::DiskFull, format!("{what}: the disk is full"));
    }
    let (code, why) = match error {
        ArtifactError::Io(_) => (FailureCode::DiskFull, "the work folder can't be written"),
        ArtifactError::NotFound => (FailureCode::StorageUnavailable, "the object is missing in the object store"),
        ArtifactError::DigestMismatch { .. } => (FailureCode::StorageUnavailable, "the object's digest is wrong"),
        ArtifactError::TooLarge { .. } => (FailureCode::StorageUnavailable, "the object is larger than expected"),
        ArtifactError::Full(_) => (FailureCode::StorageUnavailable, "the object store is full"),
        ArtifactError::Denied(_) => (
            FailureCode::StorageUnavailable,
            "the object store refuses access; check the worker's credentials and their permissions",
        ),
        ArtifactError::NoBucket(_) => (
            FailureCode::StorageUnavailable,
            "the object store's bucket or folder does not exist; check artifacts.url (ARTIFACT_URL)",
        ),
        ArtifactError::Unavailable(_) | ArtifactError::BadUrl(_) => {
            (FailureCode::StorageUnavailable, "the object store is not available")
        }
    };
    RunError::failed(code, format!("{what}: {why}"))
}

/// The job error for a work folder that can't be used.
pub(crate) fn disk_failure(error: &io::Error) -> RunError {
    tracing::warn!(%error, "the work folder can't be used");
    let message = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk of the work folder is full",
        _ => "the work folder can't be written",
    };
    RunError::failed(FailureCode::DiskFull, message)
}

fn is_complete(cached: &Path, dataset: &Dataset) -> bool {
    fs::metadata(cached).is_ok_and(|found| u64::try_from(dataset.bytes) == Ok(found.len()))
}

/// Updates a cached file's time of use, for [`crate::folder::WorkFolder::trim_datasets`].
fn touch(cached: &Path) {
    let _ = File::open(cached).and_then(|file| file.set_modified(SystemTime::now()));
}
