//! Every metric there is: the one list that describes them, sets their buckets and is written out for people.
//!
//! Names read `trainyard_<area>_<noun>_<unit>[_total]`, but for those of any process; constants are sorted by area. Code refers to the constants,
//! never to a literal. Labels must have few values: route templates, never paths; codes, never messages.

pub use crate::catalogue_markdown::markdown;

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct MetricSpec {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// Its labels, in the order people read them.
    pub labels: &'static [&'static str],
    /// Every value that each label can have, where they are known beforehand: a counter then reads 0 from the start. Empty
    /// where they are not.
    pub values: &'static [&'static [&'static str]],
    /// What it tells, in a sentence.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets, in the metric's unit; empty for other kinds.
    pub buckets: &'static [f64],
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> MetricSpec {
    MetricSpec { name, kind: Kind::Counter, labels, values: &[], help, buckets: &[] }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> MetricSpec {
    MetricSpec { name, kind: Kind::Gauge, labels, values: &[], help, buckets: &[] }
}

const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    buckets: &'static [f64],
    help: &'static str,
) -> MetricSpec {
    MetricSpec { name, kind: Kind::Histogram, labels, values: &[], help, buckets }
}

impl MetricSpec {
    const fn with(self, values: &'static [&'static [&'static str]]) -> Self {
        Self { values, ..self }
    }
}

/// `Algorithm::ALL` of the domain, which this crate can't see; a test holds them together, as all lists here.
const ALGORITHMS: &[&str] = &["random_forest", "decision_tree", "svm", "logistic_regression"];
/// Statuses that a job ends in.
const ENDS: &[&str] = &["succeeded", "failed", "cancelled"];
/// Why a run ended badly: the failure codes.
const CODES: &[&str] = &[
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
    "storage_unavailable",
    "disk_full",
    "internal",
];
/// Why a job was put back: those that are retried, and an interruption.
const REASONS: &[&str] = &["panicked", "crashed", "storage_unavailable", "disk_full", "internal", "interrupted"];

/// From a health check to a long poll.
const REQUEST_SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// From one row through a flattened forest to a thousand rows.
const PREDICT_SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_2, 0.000_3, 0.000_5, 0.000_75, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
    1.0,
];
/// From a toy data set to the default time limit of an hour, and past it.
const JOB_SECONDS: &[f64] =
    &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];
/// From an idle fleet to a night's backlog.
const WAIT_SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0];
/// Housekeeping: a few statements, or a few hundred.
const SWEEP_SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

/// Processor time of a process.
pub const PROCESS_CPU_SECONDS_TOTAL: &str = "process_cpu_seconds_total";
/// Files a process may open.
pub const PROCESS_MAX_FDS: &str = "process_max_fds";
/// Files a process has open.
pub const PROCESS_OPEN_FDS: &str = "process_open_fds";
/// Memory of a process.
pub const PROCESS_RESIDENT_MEMORY_BYTES: &str = "process_resident_memory_bytes";
/// When a process started.
pub const PROCESS_START_TIME_SECONDS: &str = "process_start_time_seconds";
/// Event streams open.
pub const API_EVENT_STREAMS: &str = "trainyard_api_event_streams";
/// Bytes moved to and from the object store.
pub const ARTIFACTS_BYTES_TOTAL: &str = "trainyard_artifacts_bytes_total";
/// Sign-ins by what came of them.
pub const AUTH_LOGINS_TOTAL: &str = "trainyard_auth_logins_total";
/// Which version runs, in which role.
pub const BUILD_INFO: &str = "trainyard_build_info";
/// Connections to the database in use.
pub const DATABASE_CONNECTIONS_IN_USE: &str = "trainyard_database_connections_in_use";
/// Connections to the database there can be.
pub const DATABASE_CONNECTIONS_LIMIT: &str = "trainyard_database_connections_limit";
/// Connections closed because of a limit.
pub const HTTP_CONNECTIONS_DROPPED_TOTAL: &str = "trainyard_http_connections_dropped_total";
/// Requests being answered.
pub const HTTP_REQUESTS_IN_FLIGHT: &str = "trainyard_http_requests_in_flight";
/// Requests answered.
pub const HTTP_REQUESTS_TOTAL: &str = "trainyard_http_requests_total";
/// Time from a request's head to its answer's head.
pub const HTTP_REQUEST_DURATION_SECONDS: &str = "trainyard_http_request_duration_seconds";
/// Time of a prediction.
pub const INFERENCE_DURATION_SECONDS: &str = "trainyard_inference_duration_seconds";
/// Model versions ready to predict.
pub const INFERENCE_MODELS_LOADED: &str = "trainyard_inference_models_loaded";
/// Attempts to load a model version.
pub const INFERENCE_RELOADS_TOTAL: &str = "trainyard_inference_reloads_total";
/// Prediction requests.
pub const INFERENCE_REQUESTS_TOTAL: &str = "trainyard_inference_requests_total";
/// Rows predicted.
pub const INFERENCE_ROWS_TOTAL: &str = "trainyard_inference_rows_total";
/// Jobs by status, right now.
pub const JOBS_BY_STATUS: &str = "trainyard_jobs_by_status";
/// Jobs taken by a worker.
pub const JOBS_CLAIMED_TOTAL: &str = "trainyard_jobs_claimed_total";
/// Time from claim to final status.
pub const JOBS_DURATION_SECONDS: &str = "trainyard_jobs_duration_seconds";
/// Jobs that failed, by code.
pub const JOBS_FAILURES_TOTAL: &str = "trainyard_jobs_failures_total";
/// Writes of a run that no longer owned its job.
pub const JOBS_FENCED_WRITES_TOTAL: &str = "trainyard_jobs_fenced_writes_total";
/// Ended jobs that were removed.
pub const JOBS_EXPIRED_TOTAL: &str = "trainyard_jobs_expired_total";
/// Jobs that reached a final status.
pub const JOBS_FINISHED_TOTAL: &str = "trainyard_jobs_finished_total";
/// Leases that ran out.
pub const JOBS_LEASES_LOST_TOTAL: &str = "trainyard_jobs_leases_lost_total";
/// Jobs put back to run again.
pub const JOBS_RETRIES_TOTAL: &str = "trainyard_jobs_retries_total";
/// Jobs accepted.
pub const JOBS_SUBMITTED_TOTAL: &str = "trainyard_jobs_submitted_total";
/// Time from when a job could run to its claim.
pub const JOBS_WAIT_SECONDS: &str = "trainyard_jobs_wait_seconds";
/// Failed jobs.
pub const QUEUE_DEAD_LETTER_JOBS: &str = "trainyard_queue_dead_letter_jobs";
/// Jobs waiting, by class.
pub const QUEUE_DEPTH_JOBS: &str = "trainyard_queue_depth_jobs";
/// Stream entries thrown away.
pub const QUEUE_MESSAGES_DROPPED_TOTAL: &str = "trainyard_queue_messages_dropped_total";
/// Age of the oldest waiting job.
pub const QUEUE_OLDEST_AGE_SECONDS: &str = "trainyard_queue_oldest_age_seconds";
/// Whether claims are refused.
pub const QUEUE_PAUSED: &str = "trainyard_queue_paused";
/// Jobs that wait for their time.
pub const QUEUE_SCHEDULED_JOBS: &str = "trainyard_queue_scheduled_jobs";
/// Times of schedules that have come.
pub const SCHEDULES_FIRINGS_TOTAL: &str = "trainyard_schedules_firings_total";
/// Time of one sweep.
pub const SWEEP_DURATION_SECONDS: &str = "trainyard_sweep_duration_seconds";
/// How late the sweep is.
pub const SWEEP_LAG_SECONDS: &str = "trainyard_sweep_lag_seconds";
/// Spans that no collector has.
pub const TRACES_SPANS_DROPPED_TOTAL: &str = "trainyard_traces_spans_dropped_total";
/// Spans that a collector took.
pub const TRACES_SPANS_SENT_TOTAL: &str = "trainyard_traces_spans_sent_total";
/// Time inside the training process.
pub const TRAINING_DURATION_SECONDS: &str = "trainyard_training_duration_seconds";
/// Attempts to deliver a webhook.
pub const WEBHOOKS_ATTEMPTS_TOTAL: &str = "trainyard_webhooks_attempts_total";
/// Time of an attempt to deliver a webhook.
pub const WEBHOOKS_DURATION_SECONDS: &str = "trainyard_webhooks_duration_seconds";
/// Webhooks still to be delivered.
pub const WEBHOOKS_PENDING: &str = "trainyard_webhooks_pending";
/// Jobs a worker is running.
pub const WORKER_JOBS_RUNNING: &str = "trainyard_worker_jobs_running";
/// Jobs a worker can run at the same time.
pub const WORKER_SLOTS: &str = "trainyard_worker_slots";

/// Every metric, sorted by name.
pub const ALL: &[MetricSpec] = &[
    counter(PROCESS_CPU_SECONDS_TOTAL, &[], "Processor time this process has used, its training processes left out."),
    gauge(PROCESS_MAX_FDS, &[], "Files and sockets this process may have open."),
    gauge(PROCESS_OPEN_FDS, &[], "Files and sockets this process has open."),
    gauge(PROCESS_RESIDENT_MEMORY_BYTES, &[], "Memory this process holds, its training processes left out."),
    gauge(PROCESS_START_TIME_SECONDS, &[], "When this process started, in seconds since 1970."),
    gauge(API_EVENT_STREAMS, &[], "Event streams that clients hold open."),
    counter(ARTIFACTS_BYTES_TOTAL, &["direction"], "Bytes moved to (`put`) and from (`get`) the object store.")
        .with(&[&["put", "get"]]),
    counter(AUTH_LOGINS_TOTAL, &["outcome"], "Sign-ins by outcome: `ok`, `refused`, `disabled`, `limited`, `busy`.")
        .with(&[&["ok", "refused", "disabled", "limited", "busy"]]),
    gauge(BUILD_INFO, &["version", "role"], "1, with what runs: the version, and `up`, `api`, `worker` or `inference`."),
    gauge(DATABASE_CONNECTIONS_IN_USE, &[], "Connections to the database that this process is using right now."),
    gauge(DATABASE_CONNECTIONS_LIMIT, &[], "Connections to the database that this process may use at the same time."),
    counter(
        HTTP_CONNECTIONS_DROPPED_TOTAL,
        &["reason"],
        "Connections closed by a limit: `total_limit` and `address_limit` at once, `head_timeout` without a request, `write_timeout` for not reading.",
    )
    .with(&[&["total_limit", "address_limit", "head_timeout", "write_timeout"]]),
    histogram(
        HTTP_REQUEST_DURATION_SECONDS,
        &["method", "route"],
        REQUEST_SECONDS,
        "Time from a request's head to its answer's head, by route template.",
    ),
    gauge(HTTP_REQUESTS_IN_FLIGHT, &[], "Requests being answered right now."),
    counter(
        HTTP_REQUESTS_TOTAL,
        &["method", "route", "status"],
        "Requests by route template and status; 499 where the client left first.",
    ),
    histogram(
        INFERENCE_DURATION_SECONDS,
        &["model", "version"],
        PREDICT_SECONDS,
        "Time of a prediction request inside the role, the body parsed.",
    ),
    gauge(INFERENCE_MODELS_LOADED, &[], "Model versions in memory, ready to predict."),
    counter(
        INFERENCE_RELOADS_TOTAL,
        &["outcome"],
        "Attempts to load a model version: `ok`, `unavailable`, `not_found`, `digest_mismatch`, `invalid`, `panicked`.",
    )
    .with(&[&["ok", "unavailable", "not_found", "digest_mismatch", "invalid", "panicked"]]),
    counter(
        INFERENCE_REQUESTS_TOTAL,
        &["model", "version", "outcome"],
        "Prediction requests: `answered`, `refused`, `not_found`, `unavailable`, `failed`; those that reached no version \
         carry no model.",
    )
    .with(&[&[""], &[""], &["refused", "not_found", "unavailable", "failed"]]),
    counter(INFERENCE_ROWS_TOTAL, &["model", "version"], "Rows predicted."),
    gauge(JOBS_BY_STATUS, &["status"], "Jobs queued and running, as last measured by the sweep's leader."),
    counter(JOBS_CLAIMED_TOTAL, &[], "Jobs taken by a worker, each run counted."),
    histogram(JOBS_DURATION_SECONDS, &["algorithm", "status"], JOB_SECONDS, "Time from claim to final status."),
    counter(JOBS_EXPIRED_TOTAL, &[], "Ended jobs that the sweep removed because of their age."),
    counter(JOBS_FAILURES_TOTAL, &["code"], "Jobs that ended as failed, by failure code.").with(&[CODES]),
    counter(
        JOBS_FENCED_WRITES_TOTAL,
        &[],
        "Writes refused because the run no longer owned its job: each is a second run that did no harm.",
    ),
    counter(JOBS_FINISHED_TOTAL, &["algorithm", "status"], "Jobs that reached a final status.")
        .with(&[ALGORITHMS, ENDS]),
    counter(JOBS_LEASES_LOST_TOTAL, &[], "Leases that ran out and gave a job back to the queue."),
    counter(JOBS_RETRIES_TOTAL, &["reason"], "Jobs put back to run again, by failure code or interruption.")
        .with(&[REASONS]),
    counter(JOBS_SUBMITTED_TOTAL, &["algorithm"], "Jobs accepted with a 202.").with(&[ALGORITHMS]),
    histogram(JOBS_WAIT_SECONDS, &[], WAIT_SECONDS, "Time from when a job could run to its claim."),
    gauge(QUEUE_DEAD_LETTER_JOBS, &[], "Failed jobs that are kept, as last counted by the sweep's leader."),
    gauge(
        QUEUE_DEPTH_JOBS,
        &["class"],
        "Jobs waiting for a worker or for their time, as last measured by the sweep's leader.",
    ),
    counter(QUEUE_MESSAGES_DROPPED_TOTAL, &["reason"], "Queue entries thrown away because they could not be read, or had no job to claim.")
        .with(&[&["undecodable", "not_claimable"]]),
    gauge(QUEUE_OLDEST_AGE_SECONDS, &[], "Age of the oldest job that could run and does not yet."),
    gauge(QUEUE_PAUSED, &[], "1 while the queue is paused, as last measured by the sweep's leader."),
    gauge(QUEUE_SCHEDULED_JOBS, &[], "Jobs that wait for their time or for a retry, counted in the depth too."),
    counter(
        SCHEDULES_FIRINGS_TOTAL,
        &["outcome"],
        "Times of schedules that have come: `submitted`, `skipped_overlap`, `skipped_missed`, `refused`.",
    )
    .with(&[&["submitted", "skipped_overlap", "skipped_missed", "refused"]]),
    histogram(SWEEP_DURATION_SECONDS, &[], SWEEP_SECONDS, "Time of one sweep by the leader."),
    gauge(
        SWEEP_LAG_SECONDS,
        &[],
        "How long the next round of the sweep is overdue, whoever should do it, as this process sees it.",
    ),
    counter(
        TRACES_SPANS_DROPPED_TOTAL,
        &["reason"],
        "Spans that no collector has: `queue_full`, `export_failed`, `rejected`.",
    )
    .with(&[&["queue_full", "export_failed", "rejected"]]),
    counter(TRACES_SPANS_SENT_TOTAL, &[], "Spans that the collector took."),
    histogram(TRAINING_DURATION_SECONDS, &["algorithm"], JOB_SECONDS, "Time inside the training process."),
    counter(
        WEBHOOKS_ATTEMPTS_TOTAL,
        &["outcome"],
        "Attempts to deliver a webhook: `delivered`, `retried` (another will follow), `failed` (the last, or gone).",
    )
    .with(&[&["delivered", "retried", "failed"]]),
    histogram(
        WEBHOOKS_DURATION_SECONDS,
        &[],
        REQUEST_SECONDS,
        "Time of an attempt to deliver a webhook, up to the head of the receiver's answer.",
    ),
    gauge(WEBHOOKS_PENDING, &[], "Webhooks still to be delivered, as last measured by the sweep."),
    gauge(WORKER_JOBS_RUNNING, &[], "Jobs this worker is running."),
    gauge(WORKER_SLOTS, &[], "Jobs this worker can run at the same time."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_sorted_and_say_their_unit() {
        let names: Vec<_> = ALL.iter().map(|spec| spec.name).collect();
        // `_` sorts after the digits and before the letters, so compare by words as a person does.
        let mut sorted = names.clone();
        sorted.sort_by_key(|name| name.split('_').collect::<Vec<_>>());
        sorted.dedup();
        assert_eq!(names, sorted);
        for spec in ALL {
            // What every process has, goes by the names that every exporter gives it.
            assert!(["trainyard_", "process_"].iter().any(|area| spec.name.starts_with(area)), "{}", spec.name);
            assert!(spec.values.is_empty() || spec.values.len() == spec.labels.len(), "{}", spec.name);
            assert_eq!(spec.kind == Kind::Counter, spec.name.ends_with("_total"), "{}", spec.name);
            assert_eq!(spec.kind == Kind::Histogram, !spec.buckets.is_empty(), "{}", spec.name);
            assert!(spec.buckets.is_sorted(), "{}", spec.name);
        }
    }
}
