//! Checks whether candidates of a search meet a clause. Reads only indexes if the clause has few values.

use uuid::Uuid;

use super::scan::{Fragment, Scan};
use crate::arguments::Arguments;
use crate::tx::Tx;

/// Most index scans in which each candidate is looked up. The status "any but one" has four. With more scans, reading one row
/// is cheaper.
const MOST_LOOKUPS: usize = 4;
/// The column with the ids of the candidates.
const CANDIDATE: &str = "candidates.id";

/// Queries for a candidate. The candidate meets the clause if one of them returns a row, or if none does.
#[derive(Debug, Clone)]
pub(super) struct Check {
    queries: Vec<Fragment>,
    excluded: bool,
}

impl Check {
    /// Candidates that are in `scans`, or that are in none of them if `excluded` is set. If there are many scans, `row`
    /// replaces them: it has the same meaning.
    pub(super) fn new(scans: Option<&[Scan]>, excluded: bool, row: impl FnOnce() -> Fragment) -> Self {
        let few = scans.filter(|scans| scans.len() <= MOST_LOOKUPS && scans.iter().all(|scan| !scan.sorts));
        let queries =
            few.map_or_else(|| vec![row()], |scans| scans.iter().map(|scan| scan.lookup(CANDIDATE)).collect());
        Self { queries, excluded }
    }

    /// The statement for the candidates that meet the clause, in any order.
    pub(super) fn statement(&self, tx: &Tx, candidates: &[Uuid]) -> (String, Arguments) {
        let mut arguments = Arguments::default();
        let from = arguments.add_table_of_ids(tx, candidates, "candidates");
        // A subquery as a value: Postgres executes it for each candidate, and never joins whole tables instead.
        let each: Vec<String> =
            self.queries.iter().map(|query| format!("({}) IS NOT NULL", query.render(&mut arguments))).collect();
        let found = if each.is_empty() { "FALSE".to_owned() } else { each.join(" OR ") };
        let condition = if self.excluded { format!("NOT ({found})") } else { found };
        (format!("SELECT {CANDIDATE} FROM {from} WHERE {condition}"), arguments)
    }
}

/// A query for the candidate's row of `table` with a condition.
pub(super) fn row(table: &str, id: &str, condition: Fragment) -> Fragment {
    condition.within(&format!("SELECT 1 FROM {table} WHERE {table}.{id} = {CANDIDATE} AND "), "")
}
