//! Brings a version into memory: local cache or object store → digest → decode and self-test → warm-up. At most a few
//! at a time, and the work on bytes runs off the async threads.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Map;
use tokio::sync::Semaphore;
use trainyard_artifacts::{ArtifactError, Key as ArtifactKey, Store};
use trainyard_ml::predict::Predictor;

use crate::cache::DiskCache;
use crate::contained::Panicked;
use crate::failures::Hope;
use crate::loaded::Loaded;
use crate::record::Record;

/// Why a version could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The object store did not hand the artifact out, or handed out other bytes than were published.
    #[error("the artifact could not be fetched")]
    Fetch(#[from] ArtifactError),
    /// The bytes are those that were published, but no model.
    #[error("the artifact is not a model this version can serve")]
    Invalid(#[from] trainyard_ml::artifact::ArtifactError),
    /// The first predictions failed.
    #[error("the model failed its first prediction: {0}")]
    WarmUp(String),
    /// The database names no object key.
    #[error("the database names no object")]
    BadKey(#[from] trainyard_artifacts::BadKey),
    /// Decoding stopped with a panic.
    #[error("loading stopped unexpectedly")]
    Stopped(#[from] tokio::task::JoinError),
    /// Fetching stopped with a panic.
    #[error("loading {0}")]
    Panicked(#[from] Panicked),
}

impl LoadError {
    /// The label in the metrics.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Fetch(ArtifactError::DigestMismatch { .. }) => "digest_mismatch",
            Self::Fetch(ArtifactError::NotFound) => "not_found",
            Self::Fetch(_) => "unavailable",
            Self::Invalid(_) | Self::WarmUp(_) | Self::BadKey(_) => "invalid",
            Self::Stopped(_) | Self::Panicked(_) => "panicked",
        }
    }

    /// Whether another try may soon go better. Wrong bytes can be a broken transfer, so they count as hopeful too.
    pub(crate) fn hope(&self) -> Hope {
        match self {
            Self::Fetch(_) => Hope::Soon,
            Self::Invalid(_) | Self::WarmUp(_) | Self::BadKey(_) | Self::Stopped(_) | Self::Panicked(_) => Hope::Late,
        }
    }
}

/// Loads versions. Cloning shares the limits.
#[derive(Clone)]
pub(crate) struct Loader {
    store: Store,
    cache: DiskCache,
    permits: Arc<Semaphore>,
    max_bytes: u64,
}

impl Loader {
    /// A loader that fetches at most `concurrent` artifacts at a time, each of at most `max_bytes`.
    pub(crate) fn new(store: Store, cache: DiskCache, concurrent: usize, max_bytes: u64) -> Self {
        Self { store, cache, permits: Arc::new(Semaphore::new(concurrent.max(1))), max_bytes }
    }

    /// Loads one version.
    pub(crate) async fn load(&self, record: Record) -> Result<Loaded, LoadError> {
        // The semaphore is never closed; were it, loading without a permit is still right.
        let _permit = self.permits.acquire().await.ok();
        if let Some(loaded) = self.load_cached(record.clone()).await? {
            return Ok(loaded);
        }
        let key = ArtifactKey::parse(&record.artifact_key)?;
        let bytes = self.store.get_bytes(&key, &record.sha256, self.max_bytes).await?;
        self.keep(&record.sha256, bytes.clone());
        tokio::task::spawn_blocking(move || ready(record, &bytes)).await?
    }

    /// Loads one version from the local cache; `None` when it is not there.
    pub(crate) async fn load_cached(&self, record: Record) -> Result<Option<Loaded>, LoadError> {
        let cache = self.cache.clone();
        let work = move || match cache.read(&record.sha256) {
            Ok(Some(bytes)) => ready(record, &bytes).map(Some),
            Ok(None) => Ok(None),
            Err(error) => {
                tracing::warn!(%error, "the artifact cache can't be read");
                Ok(None)
            }
        };
        tokio::task::spawn_blocking(work).await?
    }

    /// Writes to the cache beside the load: a slow or full disk must not hold a new version up.
    fn keep(&self, sha256: &str, bytes: Bytes) {
        let (cache, sha256) = (self.cache.clone(), sha256.to_owned());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = cache.write(&sha256, &bytes) {
                tracing::warn!(%error, "the artifact can't be kept in the cache; a restart will fetch it again");
            }
        });
    }
}

/// Decodes, self-tests (inside [`Predictor::load`]) and predicts once with every feature missing, which touches each
/// tree and shows that the whole path answers.
fn ready(record: Record, bytes: &[u8]) -> Result<Loaded, LoadError> {
    let predictor = Predictor::load(bytes)?;
    predictor.predict_one(&Map::new()).map_err(|refused| {
        let messages: Vec<_> =
            refused.errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
        LoadError::WarmUp(messages.join("; "))
    })?;
    Ok(Loaded::new(record, predictor))
}
