//! The responses of the statistics extension.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use trainyard_domain::shown;
use trainyard_http::Problem;
use utoipa::ToSchema;

use crate::loaded_model::LoadedModel;
use crate::registry::Snapshot;
use crate::service::Service;
use crate::version_statistics::{ComputeStatistics, Timed};

/// The statistics of loaded versions, since each was loaded.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = V2Statistics)]
pub(crate) struct StatisticsAnswer {
    /// One entry per version.
    pub(crate) model_stats: Vec<ModelStatistics>,
}

/// The statistics of one version since it was loaded. Requests of `POST /inference` count too.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2ModelStatistics)]
pub(crate) struct ModelStatistics {
    /// The model.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: String,
    /// The time of the last answered request, in milliseconds since 1970; 0 without a request.
    pub(crate) last_inference: u64,
    /// Predicted rows.
    pub(crate) inference_count: u64,
    /// Answered requests, because requests are not batched.
    pub(crate) execution_count: u64,
    /// All requests.
    pub(crate) inference_stats: InferenceStatistics,
    /// Answered requests by their number of rows, for at most 129 different numbers.
    pub(crate) batch_stats: Vec<BatchStatistics>,
}

/// The counts and durations of all requests.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2InferenceStatistics)]
pub(crate) struct InferenceStatistics {
    /// Answered requests.
    pub(crate) success: DurationSum,
    /// Refused requests.
    pub(crate) fail: DurationSum,
    /// Waiting for a thread; requests of a few rows do not wait.
    pub(crate) queue: DurationSum,
    /// Reading the tensors.
    pub(crate) compute_input: DurationSum,
    /// Predicting.
    pub(crate) compute_infer: DurationSum,
    /// Writing the answer.
    pub(crate) compute_output: DurationSum,
    /// Always 0, because there is no response cache.
    pub(crate) cache_hit: DurationSum,
    /// Always 0, because there is no response cache.
    pub(crate) cache_miss: DurationSum,
}

/// The durations of the requests with the same number of rows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2BatchStatistics)]
pub(crate) struct BatchStatistics {
    /// Rows per request.
    pub(crate) batch_size: usize,
    /// Reading the tensors.
    pub(crate) compute_input: DurationSum,
    /// Predicting.
    pub(crate) compute_infer: DurationSum,
    /// Writing the answer.
    pub(crate) compute_output: DurationSum,
}

/// A count with the sum of its durations.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = V2Duration)]
pub(crate) struct DurationSum {
    /// How often.
    pub(crate) count: u64,
    /// The sum of the durations, in nanoseconds.
    pub(crate) ns: u64,
}

impl Service {
    /// The statistics of all loaded versions, of those of one model, or of one of its versions.
    pub(crate) fn statistics(&self, model: Option<&str>, version: Option<i64>) -> Result<StatisticsAnswer, Problem> {
        let statistics = StatisticsAnswer::of(&self.registry.load(), model, version);
        let name = || shown(model.unwrap_or_default()).into_owned();
        statistics.ok_or_else(|| match version {
            Some(version) => Problem::not_found(format!("version {version} of a model '{}' is not loaded", name())),
            None => Problem::not_found(format!("no model named '{}' is loaded", name())),
        })
    }
}

impl StatisticsAnswer {
    /// The statistics of all versions, of one model, or of one of its versions. `None` if none is loaded.
    fn of(snapshot: &Snapshot, model: Option<&str>, version: Option<i64>) -> Option<Self> {
        let is_wanted = |loaded: &LoadedModel| {
            model.is_none_or(|model| loaded.record.model == model)
                && version.is_none_or(|version| loaded.record.version == version)
        };
        let loaded = snapshot.models.values().flat_map(|model| model.versions.values());
        let model_stats: Vec<_> =
            loaded.filter(|loaded| is_wanted(loaded)).map(|loaded| ModelStatistics::of(loaded)).collect();
        (model.is_none() || !model_stats.is_empty()).then_some(Self { model_stats })
    }
}

impl ModelStatistics {
    fn of(loaded: &LoadedModel) -> Self {
        let statistics = &loaded.statistics;
        let success = DurationSum::of(&statistics.success);
        Self {
            name: loaded.record.model.clone(),
            version: loaded.record.version.to_string(),
            last_inference: statistics.since_last_inference(Instant::now()).map_or(0, unix_ms_before),
            inference_count: statistics.rows(),
            execution_count: success.count,
            inference_stats: InferenceStatistics {
                success,
                fail: DurationSum::of(&statistics.fail),
                queue: DurationSum::of(&statistics.queue),
                compute_input: DurationSum::of(&statistics.compute.input),
                compute_infer: DurationSum::of(&statistics.compute.infer),
                compute_output: DurationSum::of(&statistics.compute.output),
                cache_hit: DurationSum::default(),
                cache_miss: DurationSum::default(),
            },
            batch_stats: statistics.batches(BatchStatistics::of),
        }
    }
}

/// The wall-clock time `ago` before now, in milliseconds since 1970.
fn unix_ms_before(ago: Duration) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.saturating_sub(ago).as_millis()).unwrap_or(u64::MAX)
}

impl BatchStatistics {
    fn of(batch_size: usize, compute: &ComputeStatistics) -> Self {
        Self {
            batch_size,
            compute_input: DurationSum::of(&compute.input),
            compute_infer: DurationSum::of(&compute.infer),
            compute_output: DurationSum::of(&compute.output),
        }
    }
}

impl DurationSum {
    fn of(timed: &Timed) -> Self {
        let (count, ns) = timed.get();
        Self { count, ns }
    }
}
