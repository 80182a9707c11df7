//! Lists and counts of jobs.

use trainyard_domain::{Job, JobFilter, JobId};
use uuid::Uuid;

use super::Jobs;
use super::filter::{JobSearch, tables, where_all_by_scans};
use super::rows::{JobRow, all_columns, job_columns};
use crate::arguments::{Arguments, all_with};
use crate::error::Result;
use crate::sql::all;
use crate::stored::{Id, PageReader, Stored, readable};

/// A page of jobs.
#[derive(Debug, Clone)]
pub struct JobPage {
    /// The jobs, newest first.
    pub jobs: Vec<Job>,
    /// The search has checked its maximum number of jobs and stopped at this one. Older jobs may match.
    pub stopped_at: Option<JobId>,
}

/// The number of jobs that match a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCount {
    /// The number, or the maximum.
    pub count: i64,
    /// Whether there are more jobs.
    pub more: bool,
}

impl Jobs<'_> {
    /// The jobs that match `filter` and are older than `before`, newest first. Unreadable rows are left out. The page has
    /// fewer than `limit` jobs at the end of the list, or if the search stopped before. Without one snapshot, jobs that
    /// change meanwhile may be missing.
    pub async fn list(&mut self, filter: &JobFilter, before: Option<JobId>, limit: i64) -> Result<JobPage> {
        if filter.matches_all() {
            return Ok(JobPage { jobs: self.newest(before, limit).await?, stopped_at: None });
        }
        let limit = usize::try_from(limit).unwrap_or(0);
        let mut search = self.search(filter, limit).await?;
        let (mut jobs, mut before) = (Vec::new(), before.map_or(Uuid::max(), |id| id.0));
        while jobs.len() < limit {
            let Some(matches) = self.next_matches(&mut search, before).await? else {
                return Ok(JobPage { jobs, stopped_at: Some(JobId(before)) });
            };
            let mut ids = matches.ids.as_slice();
            while !ids.is_empty() && jobs.len() < limit {
                // Fewer jobs than ids are found if rows are unreadable or have changed.
                let (wanted, rest) = ids.split_at(ids.len().min(limit - jobs.len()));
                jobs.extend(readable(self.matching(&search, wanted).await?));
                ids = rest;
            }
            if matches.last {
                break;
            }
            before = matches.oldest.unwrap_or(before);
        }
        Ok(JobPage { jobs, stopped_at: None })
    }

    /// Counts the jobs that match `filter`, up to `most`.
    pub async fn count(&mut self, filter: &JobFilter, most: i64) -> Result<JobCount> {
        let clauses = self.clauses(filter).await?;
        let mut arguments = Arguments::default();
        let (tables, matching) = (tables(&clauses), where_all_by_scans(&clauses, &mut arguments));
        let limit = most.saturating_add(1);
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {tables} WHERE {matching} LIMIT {limit}) AS matching");
        let rows: Vec<(i64,)> = all_with!(self.0, sql, arguments)?;
        let count = rows.first().map_or(0, |(count,)| *count);
        Ok(JobCount { count: count.min(most), more: count > most })
    }

    async fn newest(&mut self, before: Option<JobId>, limit: i64) -> Result<Vec<Job>> {
        let mut page: PageReader<JobRow> = PageReader::new(before.map(|id| Id(id.0)), limit);
        while let Some((before, limit)) = page.next_query() {
            let before = before.map_or(Uuid::max(), |id| id.0);
            // The inner limit keeps the plan from joining more rows than the page has.
            let sql = concat!(
                "SELECT ",
                all_columns!(),
                " FROM (SELECT ",
                job_columns!(),
                " FROM jobs WHERE id < $1 ORDER BY id DESC LIMIT $2) AS jobs \
                 JOIN job_orders ON job_orders.id = jobs.id ORDER BY jobs.id DESC"
            );
            page.add(all!(self.0, sql, before, limit)?);
        }
        Ok(page.values())
    }

    /// The jobs with these ids that match all clauses of the search.
    async fn matching(&mut self, search: &JobSearch, ids: &[Uuid]) -> Result<Vec<Stored<JobRow>>> {
        let mut arguments = Arguments::default();
        let ids = arguments.add_ids(self.0, ids);
        let sql = search.matching(&ids, &mut arguments);
        all_with!(self.0, sql, arguments)
    }
}
