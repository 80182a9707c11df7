//! Finds the jobs that match a [`JobFilter`], newest first.
//!
//! Each condition and each search word becomes a [`Clause`]: a predicate in SQL and, where possible, index scans that
//! return its matches by id. The clauses of a filter are on several tables and correlate (queued jobs are the newest ones),
//! so no index and no statistics show how many jobs match all. A search therefore reads a window of the ids of the clause
//! that is the rarest one at the current position, checks the other clauses for these ids, and continues with a larger
//! window. [`MAX_CHECKED`] limits a search whose clauses are all frequent and seldom meet.

mod clause;
mod names;
#[cfg(test)]
mod sqlite_plans;

use trainyard_domain::{Algorithm, JobFilter, JobKind, JobStatus};
use uuid::Uuid;

use self::clause::{Column, Scan};
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
/// Most jobs that one search checks: about 80 ms on Postgres at a million jobs.
const MAX_CHECKED: usize = 3_000;

/// A search of jobs from newest to oldest.
pub(super) struct JobSearch {
    clauses: Vec<Clause>,
    window: usize,
    checked: usize,
}

/// A window of candidates.
pub(super) struct Window {
    /// Distinct ids, newest first.
    pub(super) ids: Vec<Uuid>,
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

    /// The next window of candidates that are older than `before`, of the clause that is the rarest one there.
    pub(super) async fn window(&mut self, search: &mut JobSearch, before: Uuid) -> Result<Option<Window>> {
        let size = search.window.min(MAX_CHECKED.saturating_sub(search.checked));
        if size == 0 {
            return Ok(None);
        }
        let mut rarest: Option<Window> = None;
        let scans: Vec<&[Scan]> = search.clauses.iter().filter_map(|clause| clause.scans.as_deref()).collect();
        let all = [Scan::all()];
        for scans in if scans.is_empty() { vec![all.as_slice()] } else { scans } {
            let window = self.scan(scans, before, size).await?;
            if rarest.as_ref().is_none_or(|rarest| window.is_rarer_than(rarest)) {
                rarest = Some(window);
            }
        }
        search.checked += size;
        search.window = search.window.max(FIRST_WINDOW) * GROWTH;
        Ok(rarest)
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
    /// The newest `limit` of the jobs in `candidates` that match all clauses. `candidates` follows the column of the id.
    pub(super) fn matching(&self, candidates: &str, arguments: &mut Arguments, limit: usize) -> String {
        let clauses = where_all(&self.clauses, arguments);
        format!(
            "SELECT {} FROM {} WHERE jobs.id {candidates} AND {clauses} ORDER BY jobs.id DESC LIMIT {limit}",
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
        .map(|(n, scan)| format!("SELECT id FROM ({} {last}) AS scan{n}", scan.render(&before, &mut arguments)))
        .collect();
    let sql = format!("{} {last}", each.join(" UNION ALL "));
    (!each.is_empty()).then_some((sql, arguments))
}

impl Window {
    fn is_rarer_than(&self, other: &Self) -> bool {
        match (self.last, other.last) {
            (true, true) => self.ids.len() < other.ids.len(),
            (false, false) => self.ids.last() < other.ids.last(),
            (is_last, _) => is_last,
        }
    }
}
