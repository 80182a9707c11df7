//! The responses of the health routes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All dependencies work.
    Ok,
    /// Only optional dependencies fail.
    Degraded,
    /// A critical dependency fails.
    Unavailable,
}

/// The outcome of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// The check succeeded.
    Ok,
    /// The check failed.
    Failed,
    /// The dependency is not configured.
    NotConfigured,
}

/// The response of `/health`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, or `unavailable` where the process must be restarted.
    pub status: Status,
}

/// The response of `/health/ready`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// The state that follows from all checks.
    pub status: Status,
    /// The checks by name.
    pub checks: BTreeMap<String, CheckReport>,
}

/// The report of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckReport {
    /// The outcome.
    pub status: CheckStatus,
    /// Whether the process needs the dependency.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub critical: Option<bool>,
    /// The duration of the check in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub latency_ms: Option<f64>,
    /// Why the check failed, without addresses or secrets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub error: Option<String>,
}

impl Ready {
    pub(super) fn stopping() -> Self {
        let (status, error) = (CheckStatus::Failed, Some("the process is stopping".to_owned()));
        let stopping = CheckReport { status, critical: Some(true), latency_ms: None, error };
        Self { status: Status::Unavailable, checks: BTreeMap::from([("stopping".to_owned(), stopping)]) }
    }

    pub(super) fn of(checks: BTreeMap<String, CheckReport>) -> Self {
        let failed = |critical| {
            checks.values().any(|check| check.status == CheckStatus::Failed && check.critical == Some(critical))
        };
        let status = match (failed(true), failed(false)) {
            (true, _) => Status::Unavailable,
            (false, true) => Status::Degraded,
            (false, false) => Status::Ok,
        };
        Self { status, checks }
    }
}
