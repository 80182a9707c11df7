//! What the serving role can be told: every limit is a number here, with the default that suits one small machine.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of the serving role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InferenceConfig {
    /// The model that answers requests which name none, also when there are several models; empty for no such model.
    pub default_model: String,
    /// Largest body of `POST /inference`, in bytes.
    pub max_body_bytes: usize,
    /// Most rows in one request.
    pub max_instances: usize,
    /// How often the database is asked whether anything changed, in milliseconds. News normally comes by push; this is
    /// how late it can be when the push is lost.
    pub poll_ms: u64,
    /// Largest artifact that is fetched, in bytes.
    pub max_artifact_bytes: u64,
    /// Versions fetched and compiled at the same time.
    pub concurrent_loads: usize,
    /// Versions without an alias that stay loaded because requests pinned them; the least recently used goes first.
    pub max_pinned_versions: usize,
    /// How long a request that pins a version waits for it to load before it is told to come back, in milliseconds.
    pub pinned_wait_ms: u64,
    /// Size of the folder with fetched artifacts, in bytes; what is served always stays.
    pub cache_max_bytes: u64,
    /// Large requests worked on at the same time; 0 takes one a core.
    pub concurrent_batches: usize,
    /// Large requests that may wait for their turn; the next one is told to come back.
    pub max_waiting_batches: usize,
}

impl Default for InferenceConfig {
    fn default() -> Self {
        Self {
            default_model: String::new(),
            max_body_bytes: 16 << 20,
            max_instances: 10_000,
            poll_ms: 200,
            max_artifact_bytes: 1 << 30,
            concurrent_loads: 4,
            max_pinned_versions: 16,
            pinned_wait_ms: 1_000,
            cache_max_bytes: 2 << 30,
            concurrent_batches: 0,
            max_waiting_batches: 64,
        }
    }
}

impl InferenceConfig {
    pub(crate) fn default_model(&self) -> Option<&str> {
        Some(self.default_model.as_str()).filter(|name| !name.is_empty())
    }

    pub(crate) fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms.max(1))
    }

    pub(crate) fn batches(&self) -> usize {
        match self.concurrent_batches {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            n => n,
        }
    }
}
