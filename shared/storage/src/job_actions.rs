//! The tables `job_actions` and `job_action_items`: bulk actions on jobs.
//!
//! A process claims an action by a lease. Each of its transactions begins with [`JobActions::renew`], which locks the action
//! and refuses an older claim, deletes the items of some jobs, and changes these jobs. So no action changes a job twice.

use chrono::{DateTime, Utc};
use trainyard_domain::{ActionId, ActionKind, ActionProgress, ActionStatus, JobAction, JobFilter, JobId, UserId};
use uuid::Uuid;

use crate::arguments::{Argument, Arguments, execute_with};
use crate::error::Result;
use crate::from_row::from_row;
use crate::jobs::{tables, where_all_by_scans};
use crate::parse;
use crate::sql::{all, execute, optional, write_all, write_optional};
use crate::stored::{Id, Stored, StoredRow};
use crate::tx::Tx;

/// Most actions that run at the same time.
pub const MAX_RUNNING_ACTIONS: i64 = 8;

/// Bulk actions.
#[derive(Debug)]
pub struct JobActions<'t>(pub(crate) &'t mut Tx);

from_row! {
    struct ActionRow {
        id: Uuid,
        action: String,
        filter: String,
        status: String,
        total: i64,
        changed: i64,
        skipped: i64,
        skipped_jobs: String,
        created_by: Uuid,
        request_id: Option<String>,
        created_at: DateTime<Utc>,
        finished_at: Option<DateTime<Utc>>,
        error: Option<String>,
        claim: i64,
    }
}

/// The columns of an [`ActionRow`].
macro_rules! action_columns {
    () => {
        "id, action, filter, status, total, changed, skipped, skipped_jobs, created_by, request_id, created_at, \
         finished_at, error, claim"
    };
}

impl StoredRow for ActionRow {
    const TABLE: &'static str = "job_actions";
    type Key = Id;
    type Value = (JobAction, i64);

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<(JobAction, i64)> {
        let skipped_jobs = serde_json::from_str(&self.skipped_jobs).map_err(|_| parse::corrupt("skipped_jobs"))?;
        let action = JobAction {
            id: ActionId(self.id),
            kind: ActionKind::parse(&self.action).ok_or_else(|| parse::corrupt("action"))?,
            filter: serde_json::from_str(&self.filter).map_err(|_| parse::corrupt("filter"))?,
            status: ActionStatus::parse(&self.status).ok_or_else(|| parse::corrupt("status"))?,
            total: self.total,
            progress: ActionProgress { changed: self.changed, skipped: self.skipped, skipped_jobs },
            created_by: UserId(self.created_by),
            request_id: self.request_id,
            created_at: self.created_at,
            finished_at: self.finished_at,
            error: self.error,
        };
        Ok((action, self.claim))
    }
}

impl JobActions<'_> {
    /// Inserts a running action that any process may claim at once, for at most `most + 1` of the jobs that match `filter`.
    /// Returns their number, which becomes the action's `total`; `None` if [`MAX_RUNNING_ACTIONS`] are running. Jobs that
    /// are submitted later do not belong to the action.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if another action was inserted concurrently: try again in a new transaction.
    pub async fn insert(&mut self, action: &JobAction, filter: &JobFilter, most: i64) -> Result<Option<i64>> {
        let used: Vec<(Option<i64>,)> = all!(self.0, "SELECT slot FROM job_actions WHERE status = 'running'")?;
        let Some(slot) = (1..=MAX_RUNNING_ACTIONS).find(|slot| !used.contains(&(Some(*slot),))) else {
            return Ok(None);
        };
        let total = self.insert_items(action.id, filter, most.saturating_add(1)).await?;
        execute!(
            self.0,
            "INSERT INTO job_actions (id, action, filter, status, slot, total, processed, changed, skipped, skipped_jobs, \
             created_by, request_id, created_at, claim, lease_expires_at) \
             VALUES ($1, $2, $3, 'running', $4, $5, 0, 0, 0, '[]', $6, $7, $8, 0, $8)",
            action.id.0,
            action.kind.as_str(),
            action.filter.to_string(),
            slot,
            total,
            action.created_by.0,
            action.request_id.as_deref(),
            action.created_at,
        )?;
        Ok(Some(total))
    }

    async fn insert_items(&mut self, id: ActionId, filter: &JobFilter, limit: i64) -> Result<i64> {
        let clauses = self.0.jobs().clauses(filter).await?;
        let mut arguments = Arguments::default();
        let action = arguments.add(Argument::Uuid(id.0));
        let (tables, matching) = (tables(&clauses), where_all_by_scans(&clauses, &mut arguments));
        let sql = format!(
            "INSERT INTO job_action_items (action_id, job_id) \
             SELECT {action}, jobs.id FROM {tables} WHERE {matching} LIMIT {limit}"
        );
        let inserted = execute_with!(self.0, sql, arguments)?;
        Ok(i64::try_from(inserted).unwrap_or(i64::MAX))
    }

    /// The action with this id.
    pub async fn get(&mut self, id: ActionId) -> Result<Option<JobAction>> {
        let sql = concat!("SELECT ", action_columns!(), " FROM job_actions WHERE id = $1");
        let row: Option<Stored<ActionRow>> = optional!(self.0, sql, id.0)?;
        Ok(row.map(Stored::value).transpose()?.map(|(action, _)| action))
    }

    /// Whether a running action has no valid lease at `now`.
    pub async fn any_waits(&mut self, now: DateTime<Utc>) -> Result<bool> {
        let waiting: Option<(Uuid,)> = optional!(
            self.0,
            "SELECT id FROM job_actions WHERE status = 'running' AND lease_expires_at <= $1 LIMIT 1",
            now,
        )?;
        Ok(waiting.is_some())
    }

    /// Claims a running action without a valid lease until `until`. Returns it with the new claim.
    pub async fn claim(&mut self, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<Option<(JobAction, i64)>> {
        // The outer condition refuses an action that is claimed concurrently.
        let row: Option<Stored<ActionRow>> = write_optional!(
            self.0,
            concat!(
                "UPDATE job_actions SET claim = claim + 1, lease_expires_at = $2 \
                 WHERE status = 'running' AND lease_expires_at <= $1 AND id = (SELECT id FROM job_actions \
                 WHERE status = 'running' AND lease_expires_at <= $1 ORDER BY lease_expires_at, id LIMIT 1) RETURNING ",
                action_columns!()
            ),
            now,
            until,
        )?;
        row.map(Stored::value).transpose()
    }

    /// Renews the lease, and locks the action until the transaction ends. Returns `false` if another process has claimed the
    /// action: change nothing. A lease until now lets another process continue at once.
    pub async fn renew(&mut self, id: ActionId, claim: i64, until: DateTime<Utc>) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE job_actions SET lease_expires_at = $3 WHERE id = $1 AND claim = $2 AND status = 'running'",
            id.0,
            claim,
            until,
        )?;
        Ok(changed == 1)
    }

    /// Takes up to `limit` jobs of an action, oldest first. Change or skip them in this transaction.
    pub async fn take(&mut self, id: ActionId, limit: i64) -> Result<Vec<JobId>> {
        let rows: Vec<(Uuid,)> = write_all!(
            self.0,
            "DELETE FROM job_action_items WHERE action_id = $1 AND job_id IN \
             (SELECT job_id FROM job_action_items WHERE action_id = $1 ORDER BY job_id LIMIT $2) RETURNING job_id",
            id.0,
            limit,
        )?;
        let mut ids: Vec<JobId> = rows.into_iter().map(|(id,)| JobId(id)).collect();
        ids.sort();
        Ok(ids)
    }

    /// Records the progress of a held action.
    pub async fn record(&mut self, id: ActionId, progress: &ActionProgress) -> Result<()> {
        let skipped_jobs = serde_json::to_string(&progress.skipped_jobs)
            .map_err(|error| crate::error::StorageError::Other(error.into()))?;
        execute!(
            self.0,
            "UPDATE job_actions SET processed = $2, changed = $3, skipped = $4, skipped_jobs = $5 WHERE id = $1",
            id.0,
            progress.processed(),
            progress.changed,
            progress.skipped,
            skipped_jobs,
        )?;
        Ok(())
    }

    /// Finishes a held action; `error` says why it failed. Deletes the items that are left.
    pub async fn finish(&mut self, id: ActionId, error: Option<&str>, now: DateTime<Utc>) -> Result<()> {
        let status = if error.is_some() { ActionStatus::Failed } else { ActionStatus::Succeeded };
        execute!(self.0, "DELETE FROM job_action_items WHERE action_id = $1", id.0)?;
        execute!(
            self.0,
            "UPDATE job_actions SET status = $2, error = $3, finished_at = $4, slot = NULL, lease_expires_at = NULL \
             WHERE id = $1 AND status = 'running'",
            id.0,
            status.as_str(),
            error,
            now,
        )?;
        Ok(())
    }
}
