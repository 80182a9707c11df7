//! The `webhook_deliveries` table: the outbox of what jobs tell the world when they end.
//!
//! A row is written in the transaction that ends its job, so no end goes untold and none is told that did not happen.
//! An attempt claims its row first, which puts the next one off: a sender that dies loses nothing but time.

mod rows;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use trainyard_domain::webhook::{After, Answer, Delivery, DeliveryStatus, event, receiver};
use trainyard_domain::{DeliveryId, JobId};
use uuid::Uuid;

use crate::error::Result;
use crate::sql::{all, execute, one, optional, write_all, write_optional};
use crate::stored::{Id, PageReader, Stored, readable};
use crate::tx::Tx;
use rows::DeliveryRow;

/// The outbox of webhooks.
#[derive(Debug)]
pub struct Webhooks<'t>(pub(crate) &'t mut Tx);

/// How many receivers can be left out of a claim.
pub const MAX_BUSY: usize = 4;

/// Which deliveries to list; `None` lets all pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryFilter {
    /// Those that stand so.
    pub status: Option<DeliveryStatus>,
    /// Those that tell of this job.
    pub job: Option<JobId>,
}

impl DeliveryFilter {
    /// A text of its own for each combination, as for jobs, so that each gets a plan of its own.
    fn sql(self) -> String {
        let status = self.status.map_or(String::new(), |status| format!("AND status = '{}' ", status.as_str()));
        let job = if self.job.is_some() { "job_id = $2" } else { "$2 IS NULL" };
        format!("SELECT * FROM webhook_deliveries WHERE id < $1 {status}AND {job} ORDER BY id DESC LIMIT $3")
    }
}

impl Webhooks<'_> {
    /// Puts the end of a job into the outbox, as the job stands in this transaction: call it right after the write that
    /// may have ended it. Nothing happens for a job that goes on, or that has no `webhook_url`.
    ///
    /// # Errors
    /// As every query.
    pub async fn tell(&mut self, id: JobId, now: DateTime<Utc>) -> Result<()> {
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

    /// Whether anything is to be sent at `now`.
    ///
    /// # Errors
    /// As every query.
    pub async fn any_due(&mut self, now: DateTime<Utc>) -> Result<bool> {
        let due: Option<(Uuid,)> = optional!(
            self.0,
            "SELECT id FROM webhook_deliveries WHERE status = 'pending' AND next_attempt_at <= $1 LIMIT 1",
            now,
        )?;
        Ok(due.is_some())
    }

    /// Claims up to `limit` deliveries that are due, those that have waited longest first, and none to the receivers
    /// that are `busy`. Until `until` nobody else gets them; after that, an attempt of which nothing was recorded is
    /// taken for lost.
    ///
    /// # Errors
    /// As every query.
    pub async fn claim(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
        busy: &[&str; MAX_BUSY],
    ) -> Result<Vec<Delivery>> {
        // The condition stands twice: of two that choose the same rows, the later one finds them put off.
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
        // One that cannot be read is put off with the others, and stands in nobody's way.
        let mut claimed = readable(rows);
        claimed.sort_by_key(|delivery| delivery.id);
        Ok(claimed)
    }

    /// Records what came of the attempt that `claim` names, and what follows. `false` when the delivery has been
    /// claimed or replayed since.
    ///
    /// # Errors
    /// As every query.
    pub async fn record(
        &mut self,
        id: DeliveryId,
        claim: i64,
        answer: &Answer,
        after: After,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let (status, again, finished) = match after {
            After::Delivered => (DeliveryStatus::Delivered, None, Some(now)),
            After::Failed => (DeliveryStatus::Failed, None, Some(now)),
            After::Again(at) => (DeliveryStatus::Pending, Some(at), None),
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

    /// Makes a delivery due at once, as a new series of attempts, wherever it stands; `None` when there is none. An
    /// attempt under way goes on, but what comes of it is not recorded.
    ///
    /// # Errors
    /// As every query.
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
    ///
    /// # Errors
    /// As every query.
    pub async fn get(&mut self, id: DeliveryId) -> Result<Option<Delivery>> {
        let row: Option<Stored<DeliveryRow>> =
            optional!(self.0, "SELECT * FROM webhook_deliveries WHERE id = $1", id.0)?;
        row.map(Stored::value).transpose()
    }

    /// The deliveries that pass `filter` and are older than `before`, newest first.
    ///
    /// # Errors
    /// As every query.
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

    /// How many are still to be delivered.
    ///
    /// # Errors
    /// As every query.
    pub async fn pending(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM webhook_deliveries WHERE status = 'pending'")?;
        Ok(count)
    }
}
