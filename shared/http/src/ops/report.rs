//! What the health routes answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How well the process can work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In full.
    Ok,
    /// Without something optional.
    Degraded,
    /// Not at all.
    Unavailable,
}

/// How one check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It answers.
    Ok,
    /// It does not.
    Failed,
    /// It is not used here.
    NotConfigured,
}

/// The answer of `/health`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok` while the process lives.
    pub status: Status,
}

/// The answer of `/health/ready`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// The worst that a check means.
    pub status: Status,
    /// Each check by name.
    pub checks: BTreeMap<String, CheckReport>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckReport {
    /// How it went.
    pub status: CheckStatus,
    /// Whether the process can't work without it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub critical: Option<bool>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub latency_ms: Option<f64>,
    /// What is wrong, without addresses or secrets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub error: Option<String>,
}

impl Ready {
    /// What a process says that is about to stop.
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
