//! Rows of `webhook_deliveries`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use trainyard_domain::webhook::Delivery;
use trainyard_domain::{DeliveryId, JobId};
use uuid::Uuid;

use crate::error::Result;
use crate::from_row::from_row;
use crate::parse;
use crate::stored::{Id, StoredRow};

from_row! {
    pub(super) struct DeliveryRow {
        id: Uuid,
        job_id: Uuid,
        url: String,
        receiver: String,
        event: String,
        payload: Json<Value>,
        status: String,
        claim: i64,
        attempts: i64,
        next_attempt_at: DateTime<Utc>,
        last_status: Option<i64>,
        last_error: Option<String>,
        created_at: DateTime<Utc>,
        finished_at: Option<DateTime<Utc>>,
    }
}

impl StoredRow for DeliveryRow {
    const TABLE: &'static str = "webhook_deliveries";
    type Key = Id;
    type Value = Delivery;

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<Delivery> {
        Ok(Delivery {
            id: DeliveryId(self.id),
            job_id: JobId(self.job_id),
            url: self.url,
            receiver: self.receiver,
            event: self.event,
            payload: self.payload.0,
            status: parse::delivery_status(&self.status)?,
            claim: self.claim,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at,
            last_status: self.last_status,
            last_error: self.last_error,
            created_at: self.created_at,
            finished_at: self.finished_at,
        })
    }
}
