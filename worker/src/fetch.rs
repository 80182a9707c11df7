//! Brings a job's data set to the work folder, from the cache where it is there, and names what can go wrong with disks
//! and object stores in the job's terms.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use trainyard_artifacts::{ArtifactError, Key};
use trainyard_domain::{Dataset, FailureCode, Job};
use trainyard_storage::StorageError;

use crate::folder::RunFolder;
use crate::job::Unfinished;
use crate::patience::Patience;
use crate::worker::Worker;

/// Downloads of a data set whose bytes differ from those that were uploaded.
const MAX_DOWNLOADS: u32 = 3;

/// Puts the job's data set into its folder and returns the data's digest.
///
/// # Errors
/// [`Unfinished`], after trying on for a while where the store or the database is away.
pub(crate) async fn dataset(worker: &Worker, job: &Job, folder: &RunFolder) -> Result<String, Unfinished> {
    let mut patience = Patience::new(worker.config.storage_patience());
    let dataset = describe(worker, job, &mut patience).await?;
    let cached = worker.folder.dataset(&dataset.sha256);
    if is_whole(&cached, &dataset) && fs::hard_link(&cached, folder.dataset()).is_ok() {
        touch(&cached);
        return Ok(dataset.sha256);
    }
    download(worker, &dataset, folder, &mut patience).await?;
    // The cache only saves a download, so it may fail; a link appears whole or not at all.
    let _ = fs::remove_file(&cached);
    let _ = fs::hard_link(folder.dataset(), &cached);
    worker.folder.trim_datasets(worker.config.dataset_cache_mb << 20);
    Ok(dataset.sha256)
}

async fn describe(worker: &Worker, job: &Job, patience: &mut Patience) -> Result<Dataset, Unfinished> {
    let read = async || {
        let mut tx = worker.deps.db.read().await?;
        tx.datasets().get(job.dataset_id).await
    };
    loop {
        match read().await {
            Ok(Some(dataset)) => return Ok(dataset),
            Ok(None) => return Err(Unfinished::failed(FailureCode::DatasetMissing, "the data set was deleted")),
            Err(error) if error.is_retryable() && patience.wait().await => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

fn unreadable(error: &StorageError) -> Unfinished {
    tracing::warn!(error = error as &dyn std::error::Error, "the data set's row can't be read");
    Unfinished::failed(FailureCode::StorageUnavailable, "the database did not tell where the data set is")
}

async fn download(
    worker: &Worker,
    dataset: &Dataset,
    folder: &RunFolder,
    patience: &mut Patience,
) -> Result<(), Unfinished> {
    let key = Key::parse(&dataset.storage_key).map_err(|error| {
        tracing::error!(%error, "the data set's key can't be read");
        Unfinished::failed(FailureCode::Internal, "the data set's place is not known")
    })?;
    let max_bytes = u64::try_from(dataset.bytes).unwrap_or(0);
    let mut downloads = 0;
    loop {
        let error = match worker.deps.store.get_to_file(&key, &dataset.sha256, &folder.dataset(), max_bytes).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        downloads += 1;
        // Other bytes than were stored can be a broken transfer.
        let may_differ = matches!(error, ArtifactError::DigestMismatch { .. }) && downloads < MAX_DOWNLOADS;
        if !(error.is_retryable() || may_differ) || !patience.wait().await {
            return Err(lost(&error).unwrap_or_else(|| failure("the data set could not be loaded", &error)));
        }
        tracing::warn!(error = &error as &dyn std::error::Error, "the data set is not loaded yet");
    }
}

/// A data set that no further attempt will find: it has to be uploaded again.
fn lost(error: &ArtifactError) -> Option<Unfinished> {
    let (code, what) = match error {
        ArtifactError::NotFound => (FailureCode::DatasetMissing, "the data set is gone from the object store"),
        ArtifactError::DigestMismatch { .. } | ArtifactError::TooLarge { .. } => {
            (FailureCode::DatasetCorrupt, "the data set in the object store is not what was uploaded")
        }
        _ => return None,
    };
    tracing::error!(error = error as &dyn std::error::Error, code = code.as_str(), "{what}");
    Some(Unfinished::failed(code, format!("{what}; upload it again and submit a new job")))
}

/// A failed transfer as the job's failure. `what` says what could not be done.
pub(crate) fn failure(what: &str, error: &ArtifactError) -> Unfinished {
    tracing::warn!(error = error as &dyn std::error::Error, what, "a transfer failed");
    if error.is_disk_full() {
        return Unfinished::failed(FailureCode::DiskFull, format!("{what}: the disk is full"));
    }
    let (code, why) = match error {
        ArtifactError::Io(_) => (FailureCode::DiskFull, "the work folder can't be written"),
        ArtifactError::NotFound => (FailureCode::StorageUnavailable, "the object store does not have it"),
        ArtifactError::DigestMismatch { .. } => (FailureCode::StorageUnavailable, "its digest is wrong"),
        ArtifactError::TooLarge { .. } => (FailureCode::StorageUnavailable, "it is larger than it was"),
        ArtifactError::Full(_) => (FailureCode::StorageUnavailable, "the object store is full"),
        ArtifactError::Denied(_) => (
            FailureCode::StorageUnavailable,
            "the object store refuses access; check the worker's credentials and their permissions",
        ),
        ArtifactError::NoBucket(_) => (
            FailureCode::StorageUnavailable,
            "the object store's bucket or folder is not there; check artifacts.url (ARTIFACT_URL)",
        ),
        ArtifactError::Unavailable(_) | ArtifactError::BadUrl(_) => {
            (FailureCode::StorageUnavailable, "the object store is not available")
        }
    };
    Unfinished::failed(code, format!("{what}: {why}"))
}

/// Trouble with the work folder as the job's failure.
pub(crate) fn disk(error: &io::Error) -> Unfinished {
    tracing::warn!(%error, "the work folder can't be used");
    let message = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk of the work folder is full",
        _ => "the work folder can't be written",
    };
    Unfinished::failed(FailureCode::DiskFull, message)
}

fn is_whole(cached: &Path, dataset: &Dataset) -> bool {
    fs::metadata(cached).is_ok_and(|found| u64::try_from(dataset.bytes) == Ok(found.len()))
}

/// Marks a cached file as used, for [`crate::folder::WorkFolder::trim_datasets`].
fn touch(cached: &Path) {
    let _ = File::open(cached).and_then(|file| file.set_modified(SystemTime::now()));
}
