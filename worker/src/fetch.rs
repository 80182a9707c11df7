//! Loads the inputs of a job into the work folder: the dataset, from the cache or the object store, and the model of a
//! prediction. Maps errors of disks and object stores to job errors.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use trainyard_artifacts::{ArtifactError, Key};
use trainyard_domain::{Dataset, FailureCode, Job, ModelVersion, Prediction};
use trainyard_storage::StorageError;

use crate::folder::RunFolder;
use crate::job::RunError;
use crate::retry::Retry;
use crate::worker::Worker;

/// Most downloads of a dataset whose digest differs from the upload's.
const MAX_DOWNLOADS: u32 = 3;

/// An input of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Dataset,
    Model,
}

impl Input {
    fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Model => "model",
        }
    }
}

/// An object to load.
struct Object<'o> {
    input: Input,
    key: &'o str,
    sha256: &'o str,
    bytes: i64,
}

/// Loads the job's inputs into the run's folder, where its process may read them. Returns the row of the dataset.
pub(crate) async fn inputs(worker: &Worker, job: &Job, folder: &RunFolder) -> Result<Dataset, RunError> {
    let dataset = dataset(worker, job, folder).await?;
    folder.share(&folder.dataset()).map_err(|error| disk_failure(&error))?;
    if let Some(prediction) = job.spec.prediction() {
        model(worker, job, prediction, folder).await?;
        folder.share(&folder.model()).map_err(|error| disk_failure(&error))?;
    }
    Ok(dataset)
}

/// Loads the job's dataset into the run's folder and returns its row. Retries while the store or the database is away.
async fn dataset(worker: &Worker, job: &Job, folder: &RunFolder) -> Result<Dataset, RunError> {
    let mut retry = Retry::for_at_most(worker.config.storage_timeout());
    let dataset = read_row(worker, job, &mut retry).await?;
    let cached = worker.folder.dataset(&dataset.sha256);
    if is_complete(&cached, &dataset) && fs::hard_link(&cached, folder.dataset()).is_ok() {
        touch(&cached);
        return Ok(dataset);
    }
    let (key, sha256) = (dataset.storage_key.as_str(), dataset.sha256.as_str());
    let object = Object { input: Input::Dataset, key, sha256, bytes: dataset.bytes };
    download(worker, &object, &folder.dataset(), &mut retry).await?;
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
            Err(error) => return Err(unreadable(Input::Dataset, &error)),
        }
    }
}

/// Loads the model of a prediction into the run's folder.
async fn model(worker: &Worker, job: &Job, prediction: &Prediction, folder: &RunFolder) -> Result<(), RunError> {
    let mut retry = Retry::for_at_most(worker.config.storage_timeout());
    let version = read_version(worker, job, prediction, &mut retry).await?;
    let (key, sha256) = (version.artifact_key.as_str(), version.sha256.as_str());
    let object = Object { input: Input::Model, key, sha256, bytes: version.size };
    download(worker, &object, &folder.model(), &mut retry).await
}

async fn read_version(
    worker: &Worker,
    job: &Job,
    prediction: &Prediction,
    retry: &mut Retry,
) -> Result<ModelVersion, RunError> {
    let read = async || {
        let mut tx = worker.deps.db.read().await?;
        tx.models().version(&job.spec.name, prediction.version).await
    };
    loop {
        match read().await {
            Ok(Some(version)) => return Ok(version),
            Ok(None) => {
                let message = format!("version {} of the model '{}' was deleted", prediction.version, job.spec.name);
                return Err(RunError::failed(FailureCode::ModelMissing, message));
            }
            Err(error) if error.is_retryable() && retry.wait().await => {}
            Err(error) => return Err(unreadable(Input::Model, &error)),
        }
    }
}

fn unreadable(input: Input, error: &StorageError) -> RunError {
    let input = input.name();
    tracing::warn!(error = error as &dyn std::error::Error, input, "the row of an input can't be read");
    RunError::failed(FailureCode::StorageUnavailable, format!("the {input}'s row could not be read from the database"))
}

async fn download(worker: &Worker, object: &Object<'_>, path: &Path, retry: &mut Retry) -> Result<(), RunError> {
    let input = object.input.name();
    let key = Key::parse(object.key).map_err(|error| {
        tracing::error!(%error, input, "a storage key is invalid");
        RunError::failed(FailureCode::Internal, format!("the {input}'s storage key is invalid"))
    })?;
    let max_bytes = u64::try_from(object.bytes).unwrap_or(0);
    let mut downloads = 0;
    loop {
        let error = match worker.deps.store.get_to_file(&key, object.sha256, path, max_bytes).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        downloads += 1;
        // A wrong digest can come from a broken transfer.
        let may_differ = matches!(error, ArtifactError::DigestMismatch { .. }) && downloads < MAX_DOWNLOADS;
        if !(error.is_retryable() || may_differ) || !retry.wait().await {
            let lost = permanent_failure(object.input, &error);
            return Err(lost.unwrap_or_else(|| transfer_failure(&format!("the {input} could not be loaded"), &error)));
        }
        tracing::warn!(error = &error as &dyn std::error::Error, input, "an input is not loaded yet");
    }
}

/// The error for an input that must be made again, because no further attempt can load it.
fn permanent_failure(input: Input, error: &ArtifactError) -> Option<RunError> {
    let is_missing = match error {
        ArtifactError::NotFound => true,
        ArtifactError::DigestMismatch { .. } | ArtifactError::TooLarge { .. } => false,
        _ => return None,
    };
    let (code, what) = match (input, is_missing) {
        (Input::Dataset, true) => (FailureCode::DatasetMissing, "the dataset is missing in the object store"),
        (Input::Dataset, false) => {
            (FailureCode::DatasetCorrupt, "the dataset in the object store differs from the upload")
        }
        (Input::Model, true) => (FailureCode::ModelMissing, "the model is missing in the object store"),
        (Input::Model, false) => {
            (FailureCode::ModelCorrupt, "the model in the object store differs from the published one")
        }
    };
    tracing::error!(error = error as &dyn std::error::Error, code = code.as_str(), "{what}");
    let next = match input {
        Input::Dataset => "upload it again and submit a new job",
        Input::Model => "train a new version and submit a new job",
    };
    Some(RunError::failed(code, format!("{what}; {next}")))
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
