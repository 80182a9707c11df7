//! Schemas of webhook deliveries.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use trainyard_domain::webhook::{self, Delivery, DeliveryStatus};
use utoipa::ToSchema;
use uuid::Uuid;

/// The status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatusView {
    /// An attempt is due, now or later.
    Pending,
    /// The receiver accepted the event.
    Delivered,
    /// Every attempt failed, or the receiver answered 410.
    Failed,
}

impl From<DeliveryStatus> for DeliveryStatusView {
    fn from(status: DeliveryStatus) -> Self {
        match status {
            DeliveryStatus::Pending => Self::Pending,
            DeliveryStatus::Delivered => Self::Delivered,
            DeliveryStatus::Failed => Self::Failed,
        }
    }
}

/// The delivery of one event to one webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// The id of the delivery: the `webhook-id` of every attempt, also after a replay.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub id: Uuid,
    /// The job of the event.
    pub job_id: Uuid,
    /// The webhook URL, with its query masked. Only administrators and the submitter of the job can read it.
    #[schema(example = "https://example.com/hooks/trainyard")]
    pub url: Option<String>,
    /// `training.succeeded`, `training.failed` or `training.cancelled`.
    #[schema(example = "training.succeeded")]
    pub event: String,
    /// The body of the request.
    #[schema(value_type = Object)]
    pub payload: Value,
    /// The status of the delivery.
    pub status: DeliveryStatusView,
    /// The number of attempts since the last replay.
    #[schema(example = 2)]
    pub attempts: i64,
    /// When the next attempt is due; `null` when no attempt is left.
    #[schema(required)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The HTTP status of the response to the last attempt, if any.
    #[schema(required, example = 503)]
    pub last_status: Option<i64>,
    /// Why the last attempt failed.
    #[schema(required, example = "answered 503 Service Unavailable")]
    pub last_error: Option<String>,
    /// When the event happened.
    pub created_at: DateTime<Utc>,
    /// When the delivery succeeded or finally failed.
    #[schema(required)]
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let pending = delivery.status == DeliveryStatus::Pending;
        Self {
            id: delivery.id.0,
            job_id: delivery.job_id.0,
            url: Some(webhook::masked(&delivery.url)),
            event: delivery.event,
            payload: delivery.payload,
            status: delivery.status.into(),
            attempts: delivery.attempts,
            next_attempt_at: pending.then_some(delivery.next_attempt_at),
            last_status: delivery.last_status,
            last_error: delivery.last_error,
            created_at: delivery.created_at,
            finished_at: delivery.finished_at,
        }
    }
}
