//! Settings of the inference role.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trainyard_domain::shown;

use crate::drift::DriftSettings;
use crate::request_log::RequestLogSettings;
use crate::required_models::RequiredModel;
use crate::views::request::RowLimits;

/// Default of `max_in_flight` per core. If a request takes 50 microseconds, the last one in the queue waits for 13 ms. Clients with
/// a few hundred requests at once are not refused.
const IN_FLIGHT_PER_CORE: usize = 256;

/// Settings of the inference role; `app/src/default.toml` documents the keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InferenceConfig {
    /// Address and port of the gRPC listener; empty turns gRPC off.
    pub grpc_listen: String,
    /// Model for requests that name no model; empty for none.
    pub default_model: String,
    /// Maximum size of the body of `POST /inference` and of an inference request under `/v2`, in bytes.
    pub max_body_bytes: usize,
    /// Maximum number of rows in one request.
    pub max_instances: usize,
    /// Maximum number of rows in one request with `explain`.
    pub max_explained_instances: usize,
    /// How often the database is polled for changes, in milliseconds. Changes usually arrive earlier, as a push
    /// message.
    pub poll_ms: u64,
    /// How long a known API key is accepted while the database is unavailable, in seconds.
    pub api_key_outage_s: u64,
    /// Maximum size of an artifact that is fetched, in bytes.
    pub max_artifact_bytes: u64,
    /// Maximum number of versions that are fetched and compiled at the same time.
    pub concurrent_loads: usize,
    /// Maximum number of loaded versions that have no alias and were pinned by requests.
    pub max_pinned_versions: usize,
    /// How long a request waits for a pinned version to load, in milliseconds; then it is answered 503.
    pub pinned_wait_ms: u64,
    /// Folder of the disk cache, for this process only.
    pub cache_dir: PathBuf,
    /// Maximum size of the disk cache, in bytes; artifacts of served versions are always kept.
    pub cache_max_bytes: u64,
    /// Models that must be loaded before the process is ready: `name`, `name@alias` or `name@version`.
    pub required_models: Vec<String>,
    /// Maximum memory of all loaded versions, in MB; 0 for no limit. Versions that an alias, the traffic or `required_models`
    /// needs are loaded in any case.
    pub memory_budget_mb: u64,
    /// Maximum number of prediction requests that wait for a processor or use one; 0 means [`IN_FLIGHT_PER_CORE`] per core.
    pub max_in_flight: usize,
    /// Maximum number of large requests that are processed at the same time; 0 means one per core.
    pub concurrent_batches: usize,
    /// Maximum number of large requests that wait; further requests are answered 503.
    pub max_waiting_batches: usize,
    /// Maximum number of versions with metric series of their own.
    pub max_version_series: usize,
    /// The length of the window in which drift is measured, in seconds.
    pub drift_window_s: u64,
    /// Minimum number of rows in the window for a measure of drift.
    pub drift_min_rows: u64,
    /// Maximum number of features with a gauge of their drift, per version.
    pub drift_max_features: usize,
    /// Share of the answered requests that are logged; 0 turns the request log off.
    pub request_log_share: f64,
    /// Maximum size of the lines of one object of the request log before compression, in bytes.
    pub request_log_object_bytes: usize,
    /// Maximum time until logged rows are in the object store, in seconds.
    pub request_log_flush_s: u64,
    /// Maximum size of the requests and answers that wait for the object store, in bytes.
    pub request_log_buffer_bytes: u32,
    /// Maximum size of the copies of requests that wait for shadow versions, in bytes of their bodies; further copies are
    /// dropped.
    pub shadow_queue_bytes: usize,
}

impl InferenceConfig {
    pub(crate) fn default_model(&self) -> Option<&str> {
        Some(self.default_model.as_str()).filter(|name| !name.is_empty())
    }

    pub(crate) fn row_limits(&self) -> RowLimits {
        RowLimits { predicted: self.max_instances, explained: self.max_explained_instances }
    }

    pub(crate) fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms.max(1))
    }

    pub(crate) fn api_key_outage(&self) -> Duration {
        Duration::from_secs(self.api_key_outage_s)
    }

    pub(crate) fn drift(&self) -> DriftSettings {
        DriftSettings {
            window: Duration::from_secs(self.drift_window_s.max(1)),
            min_rows: self.drift_min_rows.max(1),
            max_features: self.drift_max_features,
        }
    }

    pub(crate) fn request_log(&self) -> RequestLogSettings {
        RequestLogSettings {
            share: self.request_log_share,
            object_bytes: self.request_log_object_bytes,
            flush: Duration::from_secs(self.request_log_flush_s.max(1)),
            buffer_bytes: self.request_log_buffer_bytes,
            max_rows: self.max_instances,
        }
    }

    pub(crate) fn batches(&self) -> usize {
        match self.concurrent_batches {
            0 => cores(),
            n => n,
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        match self.max_in_flight {
            0 => IN_FLIGHT_PER_CORE * cores(),
            n => n,
        }
    }

    /// The maximum memory of the loaded versions, in bytes.
    pub(crate) fn memory_budget(&self) -> Option<u64> {
        Some(self.memory_budget_mb << 20).filter(|bytes| *bytes > 0)
    }

    /// The models that must be loaded before the process is ready.
    ///
    /// # Errors
    /// A message about an entry that names no model, alias or version.
    pub fn required_models(&self) -> Result<Vec<RequiredModel>, String> {
        let parse = |entry: &String| {
            RequiredModel::parse(entry).map_err(|why| format!("inference.required_models: '{}' {why}", shown(entry)))
        };
        self.required_models.iter().map(parse).collect()
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
