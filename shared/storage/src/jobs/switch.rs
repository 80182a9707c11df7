//! The switch that pauses the queue, and what else a submission asks first.

use chrono::{DateTime, Utc};
use trainyard_domain::{DatasetId, DatasetName};
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::sql::{answered, execute, one};
use crate::tx::Inner;

impl Jobs<'_> {
    /// Whether claims are refused.
    ///
    /// # Errors
    /// As every query.
    pub async fn paused(&mut self) -> Result<bool> {
        let (paused,): (bool,) = one!(self.0, "SELECT paused FROM queue_state WHERE id = 1")?;
        Ok(paused)
    }

    /// What every submission begins with: the time as [`crate::Tx::now`] has it, whether claims are refused, and the newest
    /// version of a data set, if there is one.
    ///
    /// # Errors
    /// As every query.
    pub async fn intake(&mut self, dataset: &DatasetName) -> Result<(DateTime<Utc>, bool, Option<DatasetId>)> {
        match &mut self.0.inner {
            Inner::Postgres(session) => {
                let all = sqlx::query_as(
                    "SELECT statement_timestamp(), paused, (SELECT id FROM datasets WHERE name = $1 \
                     AND deleted_at IS NULL ORDER BY version DESC LIMIT 1) FROM queue_state WHERE id = 1",
                )
                .persistent(session.prepares());
                let outcome = answered(all.bind(dataset.as_str()).fetch_one(&mut **session)).await;
                let (now, paused, id): (_, _, Option<Uuid>) = session.note(outcome)?;
                Ok((now, paused, id.map(DatasetId)))
            }
            Inner::Sqlite(..) => {
                let latest = self.0.datasets().latest(dataset).await?;
                Ok((self.0.now().await?, self.paused().await?, latest.map(|dataset| dataset.id)))
            }
        }
    }

    /// Stops or resumes claiming; running jobs go on.
    ///
    /// # Errors
    /// As every query.
    pub async fn set_paused(&mut self, paused: bool) -> Result<()> {
        execute!(self.0, "UPDATE queue_state SET paused = $1 WHERE id = 1", paused)?;
        Ok(())
    }
}
