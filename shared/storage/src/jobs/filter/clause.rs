//! One condition of a filter in SQL.

use trainyard_domain::job_filter::SearchWord;
use trainyard_domain::{Condition, FailureCode, JobKind, JobStatus};
use uuid::Uuid;

use super::names::FEW_ROWS;
use crate::arguments::{Argument, Arguments};
use crate::jobs::rows::job_tables;

/// A part of a statement. `?` stands for one of its arguments, `@` for the upper bound of the ids.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    sql: String,
    arguments: Vec<Argument>,
}

impl Fragment {
    fn new(sql: impl Into<String>, arguments: impl IntoIterator<Item = Argument>) -> Self {
        Self { sql: sql.into(), arguments: arguments.into_iter().collect() }
    }

    /// The condition that a text column begins with `prefix`, as a range of an index. U+10FFFF is the greatest character.
    pub(super) fn begins_with(column: &str, prefix: &str) -> Self {
        let bounds = [prefix.to_owned(), format!("{prefix}\u{10ffff}")];
        Self::new(format!("({column} >= ? AND {column} < ?)"), bounds.map(Argument::Text))
    }

    fn within(self, before: &str, after: &str) -> Self {
        Self { sql: format!("{before}{}{after}", self.sql), ..self }
    }

    /// The SQL with placeholders of `arguments`. `before` is the placeholder of the upper bound.
    pub(super) fn render(&self, before: &str, arguments: &mut Arguments) -> String {
        let mut sql = String::new();
        let mut values = self.arguments.iter().cloned();
        for part in self.sql.split_inclusive('?') {
            match (part.strip_suffix('?'), part) {
                (Some(text), _) => {
                    sql.push_str(text);
                    sql.extend(values.next().map(|value| arguments.add(value)));
                }
                (None, text) => sql.push_str(text),
            }
        }
        sql.replace('@', before)
    }
}

/// An index scan that returns ids of jobs in descending order.
#[derive(Debug, Clone)]
pub(super) struct Scan(Fragment);

impl Scan {
    /// All jobs.
    pub(super) fn all() -> Self {
        Self(Fragment::new("SELECT id FROM jobs WHERE id < @", []))
    }

    /// The jobs with ids from `first` to `last`.
    pub(super) fn ids(first: Uuid, last: Uuid) -> Self {
        let range = [Argument::Uuid(first), Argument::Uuid(last)];
        Self(Fragment::new("SELECT id FROM jobs WHERE id >= ? AND id <= ? AND id < @", range))
    }

    fn status(status: JobStatus) -> Self {
        // The status is part of the text, because each status has a partial index.
        Self(Fragment::new(format!("SELECT id FROM jobs WHERE status = '{}' AND id < @", status.as_str()), []))
    }

    /// The prediction jobs, which have a partial index.
    fn predictions() -> Self {
        let sql = "SELECT job_orders.id AS id FROM job_orders \
                   WHERE job_orders.kind = 'prediction' AND job_orders.id < @";
        Self(Fragment::new(sql, []))
    }

    /// The jobs with one value of a column.
    pub(super) fn value(column: Column, value: Argument) -> Self {
        let (table, name, id) = (column.table(), column.name(), column.id());
        Self(Fragment::new(format!("SELECT {id} AS id FROM {table} WHERE {name} = ? AND {id} < @"), [value]))
    }

    /// The jobs whose column begins with `prefix`. For at most [`FEW_ROWS`] rows, because they are sorted.
    pub(super) fn few(column: Column, prefix: &str) -> Self {
        let (table, id, Fragment { sql, arguments }) =
            (column.table(), column.id(), Fragment::begins_with(column.name(), prefix));
        let few = format!("(SELECT {id} AS id FROM {table} WHERE {sql} LIMIT {FEW_ROWS}) AS few");
        Self(Fragment::new(format!("SELECT id FROM {few} WHERE id < @"), arguments))
    }

    /// The statement for ids below `before`, a placeholder.
    pub(super) fn render(&self, before: &str, arguments: &mut Arguments) -> String {
        self.0.render(before, arguments)
    }
}

/// A column that an index leads with, followed by the id of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    ModelName,
    Algorithm,
    Creator,
    Dataset,
    ErrorCode,
    ErrorWord,
}

impl Column {
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::ModelName | Self::Algorithm | Self::Creator | Self::Dataset => "job_orders",
            Self::ErrorCode => "job_failures",
            Self::ErrorWord => "job_failure_words",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ModelName => r#"job_orders.model_name COLLATE "binary""#,
            Self::Algorithm => "job_orders.algorithm",
            Self::Creator => "job_orders.created_by",
            Self::Dataset => "job_orders.dataset_id",
            Self::ErrorCode => "job_failures.code",
            Self::ErrorWord => "job_failure_words.word",
        }
    }

    fn id(self) -> &'static str {
        if self.table() == "job_orders" { "job_orders.id" } else { "job_id" }
    }
}

/// A condition that a job meets, or does not meet.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    predicate: Fragment,
    /// Scans that together return exactly the jobs that meet the condition; `None` if there is no such index.
    pub(super) scans: Option<Vec<Scan>>,
    /// Whether the predicate combines columns of several tables with OR.
    has_alternatives: bool,
}

impl Clause {
    /// One of these statuses.
    pub(super) fn by_status(statuses: &[JobStatus]) -> Self {
        // Not IN, so that the planner can combine the partial indexes.
        let each: Vec<String> = statuses.iter().map(|status| format!("jobs.status = '{}'", status.as_str())).collect();
        let predicate = if each.is_empty() { "FALSE".to_owned() } else { format!("({})", each.join(" OR ")) };
        let scans = statuses.iter().copied().map(Scan::status).collect();
        Self { predicate: Fragment::new(predicate, []), scans: Some(scans), has_alternatives: false }
    }

    /// One of these kinds. Predictions have an index. Trainings, which are most jobs, have none.
    pub(super) fn by_kind(kinds: &[JobKind]) -> Self {
        let each: Vec<String> = kinds.iter().map(|kind| format!("job_orders.kind = '{}'", kind.as_str())).collect();
        let predicate = if each.is_empty() { "FALSE".to_owned() } else { format!("({})", each.join(" OR ")) };
        let scans = match kinds {
            [] => Some(vec![]),
            [JobKind::Prediction] => Some(vec![Scan::predictions()]),
            _ => None,
        };
        Self { predicate: Fragment::new(predicate, []), scans, has_alternatives: false }
    }

    /// One of these values in a column of `job_orders`.
    pub(super) fn by_values(column: Column, values: &[Argument]) -> Self {
        let scans = values.iter().cloned().map(|value| Scan::value(column, value)).collect();
        let predicate = Fragment::new(format!("{} IN ({})", column.name(), list(values.len())), values.to_vec());
        Self { predicate, scans: Some(scans), has_alternatives: false }
    }

    /// None of these values in a column of `job_orders`. `others` are all other values, if they are few.
    pub(super) fn by_excluded_values(column: Column, values: &[Argument], others: Option<Vec<Argument>>) -> Self {
        let scans = others.map(|values| values.into_iter().map(|value| Scan::value(column, value)).collect());
        let predicate = Fragment::new(format!("{} NOT IN ({})", column.name(), list(values.len())), values.to_vec());
        Self { predicate, scans, has_alternatives: false }
    }

    /// The names of datasets. `ids` are the versions that meet the condition, if they are few.
    pub(super) fn by_dataset(condition: &'static str, names: Vec<Argument>, ids: Option<Vec<Uuid>>) -> Self {
        let named = format!(r#"SELECT id FROM datasets WHERE name COLLATE "binary" IN ({})"#, list(names.len()));
        let predicate = Fragment::new(format!("job_orders.dataset_id {condition} ({named})"), names);
        Self { predicate, scans: ids.map(|ids| scans_of_ids(Column::Dataset, ids)), has_alternatives: false }
    }

    /// The error code of failed jobs.
    pub(super) fn by_error_code(condition: &Condition<FailureCode>) -> Option<Self> {
        let (codes, excluded) = match condition {
            Condition::Any => return None,
            Condition::In(codes) => (codes, false),
            Condition::NotIn(codes) => (codes, true),
        };
        let values: Vec<_> = codes.iter().map(|code| Argument::Text(code.as_str().to_owned())).collect();
        let with_code = format!(
            "EXISTS (SELECT 1 FROM job_failures WHERE job_failures.job_id = jobs.id AND job_failures.code IN ({}))",
            list(values.len())
        );
        let scan = |value: &Argument| Scan::value(Column::ErrorCode, value.clone());
        let scans = (!excluded).then(|| values.iter().map(scan).collect());
        let predicate =
            if excluded { format!("NOT {with_code}") } else { format!("(jobs.status = 'failed' AND {with_code})") };
        Some(Self { predicate: Fragment::new(predicate, values), scans, has_alternatives: false })
    }

    /// A search word: the beginning of an id, of a name, of an e-mail address or of a word of an error.
    pub(super) fn by_word(word: &SearchWord, emails: bool, scans: Option<Vec<Scan>>) -> Self {
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
            Fragment::new("(jobs.id >= ? AND jobs.id <= ?)", [Argument::Uuid(first), Argument::Uuid(last)])
        }));
        any.extend(word.error_word().map(|word| {
            begins(Column::ErrorWord.name(), word).within(
                "(jobs.status = 'failed' AND EXISTS (SELECT 1 FROM job_failure_words \
                 WHERE job_failure_words.job_id = jobs.id AND ",
                "))",
            )
        }));
        let sql: Vec<&str> = any.iter().map(|part| part.sql.as_str()).collect();
        let predicate =
            Fragment::new(format!("({})", sql.join(" OR ")), any.iter().flat_map(|part| part.arguments.clone()));
        Self { predicate, scans, has_alternatives: true }
    }
}

/// The condition that a job meets all clauses.
pub(crate) fn where_all(clauses: &[Clause], arguments: &mut Arguments) -> String {
    let each: Vec<String> = clauses.iter().map(|clause| clause.predicate.render("", arguments)).collect();
    if each.is_empty() { "TRUE".to_owned() } else { each.join(" AND ") }
}

/// As [`where_all`], for a statement about all jobs: a clause with alternatives becomes the set of the jobs that its scans
/// return, because no index serves a condition with OR.
pub(crate) fn where_all_by_scans(clauses: &[Clause], arguments: &mut Arguments) -> String {
    let set = |clause: &Clause, arguments: &mut Arguments| {
        let scans = clause.scans.as_deref().filter(|scans| clause.has_alternatives && !scans.is_empty())?;
        let newest = arguments.add(Argument::Uuid(Uuid::max()));
        let each: Vec<String> = scans.iter().map(|scan| scan.render(&newest, arguments)).collect();
        Some(format!("jobs.id IN ({})", each.join(" UNION ALL ")))
    };
    let each: Vec<String> = clauses
        .iter()
        .map(|clause| set(clause, arguments).unwrap_or_else(|| clause.predicate.render("", arguments)))
        .collect();
    if each.is_empty() { "TRUE".to_owned() } else { each.join(" AND ") }
}

/// The tables that the clauses read. `job_orders` only if it is needed.
pub(crate) fn tables(clauses: &[Clause]) -> &'static str {
    let joined = clauses.iter().any(|clause| clause.predicate.sql.contains("job_orders."));
    if joined { job_tables!() } else { "jobs" }
}

pub(super) fn scans_of_ids(column: Column, ids: Vec<Uuid>) -> Vec<Scan> {
    ids.into_iter().map(|id| Scan::value(column, Argument::Uuid(id))).collect()
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
            scan.render(&before, &mut arguments),
            "SELECT job_id AS id FROM job_failures WHERE job_failures.code = $2 AND job_id < $1"
        );
        let clause = Clause::by_status(&[JobStatus::Failed, JobStatus::Queued]);
        assert_eq!(where_all(&[], &mut arguments), "TRUE");
        assert_eq!(where_all(&[clause], &mut arguments), "(jobs.status = 'failed' OR jobs.status = 'queued')");
        assert_eq!(arguments.0.len(), 2);
    }
}
