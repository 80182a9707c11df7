//! Loads a version: disk cache or object store → digest → decode and self-test → warm-up. The number of concurrent
//! loads is limited. The CPU work of each load runs on a new thread: mimalloc keeps the free memory of a thread until the thread
//! ends, so each thread of a pool would keep the memory of the largest load that it has run.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Map;
use tokio::sync::{Semaphore, oneshot};
use trainyard_artifacts::{ArtifactError, Key as ArtifactKey, Store};
use trainyard_ml::predict::Predictor;

use crate::cache::DiskCache;
use crate::catch_panic::Panicked;
use crate::config::InferenceConfig;
use crate::failures::Backoff;
use crate::loaded_model::LoadedModel;
use crate::model_record::ModelRecord;
use crate::version_series::VersionSeries;

/// An error while a version is loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The object store failed, or returned bytes with another digest.
    #[error("the artifact could not be fetched")]
    Fetch(#[from] ArtifactError),
    /// The digest is right, but the artifact is not a valid model.
    #[error("the artifact is not a model that this version of Trainyard can load")]
    Invalid(#[from] trainyard_ml::artifact::ArtifactError),
    /// The warm-up prediction failed.
    #[error("the model failed its first prediction: {0}")]
    WarmUp(String),
    /// The database contains an invalid object key.
    #[error("the database contains an invalid object key")]
    BadKey(#[from] trainyard_artifacts::BadKey),
    /// Decoding panicked. The panic hook has logged the location.
    #[error("loading stopped unexpectedly")]
    Stopped,
    /// The operating system refused a new thread.
    #[error("the thread that loads the model could not be started")]
    Thread(#[source] std::io::Error),
    /// Fetching panicked.
    #[error("loading {0}")]
    Panicked(#[from] Panicked),
}

impl LoadError {
    /// The label value in the metrics.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Fetch(ArtifactError::DigestMismatch { .. }) => "digest_mismatch",
            Self::Fetch(ArtifactError::NotFound) => "not_found",
            Self::Fetch(_) | Self::Thread(_) => "unavailable",
            Self::Invalid(_) | Self::WarmUp(_) | Self::BadKey(_) => "invalid",
            Self::Stopped | Self::Panicked(_) => "panicked",
        }
    }

    /// The backoff after this error. A wrong digest may be a failed transfer, so the backoff is short.
    pub(crate) fn backoff(&self) -> Backoff {
        match self {
            Self::Fetch(_) | Self::Thread(_) => Backoff::Short,
            Self::Invalid(_) | Self::WarmUp(_) | Self::BadKey(_) | Self::Stopped | Self::Panicked(_) => Backoff::Long,
        }
    }
}

/// Loads versions. Clones share the limits.
#[derive(Clone)]
pub(crate) struct Loader {
    store: Store,
    cache: DiskCache,
    permits: Arc<Semaphore>,
    max_bytes: u64,
    series: VersionSeries,
}

impl Loader {
    /// Creates a loader with the limits of the settings.
    pub(crate) fn new(store: Store, cache: DiskCache, config: &InferenceConfig) -> Self {
        let permits = Arc::new(Semaphore::new(config.concurrent_loads.max(1)));
        let series = VersionSeries::new(config.max_version_series);
        Self { store, cache, permits, max_bytes: config.max_artifact_bytes, series }
    }

    /// Loads one version.
    pub(crate) async fn load(&self, record: ModelRecord) -> Result<LoadedModel, LoadError> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        if let Some(loaded) = self.load_cached(record.clone()).await? {
            return Ok(loaded);
        }
        let key = ArtifactKey::parse(&record.artifact_key)?;
        let bytes = self.store.get_bytes(&key, &record.sha256, self.max_bytes).await?;
        self.keep(&record.sha256, bytes.clone());
        let series = self.series.clone();
        on_new_thread(move || ready(record, &bytes, &series)).await?
    }

    /// Loads one version from the disk cache; `None` if it is not cached.
    pub(crate) async fn load_cached(&self, record: ModelRecord) -> Result<Option<LoadedModel>, LoadError> {
        let (cache, series) = (self.cache.clone(), self.series.clone());
        let work = move || match cache.read(&record.sha256) {
            Ok(Some(bytes)) => ready(record, &bytes, &series).map(Some),
            Ok(None) => Ok(None),
            Err(error) => {
                tracing::warn!(%error, "the artifact cache is not readable");
                Ok(None)
            }
        };
        on_new_thread(work).await?
    }

    /// Writes to the cache in the background, so that a slow or full disk does not delay a new version.
    fn keep(&self, sha256: &str, bytes: Bytes) {
        let (cache, sha256) = (self.cache.clone(), sha256.to_owned());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = cache.write(&sha256, &bytes) {
                tracing::warn!(%error, "the artifact could not be cached; a restart will fetch it again");
            }
        });
    }
}

/// Runs `work` on a new thread.
async fn on_new_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoadError> {
    let (result, done) = oneshot::channel();
    let run = move || {
        // The receiver is only gone if the process is stopping.
        let _ = result.send(work());
    };
    std::thread::Builder::new().name("load-model".into()).spawn(run).map_err(LoadError::Thread)?;
    done.await.map_err(|_| LoadError::Stopped)
}

/// Decodes the artifact, runs its self-test (in [`Predictor::load`]) and predicts one row with every feature missing as
/// a warm-up.
fn ready(record: ModelRecord, bytes: &[u8], series: &VersionSeries) -> Result<LoadedModel, LoadError> {
    let predictor = Predictor::load(bytes)?;
    predictor.predict_one(&Map::new()).map_err(|refused| {
        let messages: Vec<_> =
            refused.errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
        LoadError::WarmUp(messages.join("; "))
    })?;
    Ok(LoadedModel::new(record, predictor, series))
}
