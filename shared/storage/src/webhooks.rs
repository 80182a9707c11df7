//! The `webhook_deliveries` table: a transactional outbox.
//!
//! The transaction that finishes a job inserts its delivery. Each attempt first claims the row, which postpones the next
//! attempt, so a crashed sender only delays the delivery.

mod rows;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use trainyard_domain::webhook::{AttemptResult, Delivery, DeliveryDecision, DeliveryStatus, event, receiver};
use trainyard_domain::{DeliveryId, JobId};
use uuid::Uuid;

use crate::error::Result;
use crate::sql::{all, execute, one, optional, write_all, write_optional};
use crate::stored::{Id, PageReader, Stored, readable};
use crate::tx::Tx;
use rows::DeliveryRow;

/// Webhook deliveries.
#[derive(Debug)]
pub struct Webhooks<'t>(pub(crate) &'t mut Tx);

/// Maximum number of receivers to exclude from a claim.
pub const MAX_BUSY: usize = 4;

/// Filter of a list of deliveries; `None` matches all.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryFilter {
    /// Deliveries with this status.
    pub status: Option<DeliveryStatus>,
    /// Deliveries of this job.
    pub job: Option<JobId>,
}

impl DeliveryFilter {
    /// Each combination has its own SQL text and so its own plan, as for jobs.
    fn sql(self) -> String {
        let status = self.status.map_or(String::new(), |status| format!("AND status = '{}' ", status.as_str()));
        let job = if self.job.is_some() { "job_id = $2" } else { "$2 IS NULL" };
        format!("SELECT * FROM webhook_deliveries WHERE id < $1 {status}AND {job} ORDER BY id DESC LIMIT $3")
    }
}

impl Webhooks<'_> {
    /// Inserts the delivery for a job that has a final state in this transaction. Call it after the write that may have
    /// finished the job. Does nothing for other jobs, and for jobs without `webhook_url`.
    pub async fn enqueue(&mut self, id: JobId, now: DateTime<Utc>) -> Result<()> {
        let Some(job) = self.0.jobs().get(id).await? else { return Ok(()) };
        let (Some(url), Some((event, payload))) = (&job.spec.webhook_url, event(&job)) else { return Ok(()) };
        execute!(
            self.0,
            "INSERT INTO webhook_deliveries (id, job_id, url, receiver, event, payload, status, claim, attempts, \
             next_attempt_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, 0, $7, $7)",
            DeliveryId::at(now).0,
            id.0,
            url,
            receiver(url),
            event,
            Json(&payload),
            now,
        )?;
        Ok(())
    }

    /// Whether a delivery is due at `now`.
    pub async fn any_due(&mut self, now: DateTime<Utc>) -> Result<bool> {
        let due: Option<(Uuid,)> = optional!(
            self.0,
            "SELECT id FROM webhook_deliveries WHERE status = 'pending' AND next_attempt_at <= $1 LIMIT 1",
            now,
        )?;
        Ok(due.is_some())
    }

    /// Claims up to `limit` due deliveries, those due first, except deliveries to the receivers in `busy`. They are not
    /// claimed again before `until`. After `until` an attempt without a recorded result counts as lost.
    pub async fn claim(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
        busy: &[&str; MAX_BUSY],
    ) -> Result<Vec<Delivery>> {
        // The outer condition refuses rows that a concurrent claim has postponed.
        let rows: Vec<Stored<DeliveryRow>> = write_all!(
            self.0,
            "UPDATE webhook_deliveries SET claim = claim + 1, attempts = attempts + 1, next_attempt_at = $2 \
             WHERE status = 'pending' AND next_attempt_at <= $1 AND id IN (SELECT id FROM webhook_deliveries \
             WHERE status = 'pending' AND next_attempt_at <= $1 AND receiver NOT IN ($4, $5, $6, $7) ORDER BY next_attempt_at, id LIMIT $3) RETURNING *",
            now,
            until,
            limit,
            busy[0],
            busy[1],
            busy[2],
            busy[3],
        )?;
        // Unreadable deliveries are postponed too, so they do not block the others.
        let mut claimed = readable(rows);
        claimed.sort_by_key(|delivery| delivery.id);
        Ok(claimed)
    }

    /// Records the result of the attempt with this claim. Returns `false` if the delivery was claimed or replayed since.
    pub async fn record(
        &mut self,
        id: DeliveryId,
        claim: i64,
        answer: &AttemptResult,
        after: DeliveryDecision,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let (status, again, finished) = match after {
            DeliveryDecision::Delivered => (DeliveryStatus::Delivered, None, Some(now)),
            DeliveryDecision::Failed => (DeliveryStatus::Failed, None, Some(now)),
            DeliveryDecision::Retry(at) => (DeliveryStatus::Pending, Some(at), None),
        };
        let changed = execute!(
            self.0,
            "UPDATE webhook_deliveries SET status = $3, next_attempt_at = COALESCE($4, next_attempt_at), \
             finished_at = $5, last_status = $6, last_error = $7 \
             WHERE id = $1 AND claim = $2 AND status = 'pending'",
            id.0,
            claim,
            status.as_str(),
            again,
            finished,
            answer.status.map(i64::from),
            answer.error.as_deref(),
        )?;
        Ok(changed == 1)
    }

    /// Makes a delivery due at once with a new series of attempts, whatever its status. Returns `None` if it does not exist.
    /// The result of a running attempt is not recorded.
    pub async fn replay(&mut self, id: DeliveryId, now: DateTime<Utc>) -> Result<Option<Delivery>> {
        let row: Option<Stored<DeliveryRow>> = write_optional!(
            self.0,
            "UPDATE webhook_deliveries SET status = 'pending', claim = claim + 1, attempts = 0, next_attempt_at = $2, \
             finished_at = NULL WHERE id = $1 RETURNING *",
            id.0,
            now,
        )?;
        row.map(Stored::value).transpose()
    }

    /// The delivery with this id.
    pub async fn get(&mut self, id: DeliveryId) -> Result<Option<Delivery>> {
        let row: Option<Stored<DeliveryRow>> =
            optional!(self.0, "SELECT * FROM webhook_deliveries WHERE id = $1", id.0)?;
        row.map(Stored::value).transpose()
    }

    /// The deliveries that match `filter` and are older than `before`, newest first. Unreadable rows are left out.
    pub async fn list(
        &mut self,
        filter: DeliveryFilter,
        before: Option<DeliveryId>,
        limit: i64,
    ) -> Result<Vec<Delivery>> {
        let sql = filter.sql();
        let mut page: PageReader<DeliveryRow> = PageReader::new(before.map(|id| Id(id.0)), limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(all!(
                self.0,
                AssertSqlSafe(sql.clone()),
                before.map_or(Uuid::max(), |id| id.0),
                filter.job.map(|id| id.0),
                limit,
            )?);
        }
        Ok(page.values())
    }

    /// Number of pending deliveries.
    pub async fn pending(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM webhook_deliveries WHERE status = 'pending'")?;
        Ok(count)
    }
}
