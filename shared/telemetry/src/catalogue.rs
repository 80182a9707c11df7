//! All metrics: names, labels, buckets and help texts. `docs/metrics.md` is generated from this list.
//!
//! Names have the form `trainyard_<area>_<noun>_<unit>[_total]`; standard process metrics begin with `process_`. Code
//! uses the constants, never literals. Labels have few values: route templates instead of paths, codes instead of
//! messages.

use crate::buckets::{DIFFERENCES, JOB_SECONDS, PREDICT_SECONDS, REQUEST_SECONDS, SWEEP_SECONDS, WAIT_SECONDS};
pub use crate::catalogue_markdown::markdown;
pub use crate::metric_spec::{Kind, MetricSpec};
use crate::metric_spec::{counter, gauge, histogram};

/// The same values as `Algorithm::ALL`, which this crate can't import. A test compares all such lists.
const ALGORITHMS: &[&str] = &[
    "random_forest",
    "extra_trees",
    "gradient_boosting",
    "decision_tree",
    "svm",
    "logistic_regression",
    "ridge",
    "auto",
];
/// The kinds of jobs.
const KINDS: &[&str] = &["training", "prediction"];
/// The final statuses of a job.
const FINAL_STATUSES: &[&str] = &["succeeded", "failed", "cancelled"];
/// The failure codes of a run.
const FAILURE_CODES: &[&str] = &[
    "bad_data",
    "bad_params",
    "out_of_memory",
    "timeout",
    "output_limit",
    "disk_limit",
    "panicked",
    "crashed",
    "dataset_missing",
    "dataset_corrupt",
    "model_missing",
    "model_corrupt",
    "storage_unavailable",
    "disk_full",
    "internal",
];
/// The reasons for another attempt: the retryable failure codes, and an interruption.
const RETRY_REASONS: &[&str] = &["panicked", "crashed", "storage_unavailable", "disk_full", "internal", "interrupted"];

/// CPU time of the process.
pub const PROCESS_CPU_SECONDS_TOTAL: &str = "process_cpu_seconds_total";
/// Maximum number of open file descriptors.
pub const PROCESS_MAX_FDS: &str = "process_max_fds";
/// Number of open file descriptors.
pub const PROCESS_OPEN_FDS: &str = "process_open_fds";
/// Resident memory of the process.
pub const PROCESS_RESIDENT_MEMORY_BYTES: &str = "process_resident_memory_bytes";
/// Start time of the process.
pub const PROCESS_START_TIME_SECONDS: &str = "process_start_time_seconds";
/// Open event streams.
pub const API_EVENT_STREAMS: &str = "trainyard_api_event_streams";
/// Bytes sent to and received from the object store.
pub const ARTIFACTS_BYTES_TOTAL: &str = "trainyard_artifacts_bytes_total";
/// Queries for API keys that are not cached.
pub const AUTH_API_KEY_QUERIES_TOTAL: &str = "trainyard_auth_api_key_queries_total";
/// Login attempts by outcome.
pub const AUTH_LOGINS_TOTAL: &str = "trainyard_auth_logins_total";
/// Password checks that wait for a processor.
pub const AUTH_PASSWORD_CHECKS_WAITING: &str = "trainyard_auth_password_checks_waiting";
/// Version and role of the process.
pub const BUILD_INFO: &str = "trainyard_build_info";
/// Database connections in use.
pub const DATABASE_CONNECTIONS_IN_USE: &str = "trainyard_database_connections_in_use";
/// Maximum number of database connections.
pub const DATABASE_CONNECTIONS_LIMIT: &str = "trainyard_database_connections_limit";
/// Connections closed by a limit.
pub const HTTP_CONNECTIONS_DROPPED_TOTAL: &str = "trainyard_http_connections_dropped_total";
/// Requests in flight.
pub const HTTP_REQUESTS_IN_FLIGHT: &str = "trainyard_http_requests_in_flight";
/// Answered requests.
pub const HTTP_REQUESTS_TOTAL: &str = "trainyard_http_requests_total";
/// Time from the request's head to the response's head.
pub const HTTP_REQUEST_DURATION_SECONDS: &str = "trainyard_http_request_duration_seconds";
/// Rows in the window of the drift.
pub const INFERENCE_DRIFT_ROWS: &str = "trainyard_inference_drift_rows";
/// Duration of a prediction.
pub const INFERENCE_DURATION_SECONDS: &str = "trainyard_inference_duration_seconds";
/// Drift of a feature.
pub const INFERENCE_FEATURE_DRIFT_PSI: &str = "trainyard_inference_feature_drift_psi";
/// Memory of the loaded model versions.
pub const INFERENCE_MODELS_BYTES: &str = "trainyard_inference_models_bytes";
/// Loaded model versions.
pub const INFERENCE_MODELS_LOADED: &str = "trainyard_inference_models_loaded";
/// Predictions by class.
pub const INFERENCE_PREDICTIONS_TOTAL: &str = "trainyard_inference_predictions_total";
/// Drift of the predictions.
pub const INFERENCE_PREDICTION_DRIFT_PSI: &str = "trainyard_inference_prediction_drift_psi";
/// Attempts to load a model version.
pub const INFERENCE_RELOADS_TOTAL: &str = "trainyard_inference_reloads_total";
/// Prediction requests.
pub const INFERENCE_REQUESTS_TOTAL: &str = "trainyard_inference_requests_total";
/// Rows of the request log.
pub const INFERENCE_REQUEST_LOG_ROWS_TOTAL: &str = "trainyard_inference_request_log_rows_total";
/// Predicted rows.
pub const INFERENCE_ROWS_TOTAL: &str = "trainyard_inference_rows_total";
/// Difference between a shadow prediction and the answer.
pub const INFERENCE_SHADOW_DIFFERENCE: &str = "trainyard_inference_shadow_difference";
/// Copies that were dropped.
pub const INFERENCE_SHADOW_DROPPED_TOTAL: &str = "trainyard_inference_shadow_dropped_total";
/// Rows that shadow versions predicted.
pub const INFERENCE_SHADOW_ROWS_TOTAL: &str = "trainyard_inference_shadow_rows_total";
/// Model versions that were unloaded.
pub const INFERENCE_UNLOADS_TOTAL: &str = "trainyard_inference_unloads_total";
/// Current number of jobs by status.
pub const JOBS_BY_STATUS: &str = "trainyard_jobs_by_status";
/// Jobs claimed by workers.
pub const JOBS_CLAIMED_TOTAL: &str = "trainyard_jobs_claimed_total";
/// Time from claim to final status.
pub const JOBS_DURATION_SECONDS: &str = "trainyard_jobs_duration_seconds";
/// Failed jobs by failure code.
pub const JOBS_FAILURES_TOTAL: &str = "trainyard_jobs_failures_total";
/// Writes refused by the fencing token.
pub const JOBS_FENCED_WRITES_TOTAL: &str = "trainyard_jobs_fenced_writes_total";
/// Finished jobs deleted by retention.
pub const JOBS_EXPIRED_TOTAL: &str = "trainyard_jobs_expired_total";
/// Jobs that reached a final status.
pub const JOBS_FINISHED_TOTAL: &str = "trainyard_jobs_finished_total";
/// Expired leases.
pub const JOBS_LEASES_LOST_TOTAL: &str = "trainyard_jobs_leases_lost_total";
/// Jobs that returned to the queue for another attempt.
pub const JOBS_RETRIES_TOTAL: &str = "trainyard_jobs_retries_total";
/// Accepted jobs.
pub const JOBS_SUBMITTED_TOTAL: &str = "trainyard_jobs_submitted_total";
/// Time from when a job is due to its claim.
pub const JOBS_WAIT_SECONDS: &str = "trainyard_jobs_wait_seconds";
/// Log lines that were dropped.
pub const LOG_LINES_DROPPED_TOTAL: &str = "trainyard_log_lines_dropped_total";
/// Guarded versions that exceeded a limit.
pub const MODELS_AUTOMATIC_ROLLBACKS_TOTAL: &str = "trainyard_models_automatic_rollbacks_total";
/// Rows predicted by prediction jobs.
pub const PREDICTIONS_ROWS_TOTAL: &str = "trainyard_predictions_rows_total";
/// Failed jobs that are kept.
pub const QUEUE_DEAD_LETTER_JOBS: &str = "trainyard_queue_dead_letter_jobs";
/// Queued jobs by priority class.
pub const QUEUE_DEPTH_JOBS: &str = "trainyard_queue_depth_jobs";
/// Discarded stream entries.
pub const QUEUE_MESSAGES_DROPPED_TOTAL: &str = "trainyard_queue_messages_dropped_total";
/// Age of the oldest job that is due.
pub const QUEUE_OLDEST_AGE_SECONDS: &str = "trainyard_queue_oldest_age_seconds";
/// Whether the queue is paused.
pub const QUEUE_PAUSED: &str = "trainyard_queue_paused";
/// Queued jobs that are not yet due.
pub const QUEUE_SCHEDULED_JOBS: &str = "trainyard_queue_scheduled_jobs";
/// Firings of schedules.
pub const SCHEDULES_FIRINGS_TOTAL: &str = "trainyard_schedules_firings_total";
/// Duration of a sweep round.
pub const SWEEP_DURATION_SECONDS: &str = "trainyard_sweep_duration_seconds";
/// Delay of the sweep.
pub const SWEEP_LAG_SECONDS: &str = "trainyard_sweep_lag_seconds";
/// Spans dropped before export.
pub const TRACES_SPANS_DROPPED_TOTAL: &str = "trainyard_traces_spans_dropped_total";
/// Spans accepted by the collector.
pub const TRACES_SPANS_SENT_TOTAL: &str = "trainyard_traces_spans_sent_total";
/// Bytes of stored checkpoints.
pub const TRAINING_CHECKPOINT_BYTES_TOTAL: &str = "trainyard_training_checkpoint_bytes_total";
/// Checkpoints of training jobs.
pub const TRAINING_CHECKPOINTS_TOTAL: &str = "trainyard_training_checkpoints_total";
/// Duration inside the training process.
pub const TRAINING_DURATION_SECONDS: &str = "trainyard_training_duration_seconds";
/// Runs that found a checkpoint of an earlier run.
pub const TRAINING_RESUMES_TOTAL: &str = "trainyard_training_resumes_total";
/// Delivery attempts of webhooks.
pub const WEBHOOKS_ATTEMPTS_TOTAL: &str = "trainyard_webhooks_attempts_total";
/// Duration of a delivery attempt.
pub const WEBHOOKS_DURATION_SECONDS: &str = "trainyard_webhooks_duration_seconds";
/// Webhooks waiting for delivery.
pub const WEBHOOKS_PENDING: &str = "trainyard_webhooks_pending";
/// Active runs of a worker.
pub const WORKER_JOBS_RUNNING: &str = "trainyard_worker_jobs_running";
/// Maximum number of active runs of a worker.
pub const WORKER_SLOTS: &str = "trainyard_worker_slots";

/// All metrics, sorted by name.
pub const ALL: &[MetricSpec] = &[
    counter(PROCESS_CPU_SECONDS_TOTAL, &[], "CPU time of this process, without its training processes."),
    gauge(PROCESS_MAX_FDS, &[], "Maximum number of open file descriptors of this process."),
    gauge(PROCESS_OPEN_FDS, &[], "Number of open file descriptors of this process."),
    gauge(PROCESS_RESIDENT_MEMORY_BYTES, &[], "Resident memory of this process, without its training processes."),
    gauge(PROCESS_START_TIME_SECONDS, &[], "Start time of this process, in seconds since the Unix epoch."),
    gauge(API_EVENT_STREAMS, &[], "Open event streams."),
    counter(ARTIFACTS_BYTES_TOTAL, &["direction"], "Bytes sent to (`put`) and received from (`get`) the object store.")
        .with(&[&["put", "get"]]),
    counter(
        AUTH_API_KEY_QUERIES_TOTAL,
        &[],
        "Database queries for API keys that are not cached. Concurrent requests share a query.",
    ),
    counter(AUTH_LOGINS_TOTAL, &["outcome"], "Login attempts by outcome: `ok`, `refused`, `disabled`, `limited`, `busy`.")
        .with(&[&["ok", "refused", "disabled", "limited", "busy"]]),
    gauge(AUTH_PASSWORD_CHECKS_WAITING, &[], "Password checks that wait for a processor. Each processor checks one password at a time."),
    gauge(BUILD_INFO, &["version", "role"], "Always 1; the labels hold the version and the role (`up`, `api`, `worker` or `inference`)."),
    gauge(DATABASE_CONNECTIONS_IN_USE, &[], "Database connections that this process uses at the moment."),
    gauge(DATABASE_CONNECTIONS_LIMIT, &[], "Maximum number of database connections of this process."),
    counter(
        HTTP_CONNECTIONS_DROPPED_TOTAL,
        &["reason"],
        "Connections closed by a limit: `total_limit` and `address_limit` when opened, `head_timeout` without a request, `write_timeout` if the client does not read.",
    )
    .with(&[&["total_limit", "address_limit", "head_timeout", "write_timeout"]]),
    histogram(
        HTTP_REQUEST_DURATION_SECONDS,
        &["method", "route"],
        REQUEST_SECONDS,
        "Time from the request's head to the response's head, by route template.",
    ),
    gauge(HTTP_REQUESTS_IN_FLIGHT, &[], "Requests in flight."),
    counter(
        HTTP_REQUESTS_TOTAL,
        &["method", "route", "status"],
        "Requests by route template and status; 499 if the client disconnected before the response.",
    ),
    gauge(
        INFERENCE_DRIFT_ROWS,
        &["model", "version"],
        "Rows that this process has predicted in the window of the drift (`inference.drift_window_s`).",
    ),
    histogram(
        INFERENCE_DURATION_SECONDS,
        &["model", "version"],
        PREDICT_SECONDS,
        "Duration of a prediction request after its body has been parsed.",
    ),
    gauge(
        INFERENCE_FEATURE_DRIFT_PSI,
        &["model", "version", "feature"],
        "Population stability index of a feature: the rows of the window compared with the training rows. Only the features \
        with the largest index (`inference.drift_max_features`), and only with enough rows (`inference.drift_min_rows`).",
    ),
    gauge(INFERENCE_MODELS_BYTES, &[], "Approximate memory of the loaded model versions, with the counters of their drift."),
    gauge(INFERENCE_MODELS_LOADED, &[], "Model versions that are loaded and ready to predict."),
    gauge(
        INFERENCE_PREDICTION_DRIFT_PSI,
        &["model", "version"],
        "Population stability index of the predictions: those of the window compared with those for the held-out part. Only \
        with enough rows (`inference.drift_min_rows`).",
    ),
    counter(
        INFERENCE_PREDICTIONS_TOTAL,
        &["model", "version", "class"],
        "Predicted rows by class: the 20 classes that were predicted most often for the held-out part, and `other`.",
    ),
    counter(
        INFERENCE_RELOADS_TOTAL,
        &["outcome"],
        "Attempts to load a model version: `ok`, `unavailable`, `not_found`, `digest_mismatch`, `invalid`, `panicked`.",
    )
    .with(&[&["ok", "unavailable", "not_found", "digest_mismatch", "invalid", "panicked"]]),
    counter(
        INFERENCE_REQUEST_LOG_ROWS_TOTAL,
        &["outcome"],
        "Rows of sampled requests: `written`, or lost because the queue was full (`queue_full`), the row was larger than an \
        object (`too_large`), or the object store failed (`store_failed`).",
    )
    .with(&[&["written", "queue_full", "too_large", "store_failed"]]),
    counter(
        INFERENCE_REQUESTS_TOTAL,
        &["model", "version", "outcome"],
        "Prediction requests: `answered`, `refused`, `not_found`, `unavailable`, `overloaded`, `failed`. The labels model and \
        version are empty if the request reached no version.",
    )
    .with(&[&[""], &[""], &["refused", "not_found", "unavailable", "overloaded", "failed"]]),
    counter(INFERENCE_ROWS_TOTAL, &["model", "version"], "Predicted rows."),
    histogram(
        INFERENCE_SHADOW_DIFFERENCE,
        &["model", "version"],
        DIFFERENCES,
        "Absolute difference between the prediction of a shadow version and the answer, per row: of the number, or the mean \
        over the probabilities of all classes.",
    ),
    counter(
        INFERENCE_SHADOW_DROPPED_TOTAL,
        &[],
        "Copies for shadow versions that were dropped, because too many copies were waiting.",
    ),
    counter(
        INFERENCE_SHADOW_ROWS_TOTAL,
        &["model", "version", "outcome"],
        "Rows that shadow versions predicted: `agreed` and `disagreed` by the class of the answer, `compared` for numbers, \
        `failed` if the version can't predict the row.",
    ),
    counter(
        INFERENCE_UNLOADS_TOTAL,
        &["reason"],
        "Model versions that were unloaded: `not_needed` by an alias or the traffic any more, `memory_budget`, \
        `max_pinned_versions`, `requested`.",
    )
    .with(&[&["not_needed", "memory_budget", "max_pinned_versions", "requested"]]),
    gauge(JOBS_BY_STATUS, &["status"], "Queued and running jobs, measured by the sweep leader."),
    counter(JOBS_CLAIMED_TOTAL, &[], "Jobs claimed by workers; each run counts."),
    histogram(JOBS_DURATION_SECONDS, &["algorithm", "kind", "status"], JOB_SECONDS, "Time from claim to final status."),
    counter(JOBS_EXPIRED_TOTAL, &[], "Finished jobs that the sweep deleted after their retention time."),
    counter(JOBS_FAILURES_TOTAL, &["code"], "Jobs that failed, by failure code.").with(&[FAILURE_CODES]),
    counter(
        JOBS_FENCED_WRITES_TOTAL,
        &[],
        "Writes refused by the fencing token, because another run owns the job.",
    ),
    counter(JOBS_FINISHED_TOTAL, &["algorithm", "kind", "status"], "Jobs that reached a final status.")
        .with(&[ALGORITHMS, KINDS, FINAL_STATUSES]),
    counter(JOBS_LEASES_LOST_TOTAL, &[], "Leases that expired, so that the job returned to the queue."),
    counter(JOBS_RETRIES_TOTAL, &["reason"], "Jobs that returned to the queue for another attempt, by failure code or interruption.")
        .with(&[RETRY_REASONS]),
    counter(JOBS_SUBMITTED_TOTAL, &["algorithm", "kind"], "Jobs accepted with a 202.").with(&[ALGORITHMS, KINDS]),
    histogram(JOBS_WAIT_SECONDS, &[], WAIT_SECONDS, "Time from when a job is due to its claim."),
    counter(LOG_LINES_DROPPED_TOTAL, &[], "Log lines dropped because the log output was too slow."),
    counter(
        MODELS_AUTOMATIC_ROLLBACKS_TOTAL,
        &["outcome"],
        "Versions that exceeded a limit of their guard: `rolled_back`, or `nothing_before` without a version to return to.",
    )
    .with(&[&["rolled_back", "nothing_before"]]),
    counter(PREDICTIONS_ROWS_TOTAL, &[], "Rows of the stored parts of prediction jobs."),
    gauge(QUEUE_DEAD_LETTER_JOBS, &[], "Failed jobs that are kept (dead letters), measured by the sweep leader."),
    gauge(
        QUEUE_DEPTH_JOBS,
        &["class"],
        "Queued jobs, due or not, measured by the sweep leader.",
    ),
    counter(QUEUE_MESSAGES_DROPPED_TOTAL, &["reason"], "Queue entries discarded because they were invalid, or because their job could not be claimed.")
        .with(&[&["undecodable", "not_claimable"]]),
    gauge(QUEUE_OLDEST_AGE_SECONDS, &[], "Age of the oldest queued job that is due."),
    gauge(QUEUE_PAUSED, &[], "1 while the queue is paused, measured by the sweep leader."),
    gauge(QUEUE_SCHEDULED_JOBS, &[], "Queued jobs that are not yet due (delayed jobs and retries); included in the depth."),
    counter(
        SCHEDULES_FIRINGS_TOTAL,
        &["outcome"],
        "Firings of schedules by outcome: `submitted`, `skipped_overlap`, `skipped_missed`, `refused`.",
    )
    .with(&[&["submitted", "skipped_overlap", "skipped_missed", "refused"]]),
    histogram(SWEEP_DURATION_SECONDS, &[], SWEEP_SECONDS, "Duration of a sweep round of the leader."),
    gauge(
        SWEEP_LAG_SECONDS,
        &[],
        "How long the next sweep round of the current leader is overdue, as this process sees it.",
    ),
    counter(
        TRACES_SPANS_DROPPED_TOTAL,
        &["reason"],
        "Spans dropped before export: `queue_full`, `export_failed`, `rejected`.",
    )
    .with(&[&["queue_full", "export_failed", "rejected"]]),
    counter(TRACES_SPANS_SENT_TOTAL, &[], "Spans accepted by the collector."),
    counter(TRAINING_CHECKPOINT_BYTES_TOTAL, &[], "Bytes of the stored checkpoints of training jobs."),
    counter(TRAINING_CHECKPOINTS_TOTAL, &["result"], "Checkpoints of training jobs: `stored`, or `failed` because the object store or the database refused them.")
        .with(&[&["stored", "failed"]]),
    histogram(TRAINING_DURATION_SECONDS, &["algorithm"], JOB_SECONDS, "Duration inside the training process."),
    counter(TRAINING_RESUMES_TOTAL, &["result"], "Runs that found a checkpoint of an earlier run: `resumed` from it, or `ignored` because it was damaged, lost or of other code.")
        .with(&[&["resumed", "ignored"]]),
    counter(
        WEBHOOKS_ATTEMPTS_TOTAL,
        &["outcome"],
        "Delivery attempts of webhooks: `delivered`, `retried` (another attempt follows), `failed` (no further attempt).",
    )
    .with(&[&["delivered", "retried", "failed"]]),
    histogram(
        WEBHOOKS_DURATION_SECONDS,
        &[],
        REQUEST_SECONDS,
        "Duration of a delivery attempt, up to the head of the receiver's response.",
    ),
    gauge(WEBHOOKS_PENDING, &[], "Webhooks that wait for delivery, measured by the sweep leader."),
    gauge(WORKER_JOBS_RUNNING, &[], "Active runs of this worker."),
    gauge(WORKER_SLOTS, &[], "Maximum number of active runs of this worker."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_sorted_and_follow_the_conventions() {
        let names: Vec<_> = ALL.iter().map(|spec| spec.name).collect();
        // `_` sorts between digits and letters, so the words of the names are compared.
        let mut sorted = names.clone();
        sorted.sort_by_key(|name| name.split('_').collect::<Vec<_>>());
        sorted.dedup();
        assert_eq!(names, sorted);
        for spec in ALL {
            // Standard process metrics have the names of all Prometheus client libraries.
            assert!(["trainyard_", "process_"].iter().any(|area| spec.name.starts_with(area)), "{}", spec.name);
            assert!(spec.values.is_empty() || spec.values.len() == spec.labels.len(), "{}", spec.name);
            assert_eq!(spec.kind == Kind::Counter, spec.name.ends_with("_total"), "{}", spec.name);
            assert_eq!(spec.kind == Kind::Histogram, !spec.buckets.is_empty(), "{}", spec.name);
            assert!(spec.buckets.is_sorted(), "{}", spec.name);
        }
    }
}
