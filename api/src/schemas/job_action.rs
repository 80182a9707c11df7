//! Schemas of bulk actions.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use trainyard_domain::{ActionKind, ActionStatus, JobAction, SkippedJob};
use utoipa::ToSchema;
use uuid::Uuid;

use super::job::SkippedView;
use crate::routes::training::filter::FilterView;

/// What a bulk action does with each job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActionKindView {
    /// Cancels queued and running jobs.
    Cancel,
    /// Queues failed and cancelled jobs again.
    Retry,
}

impl From<ActionKind> for ActionKindView {
    fn from(kind: ActionKind) -> Self {
        match kind {
            ActionKind::Cancel => Self::Cancel,
            ActionKind::Retry => Self::Retry,
        }
    }
}

impl From<ActionKindView> for ActionKind {
    fn from(kind: ActionKindView) -> Self {
        match kind {
            ActionKindView::Cancel => Self::Cancel,
            ActionKindView::Retry => Self::Retry,
        }
    }
}

/// The state of a bulk action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActionStatusView {
    /// Jobs are left.
    Running,
    /// All jobs were changed or skipped.
    Succeeded,
    /// The action stopped because of an error. The changed jobs stay changed.
    Failed,
}

/// An accepted bulk action. Poll `status_url` for its progress.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionAcceptedView {
    /// The id of the action.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub action_id: Uuid,
    /// The state of the action at the time of the response.
    pub status: ActionStatusView,
    /// The number of jobs of the action.
    #[schema(example = 4211)]
    pub total: i64,
    /// The URL of the action.
    #[schema(example = "/training/actions/01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub status_url: String,
}

/// A bulk action and its progress.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionView {
    /// The id of the action.
    pub action_id: Uuid,
    /// What is done with each job.
    pub action: ActionKindView,
    /// The filter of the request.
    #[schema(value_type = FilterView)]
    pub filter: Value,
    /// The state of the action.
    pub status: ActionStatusView,
    /// The number of jobs that matched when the action started.
    #[schema(example = 4211)]
    pub total: i64,
    /// The number of changed and skipped jobs.
    #[schema(example = 1200)]
    pub processed: i64,
    /// The number of jobs that were cancelled or queued again. The workers stop running jobs within seconds.
    #[schema(example = 1198)]
    pub changed: i64,
    /// The number of jobs that were left unchanged.
    #[schema(example = 2)]
    pub skipped: i64,
    /// The first hundred skipped jobs.
    pub skipped_jobs: Vec<SkippedView>,
    /// The account that started the action.
    pub created_by: Uuid,
    /// When the action started.
    pub created_at: DateTime<Utc>,
    /// When the action finished.
    #[schema(required)]
    pub finished_at: Option<DateTime<Utc>>,
    /// Why the action failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "the database refused a change")]
    pub error: Option<String>,
}

impl From<ActionStatus> for ActionStatusView {
    fn from(status: ActionStatus) -> Self {
        match status {
            ActionStatus::Running => Self::Running,
            ActionStatus::Succeeded => Self::Succeeded,
            ActionStatus::Failed => Self::Failed,
        }
    }
}

impl From<JobAction> for ActionView {
    fn from(action: JobAction) -> Self {
        let skipped = |SkippedJob { job_id, reason }| SkippedView { job_id: job_id.0, reason };
        Self {
            action_id: action.id.0,
            action: action.kind.into(),
            filter: action.filter,
            status: action.status.into(),
            total: action.total,
            processed: action.progress.processed(),
            changed: action.progress.changed,
            skipped: action.progress.skipped,
            skipped_jobs: action.progress.skipped_jobs.into_iter().map(skipped).collect(),
            created_by: action.created_by.0,
            created_at: action.created_at,
            finished_at: action.finished_at,
            error: action.error,
        }
    }
}
