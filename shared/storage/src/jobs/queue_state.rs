//! The state of the queue.

use chrono::{DateTime, Utc};
use trainyard_domain::{DatasetId, DatasetName};
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::sql::{execute, one, with_timeout};
use crate::tx::Inner;

impl Jobs<'_> {
    /// Whether the queue is paused: then claims are refused.
    pub async fn paused(&mut self) -> Result<bool> {
        let (paused,): (bool,) = one!(self.0, "SELECT paused FROM queue_state WHERE id = 1")?;
        Ok(paused)
    }

    /// What a submission needs, by one query: the time as in [`crate::Tx::now`], whether the queue is paused, and the newest
    /// version of a dataset.
    pub async fn submission_context(
        &mut self,
        dataset: &DatasetName,
    ) -> Result<(DateTime<Utc>, bool, Option<DatasetId>)> {
        match &mut self.0.inner {
            Inner::Postgres(session) => {
                let all = sqlx::query_as(
                    "SELECT statement_timestamp(), paused, (SELECT id FROM datasets WHERE name = $1 \
                     AND deleted_at IS NULL ORDER BY version DESC LIMIT 1) FROM queue_state WHERE id = 1",
                )
                .persistent(session.prepares());
                let outcome = with_timeout(all.bind(dataset.as_str()).fetch_one(&mut **session)).await;
                let (now, paused, id): (_, _, Option<Uuid>) = session.note(outcome)?;
                Ok((now, paused, id.map(DatasetId)))
            }
            Inner::Sqlite(..) => {
                let latest = self.0.datasets().latest(dataset).await?;
                Ok((self.0.now().await?, self.paused().await?, latest.map(|dataset| dataset.id)))
            }
        }
    }

    /// Pauses or resumes the queue. Running jobs continue.
    pub async fn set_paused(&mut self, paused: bool) -> Result<()> {
        execute!(self.0, "UPDATE queue_state SET paused = $1 WHERE id = 1", paused)?;
        Ok(())
    }
}
