//! Finds the jobs that match a [`JobFilter`], newest first.
//!
//! Each condition and each search word becomes a [`Clause`]: a predicate in SQL and, where possible, index scans that
//! return its matches by id. The clauses of a filter are on several tables and correlate (queued jobs are the newest ones),
//! so no index and no statistics show how many jobs match all. A search therefore reads a window of the ids of each clause
//! ([`window`]). The candidates are the ids of the clause that is the rarest one at the current position. Another clause is
//! checked with its own window as far as that reaches, then with lookups in its indexes ([`check`]). So the search reads the
//! rows of the matching jobs only. It continues with larger windows; [`MAX_CHECKED`] limits a search whose clauses are all
//! frequent and seldom meet.

mod check;
mod clause;
mod names;
mod scan;
#[cfg(test)]
mod sqlite_plans;
mod window;

use trainyard_domain::{Algorithm, JobFilter, JobKind, JobStatus};
use uuid::Uuid;

use self::scan::{Column, Scan};
use self::window::{Window, rarest};
use super::Jobs;
use super::rows::{all_columns, job_tables};
use crate::arguments::{Argument, Arguments, all_with};
use crate::error::Result;

use clause::where_all;
pub(crate) use clause::{Clause, tables, where_all_by_scans};

/// Size of the first window.
const FIRST_WINDOW: usize = 300;
/// Factor between the sizes of two windows.
const GROWTH: usize = 8;
/// Most candidates of one search.
const MAX_CHECKED: usize = 3_000;

/// A search of jobs from newest to oldest.
pub(super) struct JobSearch {
    clauses: Vec<Clause>,
    window: usize,
    checked: usize,
}

/// The matches among the candidates of one window.
pub(super) struct Matches {
    /// Distinct ids, newest first.
    pub(super) ids: Vec<Uuid>,
    /// The oldest candidate; `None` if there was no candidate.
    pub(super) oldest: Option<Uuid>,
    /// Whether there are no older candidates.
    pub(super) last: bool,
}

impl Jobs<'_> {
    /// Prepares a search for pages of `limit` jobs.
    pub(super) async fn search(&mut self, filter: &JobFilter, limit: usize) -> Result<JobSearch> {
        let clauses = self.clauses(filter).await?;
        // A single clause needs no check, if scans find its matches.
        let single =
            clauses.iter().filter(|clause| clause.scans.is_some()).count() == clauses.len() && clauses.len() < 2;
        let window = if single { limit } else { FIRST_WINDOW.max(limit) };
        Ok(JobSearch { clauses, window, checked: 0 })
    }

    /// The clauses of a filter.
    pub(crate) async fn clauses(&mut self, filter: &JobFilter) -> Result<Vec<Clause>> {
        let mut clauses = Vec::new();
        let text = |text: &str| Argument::Text(text.to_owned());
        clauses.extend(filter.status.allowed(JobStatus::ALL).as_deref().map(Clause::by_status));
        clauses.extend(filter.kind.allowed(JobKind::ALL).as_deref().map(Clause::by_kind));
        if let Some(algorithms) = filter.algorithm.allowed(Algorithm::ALL) {
            let values: Vec<_> = algorithms.into_iter().map(|algorithm| text(algorithm.as_str())).collect();
            clauses.push(Clause::by_values(Column::Algorithm, &values));
        }
        clauses.extend(self.by_column(Column::ModelName, &filter.name, |name| text(name.as_str())).await?);
        clauses.extend(self.by_column(Column::Creator, &filter.created_by, |id| Argument::Uuid(id.0)).await?);
        clauses.extend(self.by_dataset(&filter.dataset).await?);
        clauses.extend(Clause::by_error_code(&filter.error_code));
        for word in &filter.search {
            clauses.push(self.by_word(word, filter.search_emails).await?);
        }
        Ok(clauses)
    }

    /// The matches in the next window below `before`; `None` if the search has checked its maximum.
    pub(super) async fn next_matches(&mut self, search: &mut JobSearch, before: Uuid) -> Result<Option<Matches>> {
        let size = search.window.min(MAX_CHECKED.saturating_sub(search.checked));
        if size == 0 {
            return Ok(None);
        }
        search.checked += size;
        search.window = search.window.max(FIRST_WINDOW) * GROWTH;
        let mut windows = Vec::with_capacity(search.clauses.len());
        for clause in &search.clauses {
            windows.push(match clause.scans.as_deref() {
                Some(scans) => Some(self.scan(scans, before, size).await?),
                None => None,
            });
        }
        let rarest = rarest(&windows);
        let Window { mut ids, last } = match rarest.and_then(|position| windows[position].take()) {
            Some(window) => window,
            None => self.scan(&[Scan::all()], before, size).await?,
        };
        let oldest = ids.last().copied();
        for (position, (clause, window)) in search.clauses.iter().zip(&windows).enumerate() {
            if rarest != Some(position) {
                ids = self.check_clause(clause, window.as_ref(), ids).await?;
            }
        }
        Ok(Some(Matches { ids, oldest, last }))
    }

    /// The candidates that meet a clause. `window` is the clause's own, if it has one.
    async fn check_clause(
        &mut self,
        clause: &Clause,
        window: Option<&Window>,
        mut candidates: Vec<Uuid>,
    ) -> Result<Vec<Uuid>> {
        let reached = window.map_or(0, |window| window.retain(&mut candidates));
        let beyond = candidates.split_off(reached);
        if !beyond.is_empty() {
            let (sql, arguments) = clause.check.statement(self.0, &beyond);
            let mut rows: Vec<(Uuid,)> = all_with!(self.0, sql, arguments)?;
            rows.sort_unstable_by(|a, b| b.cmp(a));
            candidates.extend(rows.into_iter().map(|(id,)| id));
        }
        Ok(candidates)
    }

    /// The first `size` ids of several index scans.
    async fn scan(&mut self, scans: &[Scan], before: Uuid, size: usize) -> Result<Window> {
        let Some((sql, arguments)) = merged(scans, before, size) else {
            return Ok(Window { ids: vec![], last: true });
        };
        let rows: Vec<(Uuid,)> = all_with!(self.0, sql, arguments)?;
        let last = rows.len() < size;
        let mut ids: Vec<Uuid> = rows.into_iter().map(|(id,)| id).collect();
        ids.dedup();
        Ok(Window { ids, last })
    }
}

impl JobSearch {
    /// The jobs in `ids` that match all clauses, newest first. `ids` follows the column of the id. The clauses are part of the
    /// statement, because a job may have changed since its indexes were read.
    pub(super) fn matching(&self, ids: &str, arguments: &mut Arguments) -> String {
        let clauses = where_all(&self.clauses, arguments);
        format!(
            "SELECT {} FROM {} WHERE jobs.id {ids} AND {clauses} ORDER BY jobs.id DESC",
            all_columns!(),
            job_tables!(),
        )
    }
}

/// The statement for the newest `size` ids of several scans. Both databases merge the scans and stop at the limit. Postgres
/// reads an index in descending order within a UNION only if each scan has its own ORDER BY.
fn merged(scans: &[Scan], before: Uuid, size: usize) -> Option<(String, Arguments)> {
    let mut arguments = Arguments::default();
    let before = arguments.add(Argument::Uuid(before));
    let last = format!("ORDER BY id DESC LIMIT {size}");
    let each: Vec<String> = (0..)
        .zip(scans)
        .map(|(n, scan)| format!("SELECT id FROM ({} {last}) AS scan{n}", scan.older_than(&before, &mut arguments)))
        .collect();
    let sql = format!("{} {last}", each.join(" UNION ALL "));
    (!each.is_empty()).then_some((sql, arguments))
}
