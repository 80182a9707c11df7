//! Schemas of the history of aliases, of traffic and of guards.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use trainyard_domain::{AliasMove, Guard, GuardCounts, ModelName, MoveReason};
use trainyard_http::schema::one_of_texts;
use trainyard_storage::StoredTraffic;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// The schema of the reason of a change.
struct MoveReasonName;

impl PartialSchema for MoveReasonName {
    fn schema() -> RefOr<Schema> {
        one_of_texts(MoveReason::ALL.map(MoveReason::as_str), "Why an alias changed.")
    }
}

impl ToSchema for MoveReasonName {}

/// A change of an alias.
#[derive(Debug, Serialize, ToSchema)]
pub struct AliasMoveView {
    /// The number of the change, from 1.
    #[schema(example = 7)]
    pub number: i64,
    /// The version before; `null` if the alias did not exist.
    #[schema(required, example = 3)]
    pub from: Option<i64>,
    /// The version since then; `null` if the alias was removed.
    #[schema(required, example = 4)]
    pub to: Option<i64>,
    /// Why the alias changed.
    #[schema(value_type = MoveReasonName, example = "user")]
    pub reason: &'static str,
    /// What led to the change.
    #[schema(required, example = "promoted: roc_auc 0.87 is better than 0.86 of version 3")]
    pub detail: Option<String>,
    /// The account that changed the alias; `null` for the server itself.
    #[schema(required)]
    pub moved_by: Option<Uuid>,
    /// When the alias changed.
    pub moved_at: DateTime<Utc>,
    /// The guard of the version, while it is watched.
    #[schema(required)]
    pub guard: Option<GuardView>,
}

impl AliasMoveView {
    /// The schema of `change`, whose version has `guard`.
    pub fn new(change: AliasMove, guard: Option<GuardView>) -> Self {
        let cause = change.cause;
        Self {
            number: change.number,
            from: change.from,
            to: change.to,
            reason: cause.reason.as_str(),
            detail: cause.detail,
            moved_by: cause.actor.map(|actor| actor.0),
            moved_at: cause.at,
            guard,
        }
    }
}

/// A guard with what has been counted since it began. The inference processes report once a second.
#[derive(Debug, Serialize, ToSchema)]
pub struct GuardView {
    /// The guarded version.
    #[schema(example = 4)]
    pub version: i64,
    /// The highest share of failed predictions.
    #[schema(required, example = 0.05)]
    pub max_error_rate: Option<f64>,
    /// The highest 99th percentile of the duration of a prediction, in milliseconds.
    #[schema(required, example = 50.0)]
    pub max_p99_ms: Option<f64>,
    /// The least number of predictions before a limit counts.
    #[schema(example = 100)]
    pub min_requests: i64,
    /// When the guard ends.
    pub ends_at: DateTime<Utc>,
    /// Predictions so far.
    #[schema(example = 41)]
    pub requests: i64,
    /// Predictions that failed by a defect.
    #[schema(example = 0)]
    pub failed: i64,
    /// Predictions that took longer than `max_p99_ms`.
    #[schema(example = 0)]
    pub slow: i64,
}

impl From<(Guard, GuardCounts)> for GuardView {
    fn from((guard, counts): (Guard, GuardCounts)) -> Self {
        Self {
            version: guard.version,
            max_error_rate: guard.limits.max_error_rate,
            max_p99_ms: guard.limits.max_p99_ms,
            min_requests: guard.limits.min_requests,
            ends_at: guard.ends_at,
            requests: counts.requests,
            failed: counts.failed,
            slow: counts.slow,
        }
    }
}

/// The traffic of a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrafficView {
    /// The name of the model.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// The weight of each version; empty if `production` answers.
    #[schema(example = json!({"3": 90, "4": 10}))]
    pub versions: BTreeMap<String, u32>,
    /// The versions that get copies of the requests.
    #[schema(example = json!([5]))]
    pub shadow: Vec<i64>,
    /// The guards of the versions with a weight, while they are watched.
    pub guards: Vec<GuardView>,
    /// When the traffic was set; `null` if none is set.
    #[schema(required)]
    pub updated_at: Option<DateTime<Utc>>,
}

impl TrafficView {
    /// The schema of the traffic of `name`.
    pub fn new(name: &ModelName, stored: StoredTraffic, guards: Vec<GuardView>) -> Self {
        let StoredTraffic { traffic, updated_at } = stored;
        Self {
            name: name.as_str().to_owned(),
            versions: traffic.weights.into_iter().map(|(version, weight)| (version.to_string(), weight)).collect(),
            shadow: traffic.shadow.into_iter().collect(),
            guards,
            updated_at,
        }
    }
}
