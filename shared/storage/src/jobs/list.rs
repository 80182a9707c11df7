//! Lists of jobs, newest first.
//!
//! `status` is a column of `jobs`; the other filters are columns of `job_orders`. With filters on one table, its index finds
//! the page. With filters on both, no index and no statistics show how many rows match, because the columns correlate:
//! queued jobs are the newest ones. So the query searches a window of one table, then of the other. Only if the matches
//! are rare in both windows, the database plans the full join.

use sqlx::AssertSqlSafe;
use trainyard_domain::{Algorithm, Job, JobId, JobStatus, ModelName, UserId};
use uuid::Uuid;

use super::Jobs;
use super::rows::{JobRow, job_columns, job_tables, order_columns};
use crate::error::Result;
use crate::sql::{all, one};
use crate::stored::{Id, PageReader, Stored};

/// Size of the window for filters on both tables, in rows.
const WINDOW: i64 = 300;

const JOB: &str = job_columns!();
const ORDER: &str = order_columns!();
const BOTH: &str = job_tables!();

/// Filter of a list of jobs; `None` matches all.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Jobs with this status.
    pub status: Option<JobStatus>,
    /// Jobs of this model.
    pub name: Option<ModelName>,
    /// Jobs with this algorithm.
    pub algorithm: Option<Algorithm>,
    /// Jobs of this user.
    pub created_by: Option<UserId>,
}

/// The table whose index finds the page.
#[derive(Debug, Clone, Copy)]
enum Side {
    Jobs,
    Orders,
}

/// Each combination of filters has its own SQL text and so its own plan. One text for all (`$1 IS NULL OR …`) would scan the
/// whole table for a rare filter. The status is part of the text, because each status has a partial index. Unset filters
/// still refer to their parameters, which keeps the numbering.
impl JobFilter {
    fn by_order(&self) -> bool {
        self.name.is_some() || self.algorithm.is_some() || self.created_by.is_some()
    }

    fn status(&self) -> String {
        self.status.map_or("TRUE".to_owned(), |status| format!("status = '{}'", status.as_str()))
    }

    fn order(&self) -> String {
        let clause = |set: bool, filter: &'static str, unset: &'static str| if set { filter } else { unset };
        format!(
            "{} AND {} AND {}",
            clause(self.name.is_some(), "model_name = $2", "$2 IS NULL"),
            clause(self.algorithm.is_some(), "algorithm = $3", "$3 IS NULL"),
            clause(self.created_by.is_some(), "job_orders.created_by = $4", "$4 IS NULL"),
        )
    }

    /// The newest `$5` rows that match the other side's filters, among the newest `$6` rows that match this side's filters.
    fn page_of(&self, side: Side) -> String {
        let (status, order) = (self.status(), self.order());
        let (from, filter) = match side {
            Side::Jobs => (
                format!(
                    "(SELECT {JOB} FROM jobs WHERE id < $1 AND {status} ORDER BY id DESC LIMIT $6) AS jobs JOIN job_orders"
                ),
                order,
            ),
            Side::Orders => (
                format!(
                    "(SELECT id, {ORDER} FROM job_orders WHERE id < $1 AND {order} ORDER BY id DESC LIMIT $6) AS job_orders \
                     JOIN jobs"
                ),
                status,
            ),
        };
        format!(
            "SELECT {JOB}, {ORDER} FROM {from} ON job_orders.id = jobs.id WHERE {filter} ORDER BY jobs.id DESC LIMIT $5"
        )
    }

    /// The page by filters on both tables, as the database plans it.
    fn page_of_both(&self) -> String {
        format!(
            "SELECT {JOB}, {ORDER} FROM {BOTH} WHERE jobs.id < $1 AND job_orders.id < $1 AND {} AND {} \
             ORDER BY job_orders.id DESC LIMIT $5",
            self.status(),
            self.order(),
        )
    }
}

impl Jobs<'_> {
    /// The jobs that match `filter` and are older than `before`, newest first. Unreadable rows are left out.
    pub async fn list(&mut self, filter: &JobFilter, before: Option<JobId>, limit: i64) -> Result<Vec<Job>> {
        let mut page: PageReader<JobRow> = PageReader::new(before.map(|id| Id(id.0)), limit);
        while let Some((before, limit)) = page.next_query() {
            let before = before.map_or(Uuid::max(), |id| id.0);
            page.add(match (filter.status.is_some(), filter.by_order()) {
                (_, false) => self.page(filter, filter.page_of(Side::Jobs), before, limit, limit).await?,
                (false, true) => self.page(filter, filter.page_of(Side::Orders), before, limit, limit).await?,
                (true, true) => self.page_by_both(filter, before, limit).await?,
            });
        }
        Ok(page.values())
    }

    async fn page_by_both(&mut self, filter: &JobFilter, before: Uuid, limit: i64) -> Result<Vec<Stored<JobRow>>> {
        let window = WINDOW.max(limit);
        for side in [Side::Jobs, Side::Orders] {
            let rows = self.page(filter, filter.page_of(side), before, limit, window).await?;
            let full = i64::try_from(rows.len()).is_ok_and(|found| found >= limit);
            if full || self.ends_within(filter, side, before, window).await? {
                return Ok(rows);
            }
        }
        self.page(filter, filter.page_of_both(), before, limit, window).await
    }

    async fn page(
        &mut self,
        filter: &JobFilter,
        sql: String,
        before: Uuid,
        limit: i64,
        window: i64,
    ) -> Result<Vec<Stored<JobRow>>> {
        all!(
            self.0,
            AssertSqlSafe(sql.clone()),
            before,
            filter.name.as_ref().map(ModelName::as_str),
            filter.algorithm.map(Algorithm::as_str),
            filter.created_by.map(|id| id.0),
            limit,
            window,
        )
    }

    /// Whether fewer than `window` rows match one side's filters: then the page is the last one.
    async fn ends_within(&mut self, filter: &JobFilter, side: Side, before: Uuid, window: i64) -> Result<bool> {
        let (count,): (i64,) = match side {
            Side::Jobs => {
                let status = filter.status();
                let count = "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE id < $1 AND";
                let sql = format!("{count} {status} ORDER BY id DESC LIMIT $2) AS first");
                one!(self.0, AssertSqlSafe(sql.clone()), before, window)?
            }
            Side::Orders => {
                let order = filter.order();
                let count = "SELECT COUNT(*) FROM (SELECT 1 FROM job_orders WHERE id < $1 AND";
                let sql = format!("{count} {order} ORDER BY id DESC LIMIT $5) AS first");
                one!(
                    self.0,
                    AssertSqlSafe(sql.clone()),
                    before,
                    filter.name.as_ref().map(ModelName::as_str),
                    filter.algorithm.map(Algorithm::as_str),
                    filter.created_by.map(|id| id.0),
                    window,
                )?
            }
        };
        Ok(count < window)
    }
}
