//! Index scans that return ids of jobs, and the parts of a statement that they consist of.

use trainyard_domain::JobStatus;
use uuid::Uuid;

use super::names::FEW_ROWS;
use crate::arguments::{Argument, Arguments};

/// A part of a statement. `?` stands for one of its arguments.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    sql: String,
    arguments: Vec<Argument>,
}

impl Fragment {
    pub(super) fn new(sql: impl Into<String>, arguments: impl IntoIterator<Item = Argument>) -> Self {
        Self { sql: sql.into(), arguments: arguments.into_iter().collect() }
    }

    /// The condition that a text column begins with `prefix`, as a range of an index. U+10FFFF is the greatest character.
    pub(super) fn begins_with(column: &str, prefix: &str) -> Self {
        let bounds = [prefix.to_owned(), format!("{prefix}\u{10ffff}")];
        Self::new(format!("({column} >= ? AND {column} < ?)"), bounds.map(Argument::Text))
    }

    /// At least one of these conditions.
    pub(super) fn any(conditions: Vec<Self>) -> Self {
        let sql: Vec<&str> = conditions.iter().map(|condition| condition.sql.as_str()).collect();
        let sql = format!("({})", sql.join(" OR "));
        Self { sql, arguments: conditions.into_iter().flat_map(|condition| condition.arguments).collect() }
    }

    pub(super) fn within(self, before: &str, after: &str) -> Self {
        Self { sql: format!("{before}{}{after}", self.sql), ..self }
    }

    /// Whether the SQL contains this text.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.sql.contains(text)
    }

    /// The SQL with placeholders of `arguments`.
    pub(super) fn render(&self, arguments: &mut Arguments) -> String {
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
        sql
    }
}

/// An index scan that returns ids of jobs in descending order.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    /// A SELECT with a WHERE.
    select: Fragment,
    /// The column of the id.
    id: &'static str,
    /// Whether the scan sorts its rows, so that it is too expensive for a single id.
    pub(super) sorts: bool,
}

impl Scan {
    fn new(select: Fragment, id: &'static str) -> Self {
        Self { select, id, sorts: false }
    }

    /// All jobs.
    pub(super) fn all() -> Self {
        Self::new(Fragment::new("SELECT id FROM jobs WHERE TRUE", []), "id")
    }

    /// The jobs with ids from `first` to `last`.
    pub(super) fn ids(first: Uuid, last: Uuid) -> Self {
        let range = [Argument::Uuid(first), Argument::Uuid(last)];
        Self::new(Fragment::new("SELECT id FROM jobs WHERE id >= ? AND id <= ?", range), "id")
    }

    pub(super) fn status(status: JobStatus) -> Self {
        // The status is part of the text, because each status has a partial index.
        Self::new(Fragment::new(format!("SELECT id FROM jobs WHERE status = '{}'", status.as_str()), []), "id")
    }

    /// The prediction jobs, which have a partial index.
    pub(super) fn predictions() -> Self {
        let sql = "SELECT job_orders.id AS id FROM job_orders WHERE job_orders.kind = 'prediction'";
        Self::new(Fragment::new(sql, []), "job_orders.id")
    }

    /// The jobs with one value of a column.
    pub(super) fn value(column: Column, value: Argument) -> Self {
        let (table, name, id) = (column.table(), column.name(), column.id());
        Self::new(Fragment::new(format!("SELECT {id} AS id FROM {table} WHERE {name} = ?"), [value]), id)
    }

    /// The jobs whose column begins with `prefix`. For at most [`FEW_ROWS`] rows, because they are sorted.
    pub(super) fn few(column: Column, prefix: &str) -> Self {
        let (table, id) = (column.table(), column.id());
        let few = Fragment::begins_with(column.name(), prefix).within(
            &format!("SELECT id FROM (SELECT {id} AS id FROM {table} WHERE "),
            &format!(" LIMIT {FEW_ROWS}) AS few WHERE TRUE"),
        );
        Self { sorts: true, ..Self::new(few, "id") }
    }

    /// The statement for ids below `before`, a placeholder.
    pub(super) fn older_than(&self, before: &str, arguments: &mut Arguments) -> String {
        format!("{} AND {} < {before}", self.select.render(arguments), self.id)
    }

    /// A query for the id in the column `candidate` of an outer query. The range contains only this id: with `=`, Postgres
    /// would prefer the primary key and read the row. It still does so for frequent values before the table is vacuumed.
    pub(super) fn lookup(&self, candidate: &str) -> Fragment {
        let id = self.id;
        self.select.clone().within("", &format!(" AND {id} >= {candidate} AND {id} <= {candidate} LIMIT 1"))
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
