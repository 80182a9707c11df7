//! Requests to the refresher: load a version that is not loaded, or release versions that requests have pinned. The caller
//! waits for a limited time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::loaded_model::LoadedModel;
use crate::model_record::Key;
use crate::registry::LookupError;

/// The reply of the refresher.
pub(crate) type PinReply = Result<Arc<LoadedModel>, LookupError>;
/// Retry-After while a version is loading.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Maximum number of requests that wait for versions; further requests are answered 503.
const MAX_WAITING: usize = 1_000;

/// A request for a version.
pub(crate) struct PinRequest {
    /// The version.
    pub(crate) key: Key,
    /// The channel for the reply.
    pub(crate) reply: oneshot::Sender<PinReply>,
}

/// A request to release the versions of a model that neither an alias nor its traffic uses.
pub(crate) struct ReleaseRequest {
    /// The model.
    pub(crate) model: String,
    /// The only version to release; `None` for all.
    pub(crate) version: Option<i64>,
    /// The channel for the reply.
    pub(crate) reply: oneshot::Sender<ReleaseReply>,
}

/// The reply to a release request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReleaseReply {
    /// The number of released versions.
    Released(usize),
    /// The model or the version is not loaded.
    NotLoaded,
    /// Aliases point at the version.
    Aliased(Vec<String>),
    /// The traffic of the model uses the version.
    InTraffic,
    /// The settings require the version.
    Required,
}

/// A request to the refresher.
pub(crate) enum PoolRequest {
    /// Load a version.
    Pin(PinRequest),
    /// Release versions.
    Release(ReleaseRequest),
}

/// Sends requests to the refresher. Clones share the channel.
#[derive(Clone)]
pub(crate) struct PinClient {
    pool_requests: mpsc::Sender<PoolRequest>,
    wait: Duration,
}

impl PinClient {
    /// Creates a client that waits at most `wait` for each reply, and the receiver for the refresher.
    pub(crate) fn new(wait: Duration) -> (Self, mpsc::Receiver<PoolRequest>) {
        let (pool_requests, line) = mpsc::channel(256);
        (Self { pool_requests, wait }, line)
    }

    /// Requests a version.
    pub(crate) async fn get(&self, key: Key) -> PinReply {
        let model = key.0.clone();
        let (reply, answer) = oneshot::channel();
        if self.pool_requests.try_send(PoolRequest::Pin(PinRequest { key, reply })).is_err() {
            return Err(LookupError::Loading(model, RETRY_AFTER));
        }
        match tokio::time::timeout(self.wait, answer).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => Err(LookupError::Loading(model, RETRY_AFTER)),
        }
    }

    /// Releases versions. `None` if the refresher does not reply in time.
    pub(crate) async fn release(&self, model: String, version: Option<i64>) -> Option<ReleaseReply> {
        let (reply, answer) = oneshot::channel();
        self.pool_requests.try_send(PoolRequest::Release(ReleaseRequest { model, version, reply })).ok()?;
        tokio::time::timeout(self.wait.max(RETRY_AFTER), answer).await.ok()?.ok()
    }
}

/// The waiting requests by version.
#[derive(Default)]
pub(crate) struct PendingPins(HashMap<Key, Vec<oneshot::Sender<PinReply>>>);

impl PendingPins {
    /// Adds a request. Returns whether it is the first one for its version, so that a lookup should start.
    pub(crate) fn push(&mut self, request: PinRequest) -> bool {
        let waiting: usize = self.0.values().map(Vec::len).sum();
        if waiting >= MAX_WAITING {
            let _ = request.reply.send(Err(LookupError::Loading(request.key.0, RETRY_AFTER)));
            return false;
        }
        let line = self.0.entry(request.key).or_default();
        // Requests that timed out are removed. If none remains, a new lookup starts.
        line.retain(|reply| !reply.is_closed());
        let first = line.is_empty();
        line.push(request.reply);
        first
    }

    /// Replies to all requests that wait for this version.
    pub(crate) fn reply_all(&mut self, key: &Key, found: impl Fn() -> PinReply) {
        for reply in self.0.remove(key).into_iter().flatten() {
            // The receiver is closed if the request has timed out.
            let _ = reply.send(found());
        }
    }
}
