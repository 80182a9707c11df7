//! Environment variables → keys: `TRAINYARD__SECTION__KEY` for every key, a conventional name for a few keys, and the
//! suffix `_FILE` for values in files.

use figment::value::{Dict, Num, Value};

use super::ConfigError;

/// Conventional names, as in Docker Compose, Helm charts and the OpenTelemetry specification.
pub(super) const CONVENTIONAL: &[(&str, &str)] = &[
    ("ADMIN_EMAIL", "auth.admin_email"),
    ("ADMIN_PASSWORD", "auth.admin_password"),
    ("ARTIFACT_URL", "artifacts.url"),
    ("DATABASE_URL", "database.url"),
    ("JWT_SECRET", "auth.jwt_secret"),
    ("LISTEN", "server.listen"),
    ("LOG_FORMAT", "log.format"),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "traces.batch_spans"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "traces.queue_spans"),
    ("OTEL_BSP_SCHEDULE_DELAY", "traces.batch_wait_ms"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.endpoint"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "traces.headers"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "traces.timeout_ms"),
    ("OTEL_RESOURCE_ATTRIBUTES", "traces.resource_attributes"),
    ("OTEL_TRACES_SAMPLER_ARG", "traces.ratio"),
    ("REDIS_URL", "queue.url"),
    ("RUST_LOG", "log.filter"),
    ("SKIP_AUTH", "auth.skip_auth"),
];

const PREFIX: &str = "TRAINYARD__";
const FILE_SUFFIX: &str = "_FILE";

/// The environment variable of a key, such as `TRAINYARD__WORKER__LEASE_S`.
pub(super) fn name_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

/// The keys that the environment sets, each with a value of the type of its default. Conventional names come first, so
/// that the `TRAINYARD__` name overrides them.
pub(super) fn overlay(defaults: &Dict, variables: Vec<(String, String)>) -> Result<Vec<(String, Value)>, ConfigError> {
    let mut found = Vec::new();
    for (name, text) in variables {
        let (bare, from_file) = match name.strip_suffix(FILE_SUFFIX) {
            Some(bare) if key_of(bare).is_some_and(|key| value_of(defaults, &key).is_some()) => (bare, true),
            _ => (name.as_str(), false),
        };
        let Some(key) = key_of(bare) else { continue };
        let Some(default) = value_of(defaults, &key) else {
            return Err(ConfigError(format!("{name}: unknown key {key}; `trainyard config` prints all keys")));
        };
        let text = if from_file { read(&name, &text)? } else { text };
        let value = parse(&key, default, &text).ok_or_else(|| {
            // A list of tables can contain secrets and is not quoted.
            let given = if matches!(default, Value::Array(..)) { String::new() } else { format!(", but is '{text}'") };
            ConfigError(format!("{name}: {key} must be {}{given}", expected(&key, default)))
        })?;
        found.push((bare.starts_with(PREFIX), key, value));
    }
    found.sort_by_key(|(exact, ..)| *exact);
    Ok(found.into_iter().map(|(_, key, value)| (key, value)).collect())
}

fn key_of(name: &str) -> Option<String> {
    if let Some(rest) = name.strip_prefix(PREFIX) {
        return Some(rest.to_lowercase().replace("__", "."));
    }
    let (_, key) = CONVENTIONAL.iter().find(|(conventional, _)| *conventional == name)?;
    Some((*key).to_owned())
}

/// The value of a key such as `server.listen`.
pub(super) fn value_of<'s>(settings: &'s Dict, key: &str) -> Option<&'s Value> {
    let (section, key) = key.split_once('.')?;
    settings.get(section)?.as_dict()?.get(key)
}

fn read(name: &str, path: &str) -> Result<String, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError(format!("{name}: {path} can't be read: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Keys that are lists of tables; all other lists are lists of strings.
const TABLES: [&str; 1] = ["auth.issuers"];

fn parse(key: &str, default: &Value, text: &str) -> Option<Value> {
    match default {
        Value::String(..) => Some(Value::from(text)),
        Value::Bool(..) => text.parse::<bool>().ok().map(Value::from),
        Value::Num(_, Num::F64(_)) => text.parse::<f64>().ok().map(Value::from),
        Value::Array(..) if TABLES.contains(&key) => {
            let list = serde_json::from_str::<Vec<serde_json::Value>>(text).ok()?;
            Value::serialize(list).ok()
        }
        Value::Array(..) => {
            let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            Some(Value::from(entries.map(Value::from).collect::<Vec<_>>()))
        }
        // All other numbers in `default.toml` are integers.
        _ => text.parse::<i64>().ok().map(Value::from),
    }
}

fn expected(key: &str, default: &Value) -> &'static str {
    match default {
        Value::Bool(..) => "true or false",
        Value::Num(_, Num::F64(_)) => "a number",
        Value::Array(..) if TABLES.contains(&key) => "a JSON list",
        Value::Array(..) => "a comma-separated list",
        _ => "a whole number",
    }
}
