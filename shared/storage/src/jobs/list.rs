//! Lists of jobs, newest first.

use sqlx::AssertSqlSafe;
use trainyard_domain::{Algorithm, Job, JobId, JobStatus, ModelName, UserId};
use uuid::Uuid;

use super::Jobs;
use super::rows::JobRow;
use crate::error::Result;
use crate::sql::all;

/// Which jobs to list; `None` lets all pass.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Those that stand so.
    pub status: Option<JobStatus>,
    /// Those that train this model.
    pub name: Option<ModelName>,
    /// Those with this algorithm.
    pub algorithm: Option<Algorithm>,
    /// Those this user submitted.
    pub created_by: Option<UserId>,
}

impl JobFilter {
    /// The query for the filters that are set. Each combination is a text of its own, so that each gets a plan of its
    /// own: one text for all (`$1 IS NULL OR …`) would read the whole table for a filter that few rows pass. A status
    /// stands in the text itself, because each has an index of its own; another filter that is not set still names its
    /// parameter, which keeps the numbering.
    fn sql(&self) -> String {
        let clause = |set: bool, filter: &'static str, unset: &'static str| if set { filter } else { unset };
        let status = self.status.map_or(String::new(), |status| format!("AND status = '{}' ", status.as_str()));
        format!(
            "SELECT * FROM jobs WHERE id < $1 {status}AND {} AND {} AND {} ORDER BY id DESC LIMIT $5",
            clause(self.name.is_some(), "model_name = $2", "$2 IS NULL"),
            clause(self.algorithm.is_some(), "algorithm = $3", "$3 IS NULL"),
            clause(self.created_by.is_some(), "created_by = $4", "$4 IS NULL"),
        )
    }
}

impl Jobs<'_> {
    /// The jobs that pass `filter` and are older than `before`, newest first.
    ///
    /// # Errors
    /// As every query.
    pub async fn list(&mut self, filter: &JobFilter, before: Option<JobId>, limit: i64) -> Result<Vec<Job>> {
        let sql = filter.sql();
        let rows: Vec<JobRow> = all!(
            self.0,
            AssertSqlSafe(sql.clone()),
            before.map_or(Uuid::max(), |id| id.0),
            filter.name.as_ref().map(ModelName::as_str),
            filter.algorithm.map(Algorithm::as_str),
            filter.created_by.map(|id| id.0),
            limit,
        )?;
        rows.into_iter().map(JobRow::read).collect()
    }
}
