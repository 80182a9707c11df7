//! One condition of a filter in SQL.

use trainyard_domain::job_filter::SearchWord;
use trainyard_domain::{Condition, FailureCode, JobKind, JobStatus};
use uuid::Uuid;

use super::check::{Check, row};
use super::scan::{Column, Fragment, Scan};
use crate::arguments::{Argument, Arguments};
use crate::jobs::rows::job_tables;

/// A condition that a job meets, or does not meet.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    predicate: Fragment,
    /// Scans that together return exactly the jobs that meet the condition; `None` if there is no such index.
    pub(super) scans: Option<Vec<Scan>>,
    /// The condition for the candidates of a search.
    pub(super) check: Check,
    /// Whether the predicate combines columns of several tables with OR.
    has_alternatives: bool,
}

impl Clause {
    /// One of these statuses.
    pub(super) fn by_status(statuses: &[JobStatus]) -> Self {
        // Not IN, so that the planner can combine the partial indexes.
        let each: Vec<String> = statuses.iter().map(|status| format!("jobs.status = '{}'", status.as_str())).collect();
        let predicate = if each.is_empty() { "FALSE".to_owned() } else { format!("({})", each.join(" OR ")) };
        let predicate = Fragment::new(predicate, []);
        let scans: Vec<_> = statuses.iter().copied().map(Scan::status).collect();
        let check = Check::new(Some(&scans), false, || row("jobs", "id", predicate.clone()));
        Self { predicate, scans: Some(scans), check, has_alternatives: false }
    }

    /// One of these kinds. Predictions have an index. Trainings, which are most jobs, have none.
    pub(super) fn by_kind(kinds: &[JobKind]) -> Self {
        let each: Vec<String> = kinds.iter().map(|kind| format!("job_orders.kind = '{}'", kind.as_str())).collect();
        let predicate = if each.is_empty() { "FALSE".to_owned() } else { format!("({})", each.join(" OR ")) };
        let predicate = Fragment::new(predicate, []);
        let scans = match kinds {
            [] => Some(vec![]),
            [JobKind::Prediction] => Some(vec![Scan::predictions()]),
            _ => None,
        };
        let check = Check::new(scans.as_deref(), false, || row("job_orders", "id", predicate.clone()));
        Self { predicate, scans, check, has_alternatives: false }
    }

    /// One of these values in a column of `job_orders`.
    pub(super) fn by_values(column: Column, values: &[Argument]) -> Self {
        let scans = scans_of(column, values.iter().cloned());
        let predicate = Fragment::new(format!("{} IN ({})", column.name(), list(values.len())), values.to_vec());
        let check = Check::new(Some(&scans), false, || row("job_orders", "id", predicate.clone()));
        Self { predicate, scans: Some(scans), check, has_alternatives: false }
    }

    /// None of these values in a column of `job_orders`. `others` are all other values, if they are few.
    pub(super) fn by_excluded_values(column: Column, values: &[Argument], others: Option<Vec<Argument>>) -> Self {
        let excluded = scans_of(column, values.iter().cloned());
        let is_excluded = Fragment::new(format!("{} IN ({})", column.name(), list(values.len())), values.to_vec());
        let check = Check::new(Some(&excluded), true, || row("job_orders", "id", is_excluded));
        let predicate = Fragment::new(format!("{} NOT IN ({})", column.name(), list(values.len())), values.to_vec());
        let scans = others.map(|values| scans_of(column, values));
        Self { predicate, scans, check, has_alternatives: false }
    }

    /// One of these datasets, by name. `versions` are their versions, if these are few.
    pub(super) fn by_dataset(names: &[Argument], versions: Option<Vec<Argument>>) -> Self {
        let predicate = has_dataset("IN", names);
        let scans = versions.map(|ids| scans_of(Column::Dataset, ids));
        let check = Check::new(scans.as_deref(), false, || row("job_orders", "id", predicate.clone()));
        Self { predicate, scans, check, has_alternatives: false }
    }

    /// None of these datasets. `versions` are their versions, and `others` those of all other datasets, if these are few.
    pub(super) fn by_excluded_dataset(
        names: &[Argument],
        versions: Option<Vec<Argument>>,
        others: Option<Vec<Argument>>,
    ) -> Self {
        let excluded = versions.map(|ids| scans_of(Column::Dataset, ids));
        let check = Check::new(excluded.as_deref(), true, || row("job_orders", "id", has_dataset("IN", names)));
        let scans = others.map(|ids| scans_of(Column::Dataset, ids));
        Self { predicate: has_dataset("NOT IN", names), scans, check, has_alternatives: false }
    }

    /// The error code of failed jobs.
    pub(super) fn by_error_code(condition: &Condition<FailureCode>) -> Option<Self> {
        let (codes, excluded) = match condition {
            Condition::Any => return None,
            Condition::In(codes) => (codes, false),
            Condition::NotIn(codes) => (codes, true),
        };
        let values: Vec<_> = codes.iter().map(|code| Argument::Text(code.as_str().to_owned())).collect();
        let is_one = Fragment::new(format!("job_failures.code IN ({})", list(values.len())), values.clone());
        let (before, after) = if excluded { ("NOT ", "") } else { ("(jobs.status = 'failed' AND ", ")") };
        let predicate = is_one.clone().within(
            &format!("{before}EXISTS (SELECT 1 FROM job_failures WHERE job_failures.job_id = jobs.id AND "),
            &format!("){after}"),
        );
        let scans = scans_of(Column::ErrorCode, values);
        let check = Check::new(Some(&scans), excluded, || row("job_failures", "job_id", is_one));
        Some(Self { predicate, scans: (!excluded).then_some(scans), check, has_alternatives: false })
    }

    /// A search word: the beginning of an id, of a name, of an e-mail address or of a word of an error.
    pub(super) fn by_word(word: &SearchWord, emails: bool, scans: Option<Vec<Scan>>) -> Self {
        // The status spares most jobs the subquery, where their row of `jobs` is read anyway.
        let words = "EXISTS (SELECT 1 FROM job_failure_words WHERE job_failure_words.job_id = ";
        let predicate = has_word(word, emails, "jobs.id", &format!("jobs.status = 'failed' AND {words}jobs.id AND "));
        let check = Check::new(scans.as_deref(), false, || {
            let condition = has_word(word, emails, "job_orders.id", &format!("{words}job_orders.id AND "));
            row("job_orders", "id", condition)
        });
        Self { predicate, scans, check, has_alternatives: true }
    }
}

/// The condition that the dataset has one of the names, or none of them.
fn has_dataset(operator: &str, names: &[Argument]) -> Fragment {
    let named = format!(r#"SELECT id FROM datasets WHERE name COLLATE "binary" IN ({})"#, list(names.len()));
    Fragment::new(format!("job_orders.dataset_id {operator} ({named})"), names.to_vec())
}

/// The condition that a job has a word. `id` is the column of its id; `with_error` begins the condition that its error has the
/// word, with one open parenthesis.
fn has_word(word: &SearchWord, emails: bool, id: &str, with_error: &str) -> Fragment {
    let text = word.as_str();
    let begins = Fragment::begins_with;
    let mut any = vec![
        begins(Column::ModelName.name(), text),
        begins(r#"name COLLATE "binary""#, text)
            .within("job_orders.dataset_id IN (SELECT id FROM datasets WHERE ", ")"),
    ];
    if emails {
        let users = begins(r#"email COLLATE "binary""#, text);
        any.push(users.within("job_orders.created_by IN (SELECT id FROM users WHERE ", ")"));
    }
    any.extend(word.ids().map(|(first, last)| {
        Fragment::new(format!("({id} >= ? AND {id} <= ?)"), [Argument::Uuid(first), Argument::Uuid(last)])
    }));
    any.extend(
        word.error_word().map(|word| begins(Column::ErrorWord.name(), word).within(&format!("({with_error}"), "))")),
    );
    Fragment::any(any)
}

/// The condition that a job meets all clauses.
pub(crate) fn where_all(clauses: &[Clause], arguments: &mut Arguments) -> String {
    let each: Vec<String> = clauses.iter().map(|clause| clause.predicate.render(arguments)).collect();
    if each.is_empty() { "TRUE".to_owned() } else { each.join(" AND ") }
}

/// As [`where_all`], for a statement about all jobs: a clause with alternatives becomes the set of the jobs that its scans
/// return, because no index serves a condition with OR.
pub(crate) fn where_all_by_scans(clauses: &[Clause], arguments: &mut Arguments) -> String {
    let set = |clause: &Clause, arguments: &mut Arguments| {
        let scans = clause.scans.as_deref().filter(|scans| clause.has_alternatives && !scans.is_empty())?;
        let newest = arguments.add(Argument::Uuid(Uuid::max()));
        let each: Vec<String> = scans.iter().map(|scan| scan.older_than(&newest, arguments)).collect();
        Some(format!("jobs.id IN ({})", each.join(" UNION ALL ")))
    };
    let each: Vec<String> = clauses
        .iter()
        .map(|clause| set(clause, arguments).unwrap_or_else(|| clause.predicate.render(arguments)))
        .collect();
    if each.is_empty() { "TRUE".to_owned() } else { each.join(" AND ") }
}

/// The tables that the clauses read. `job_orders` only if it is needed.
pub(crate) fn tables(clauses: &[Clause]) -> &'static str {
    let joined = clauses.iter().any(|clause| clause.predicate.contains("job_orders."));
    if joined { job_tables!() } else { "jobs" }
}

/// A scan for each of the values.
pub(super) fn scans_of(column: Column, values: impl IntoIterator<Item = Argument>) -> Vec<Scan> {
    values.into_iter().map(|value| Scan::value(column, value)).collect()
}

fn list(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_numbers_its_arguments_after_those_before() {
        let mut arguments = Arguments::default();
        let before = arguments.add(Argument::Uuid(Uuid::max()));
        let scan = Scan::value(Column::ErrorCode, Argument::Text("crashed".into()));
        assert_eq!(
            scan.older_than(&before, &mut arguments),
            "SELECT job_id AS id FROM job_failures WHERE job_failures.code = $2 AND job_id < $1"
        );
        let clause = Clause::by_status(&[JobStatus::Failed, JobStatus::Queued]);
        assert_eq!(where_all(&[], &mut arguments), "TRUE");
        assert_eq!(where_all(&[clause], &mut arguments), "(jobs.status = 'failed' OR jobs.status = 'queued')");
        assert_eq!(arguments.0.len(), 2);
    }
}
