//! The guard in the requests that move an alias or set weights.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use trainyard_domain::guard::{MAX_GUARD_S, MAX_MIN_REQUESTS, MAX_P99_MS};
use trainyard_domain::{FieldError, Guard, GuardId, GuardLimits, Guarded, ModelName};
use trainyard_http::integer;
use utoipa::ToSchema;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{Object, ObjectBuilder, Type};

/// Limits on the predictions of a new version. If one is exceeded, the version is rolled back automatically. A guard needs at
/// least one of `max_error_rate` and `max_p99_ms`.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"max_error_rate": 0.05, "max_p99_ms": 50, "for_s": 600, "min_requests": 100}))]
pub struct GuardRequest {
    /// The highest share of predictions that fail by a defect (answers with a 5xx status). Refused requests do not count.
    #[schema(schema_with = max_error_rate)]
    max_error_rate: Option<f64>,
    /// The highest 99th percentile of the duration of a prediction, in milliseconds.
    #[schema(schema_with = max_p99_ms)]
    max_p99_ms: Option<f64>,
    /// How long the version is watched, in seconds; 600 when left out.
    #[serde(default = "default_for_s", deserialize_with = "integer::i64")]
    #[schema(minimum = 1, maximum = 604_800)]
    for_s: i64,
    /// The least number of predictions before a limit counts; 100 when left out.
    #[serde(default = "default_min_requests", deserialize_with = "integer::i64")]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    min_requests: i64,
}

fn default_for_s() -> i64 {
    600
}

fn default_min_requests() -> i64 {
    100
}

fn max_error_rate() -> Object {
    let about = "The highest share of predictions that fail by a defect (answers with a 5xx status). Refused requests do not count.";
    number_or_null(about).minimum(Some(0)).exclusive_maximum(Some(1)).build()
}

fn max_p99_ms() -> Object {
    let about = "The highest 99th percentile of the duration of a prediction, in milliseconds.";
    number_or_null(about).exclusive_minimum(Some(0)).maximum(Some(MAX_P99_MS)).build()
}

fn number_or_null(about: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Number, Type::Null])).description(Some(about))
}

// The attributes of the schema can't name constants.
const _: () = assert!(MAX_GUARD_S == 604_800 && MAX_MIN_REQUESTS == 1_000_000_000);

impl GuardRequest {
    /// One error for each invalid field.
    pub(crate) fn errors(&self) -> Vec<FieldError> {
        self.limits().check(self.for_s)
    }

    /// The guard of a version from `now` on.
    pub(crate) fn start(&self, model: &ModelName, version: i64, guarded: Guarded, now: DateTime<Utc>) -> Guard {
        Guard {
            id: GuardId::at(now),
            model: model.clone(),
            version,
            guarded,
            limits: self.limits(),
            ends_at: now + TimeDelta::seconds(self.for_s),
        }
    }

    fn limits(&self) -> GuardLimits {
        let Self { max_error_rate, max_p99_ms, min_requests, .. } = *self;
        GuardLimits { max_error_rate, max_p99_ms, min_requests }
    }
}
