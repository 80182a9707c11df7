//! The lowest and the highest value of every number in `default.toml`. A test fails for a number without bounds.

use figment::value::{Dict, Value};

use super::ConfigError;
use super::environment::value_of;

/// Ten years, in seconds: practically forever, and small enough to add to every clock.
const YEARS: i64 = 315_360_000;
const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
const TIB: i64 = 1 << 40;
const GIB: i64 = 1 << 30;
/// One minute and ten minutes, in milliseconds.
const MINUTE_MS: i64 = 60_000;
const TEN_MINUTES_MS: i64 = 600_000;

/// Key, lowest value and highest value. If 0 has a special meaning, `default.toml` explains it.
const BOUNDS: &[(&str, i64, i64)] = &[
    ("server.request_timeout_s", 1, HOUR),
    ("server.drain_delay_s", 0, HOUR),
    ("server.shutdown_grace_s", 0, HOUR),
    ("server.max_body_bytes", 1_024, GIB),
    ("server.max_connections", 1, 10_000_000),
    ("server.max_connections_per_address", 1, 10_000_000),
    ("server.head_timeout_s", 1, HOUR),
    ("server.idle_timeout_s", 1, HOUR),
    ("server.write_timeout_s", 1, HOUR),
    ("server.body_pause_s", 1, HOUR),
    ("server.body_min_bytes_per_s", 0, GIB),
    ("traces.ratio", 0, 1),
    ("traces.timeout_ms", 1, TEN_MINUTES_MS),
    ("traces.queue_spans", 1, 1_000_000),
    ("traces.batch_spans", 1, 1_000_000),
    ("traces.batch_wait_ms", 1, TEN_MINUTES_MS),
    ("traces.flush_ms", 0, TEN_MINUTES_MS),
    ("database.max_connections", 0, 10_000),
    ("database.acquire_timeout_s", 1, 300),
    ("database.statement_timeout_s", 1, trainyard_storage::PoolOptions::LONGEST_STATEMENT.as_secs().cast_signed()),
    ("queue.response_timeout_ms", 100, 10_000),
    ("queue.redeliver_after_s", 1, DAY),
    ("auth.bcrypt_cost", 4, 16),
    ("auth.max_failed_logins", 1, 1_000_000),
    ("auth.max_failed_logins_per_account", 1, 1_000_000),
    ("auth.max_failed_logins_per_address", 1, 1_000_000),
    ("auth.failed_login_window_s", 1, DAY),
    ("auth.max_signups_per_address", 1, 1_000_000),
    ("auth.signup_window_s", 1, DAY),
    ("auth.known_address_ttl_s", 1, YEARS),
    ("auth.one_time_password_ttl_s", 1, YEARS),
    ("auth.max_api_keys_per_user", 0, 10_000),
    ("api.access_token_ttl_s", 1, YEARS),
    ("api.refresh_token_ttl_s", 1, YEARS),
    ("api.max_dataset_bytes", 1, TIB),
    ("api.max_dataset_rows", 1, 1 << 40),
    ("api.max_dataset_columns", 1, 1_000_000),
    ("api.max_dataset_row_bytes", 1024, 1 << 30),
    ("api.max_missing_markers", 1, 10_000),
    ("api.max_concurrent_uploads", 1, 10_000),
    ("api.upload_timeout_s", 1, DAY),
    ("api.max_jobs_per_user", 1, 1 << 40),
    ("api.max_jobs_total", 1, 1 << 40),
    ("api.dispatch_window", 1, 1 << 30),
    ("api.dispatch_timeout_ms", 1, MINUTE_MS),
    ("api.idempotency_ttl_s", 1, YEARS),
    ("api.max_schedules", 0, 1_000_000),
    ("api.max_long_polls", 0, 1_000_000),
    ("api.max_event_streams", 1, 1_000_000),
    ("api.max_event_streams_per_user", 1, 1_000_000),
    ("api.watch_sessions_every_ms", 10, MINUTE_MS),
    ("api.event_heartbeat_s", 1, HOUR),
    ("api.watch_every_ms", 10, MINUTE_MS),
    ("api.worker_alive_s", 1, DAY),
    ("api.action_poll_ms", 10, MINUTE_MS),
    ("api.action_lease_s", 1, HOUR),
    ("api.max_artifact_bytes", 1, TIB),
    // A protobuf message has at most 2 GiB.
    ("api.max_onnx_bytes", 1, (1 << 31) - 1),
    ("api.max_concurrent_exports", 1, 1_000),
    ("worker.concurrency", 1, 4_096),
    ("worker.lease_s", 2, DAY),
    ("worker.renew_every_s", 1, DAY),
    ("worker.cancel_poll_ms", 10, MINUTE_MS),
    ("worker.grace_s", 0, DAY),
    ("worker.prediction_part_rows", 100, 1_000_000),
    ("worker.checkpoint_interval_s", 0, DAY),
    ("worker.checkpoint_max_bytes", 1, TIB),
    ("worker.dataset_cache_mb", 0, 1 << 30),
    ("worker.max_artifact_bytes", 1, TIB),
    ("worker.child_memory_mb", 0, 1 << 30),
    ("worker.max_log_lines", 0, 1_000_000),
    ("worker.child_folder_mb", 0, 1 << 30),
    ("worker.child_output_mb", 1, 1 << 20),
    ("worker.child_open_files", 16, 1_000_000),
    // The kernel reads 4294967295 as "no change", and the process would stay root.
    ("worker.child_uid", 0, 4_294_967_294),
    ("worker.child_threads", 0, 1_024),
    ("worker.max_jobs", 0, 1 << 40),
    ("worker.storage_patience_s", 0, YEARS),
    ("worker.pod_cost_lower_after_s", 0, DAY),
    ("worker.unhealthy_after_s", 1, DAY),
    ("sweep.every_ms", 10, MINUTE_MS),
    ("sweep.lease_s", 1, HOUR),
    ("sweep.dispatch_batch", 1, 1 << 30),
    ("sweep.dispatch_window", 1, 1 << 30),
    ("sweep.settle_ms", 0, TEN_MINUTES_MS),
    ("sweep.worker_dead_after_s", 1, DAY),
    ("sweep.measure_every_s", 1, HOUR),
    ("sweep.cleanup_every_s", 1, DAY),
    ("sweep.orphans_every_s", 1, YEARS),
    ("sweep.orphan_age_s", 60, YEARS),
    ("sweep.keep_finished_s", 0, YEARS),
    ("sweep.keep_audit_s", 0, YEARS),
    ("sweep.keep_logs_s", 0, YEARS),
    ("sweep.keep_schedule_runs_s", 0, YEARS),
    ("sweep.keep_actions_s", 0, YEARS),
    ("sweep.keep_workers_s", 1, YEARS),
    ("sweep.keep_request_log_s", 0, YEARS),
    ("sweep.expiry_batch", 1, 100_000),
    ("sweep.schedule_late_s", 1, YEARS),
    ("sweep.schedule_runs_kept", 1, 1_000_000),
    ("webhooks.timeout_s", 1, 300),
    ("webhooks.concurrency", 1, 1_000),
    ("webhooks.keep_s", 1, YEARS),
    ("inference.max_body_bytes", 1_024, GIB),
    ("inference.max_instances", 1, 10_000_000),
    ("inference.max_explained_instances", 1, 100_000),
    ("inference.poll_ms", 10, MINUTE_MS),
    ("inference.api_key_outage_s", 0, DAY),
    ("inference.max_artifact_bytes", 1, TIB),
    ("inference.concurrent_loads", 1, 1_000),
    ("inference.max_pinned_versions", 0, 100_000),
    ("inference.pinned_wait_ms", 0, MINUTE_MS),
    ("inference.cache_max_bytes", 0, 1 << 50),
    ("inference.memory_budget_mb", 0, 1 << 30),
    ("inference.max_in_flight", 0, 1_000_000),
    ("inference.concurrent_batches", 0, 1_024),
    ("inference.max_waiting_batches", 0, 1_000_000),
    ("inference.max_version_series", 1, 100_000),
    ("inference.drift_window_s", 60, 604_800),
    ("inference.drift_min_rows", 1, 1_000_000_000),
    ("inference.drift_max_features", 0, 10_000),
    ("inference.request_log_share", 0, 1),
    ("inference.request_log_object_bytes", 65_536, GIB),
    ("inference.request_log_flush_s", 1, HOUR),
    ("inference.request_log_buffer_bytes", 65_536, GIB),
    ("inference.shadow_queue_bytes", 0, TIB),
];

/// The bounds of a key, if the key has a number.
pub(super) fn of(key: &str) -> Option<(i64, i64)> {
    BOUNDS.iter().find(|(known, ..)| *known == key).map(|(_, least, greatest)| (*least, *greatest))
}

/// Checks the bounds of every number. Deserialization checks all other types.
///
/// # Errors
/// The first number out of bounds.
pub(super) fn check(settings: &Dict) -> Result<(), ConfigError> {
    for &(key, least, greatest) in BOUNDS {
        let Some(number) = value_of(settings, key).and_then(number) else { continue };
        #[allow(clippy::cast_precision_loss, reason = "every bound has fewer than 53 bits")]
        if !(least as f64..=greatest as f64).contains(&number) {
            return Err(ConfigError(format!("{key} must be from {least} to {greatest}, but is {number}")));
        }
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a number that loses precision is out of bounds")]
fn number(value: &Value) -> Option<f64> {
    let Value::Num(_, number) = value else { return None };
    let whole = number.to_i128().map(|whole| whole as f64).or_else(|| number.to_u128().map(|whole| whole as f64));
    whole.or_else(|| number.to_f64())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigError, defaults, environment::name_of, merge};
    use super::{BOUNDS, number, of};

    fn with(key: &str, value: &str) -> Result<Config, ConfigError> {
        merge(None, vec![(name_of(key), value.to_owned())], &Vec::new())
    }

    #[test]
    fn every_number_has_bounds_and_an_error_names_the_key() {
        for (section, keys) in defaults() {
            for (name, default) in keys.as_dict().unwrap() {
                let key = format!("{section}.{name}");
                if number(default).is_none() {
                    assert_eq!(of(&key), None, "{key} is no number");
                    continue;
                }
                let (least, greatest) = of(&key).unwrap_or_else(|| panic!("{key} has no bounds: add it to BOUNDS"));
                for outside in [least - 1, greatest + 1, i64::MIN, i64::MAX] {
                    let refused = with(&key, &outside.to_string()).unwrap_err().0;
                    assert!(refused.contains(&key), "{key} = {outside}: {refused}");
                    assert!(refused.contains(&format!("from {least} to {greatest}")), "{key} = {outside}: {refused}");
                }
            }
        }
    }

    #[test]
    fn the_bounds_themselves_are_valid_numbers() {
        for &(key, least, greatest) in BOUNDS {
            for bound in [least, greatest] {
                if let Err(ConfigError(refused)) = with(key, &bound.to_string()) {
                    assert!(!refused.contains("must be from"), "{key} = {bound}: {refused}");
                }
            }
        }
    }
}
