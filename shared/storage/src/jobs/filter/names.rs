//! The values that a condition or a search word stands for. Few values have an index scan each.

use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use trainyard_domain::job_filter::SearchWord;
use trainyard_domain::{Condition, DatasetName};
use uuid::Uuid;

use super::clause::{Clause, scans_of};
use super::scan::{Column, Fragment, Scan};
use crate::arguments::{Argument, Arguments, all_with};
use crate::error::Result;
use crate::jobs::Jobs;

/// Most values of a column that are scanned together.
const MOST_VALUES: usize = 32;
/// Most versions of datasets that are scanned together. Most versions have few jobs, or jobs of one period.
const MOST_VERSIONS: usize = 128;
/// Most rows that are sorted instead of scanned in order.
pub(super) const FEW_ROWS: usize = 2_000;

impl Jobs<'_> {
    /// A condition on a column of `job_orders`; `None` if every value meets it.
    pub(super) async fn by_column<T>(
        &mut self,
        column: Column,
        condition: &Condition<T>,
        argument: impl Fn(&T) -> Argument,
    ) -> Result<Option<Clause>> {
        Ok(match condition {
            Condition::Any => None,
            Condition::In(values) => Some(Clause::by_values(column, &values.iter().map(argument).collect::<Vec<_>>())),
            Condition::NotIn(values) => {
                let excluded: Vec<_> = values.iter().map(argument).collect();
                let others = self.values(column).await?.map(|all| without(all, &excluded));
                Some(Clause::by_excluded_values(column, &excluded, others))
            }
        })
    }

    /// A condition on the name of the dataset.
    pub(super) async fn by_dataset(&mut self, condition: &Condition<DatasetName>) -> Result<Option<Clause>> {
        let (names, excluded) = match condition {
            Condition::Any => return Ok(None),
            Condition::In(names) => (names, false),
            Condition::NotIn(names) => (names, true),
        };
        let names: Vec<_> = names.iter().map(|name| Argument::Text(name.as_str().to_owned())).collect();
        let mut arguments = Arguments::default();
        let list: Vec<String> = names.iter().map(|name| arguments.add(name.clone())).collect();
        let named = format!(r#"name COLLATE "binary" IN ({})"#, list.join(", "));
        let versions = self.few_ids("datasets", &named, arguments, MOST_VERSIONS).await?;
        if !excluded {
            return Ok(Some(Clause::by_dataset(&names, versions)));
        }
        let others = match (&versions, self.values(Column::Dataset).await?) {
            (Some(versions), Some(all)) => Some(without(all, versions)),
            _ => None,
        };
        Ok(Some(Clause::by_excluded_dataset(&names, versions, others)))
    }

    /// A search word, also for e-mail addresses if `emails` is set.
    pub(super) async fn by_word(&mut self, word: &SearchWord, emails: bool) -> Result<Clause> {
        let (text, ids, error_word) = (word.as_str(), word.ids(), word.error_word());
        let mut parts = vec![
            Some(ids.into_iter().map(|(first, last)| Scan::ids(first, last)).collect()),
            self.begins_with(Column::ModelName, text).await?,
            self.owners("datasets", r#"name COLLATE "binary""#, text, MOST_VERSIONS)
                .await?
                .map(|ids| scans_of(Column::Dataset, ids)),
        ];
        if emails {
            let users = self.owners("users", r#"email COLLATE "binary""#, text, MOST_VALUES).await?;
            parts.push(users.map(|ids| scans_of(Column::Creator, ids)));
        }
        if let Some(word) = error_word {
            parts.push(self.begins_with(Column::ErrorWord, word).await?);
        }
        // One part without an index scan makes the others useless: a job may match by that part only.
        let scans: Option<Vec<Vec<Scan>>> = parts.into_iter().collect();
        Ok(Clause::by_word(word, emails, scans.map(|scans| scans.concat())))
    }

    /// Scans of the jobs whose column begins with `prefix`: of each value, or of all rows together if they are few.
    async fn begins_with(&mut self, column: Column, prefix: &str) -> Result<Option<Vec<Scan>>> {
        let values: Vec<(String,)> = self.distinct(column, Some(prefix)).await?;
        if values.len() <= MOST_VALUES {
            return Ok(Some(values.into_iter().map(|(text,)| Scan::value(column, Argument::Text(text))).collect()));
        }
        let mut arguments = Arguments::default();
        let (table, range) = (column.table(), Fragment::begins_with(column.name(), prefix).render(&mut arguments));
        let limit = FEW_ROWS + 1;
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE {range} LIMIT {limit}) AS few");
        let rows: Vec<(i64,)> = all_with!(self.0, sql, arguments)?;
        let few = rows.first().is_some_and(|(count,)| usize::try_from(*count).is_ok_and(|count| count <= FEW_ROWS));
        Ok(few.then(|| vec![Scan::few(column, prefix)]))
    }

    /// The ids of datasets or users whose column begins with `prefix`; `None` if there are more than `most`.
    async fn owners(
        &mut self,
        table: &'static str,
        column: &'static str,
        prefix: &str,
        most: usize,
    ) -> Result<Option<Vec<Argument>>> {
        let mut arguments = Arguments::default();
        let range = Fragment::begins_with(column, prefix).render(&mut arguments);
        self.few_ids(table, &range, arguments, most).await
    }

    async fn few_ids(
        &mut self,
        table: &'static str,
        condition: &str,
        arguments: Arguments,
        most: usize,
    ) -> Result<Option<Vec<Argument>>> {
        let sql = format!("SELECT id FROM {table} WHERE {condition} LIMIT {}", most + 1);
        let rows: Vec<(Uuid,)> = all_with!(self.0, sql, arguments)?;
        Ok((rows.len() <= most).then(|| rows.into_iter().map(|(id,)| Argument::Uuid(id)).collect()))
    }

    /// All values of a column of `job_orders`; `None` if there are many.
    async fn values(&mut self, column: Column) -> Result<Option<Vec<Argument>>> {
        let values: Vec<Argument> = if column == Column::ModelName {
            self.distinct(column, None).await?.into_iter().map(|(text,)| Argument::Text(text)).collect()
        } else {
            self.distinct(column, None).await?.into_iter().map(|(id,)| Argument::Uuid(id)).collect()
        };
        Ok((values.len() <= MOST_VALUES).then_some(values))
    }

    /// The first distinct values of a column, one more than [`MOST_VALUES`] at most. Each value is one step in the index
    /// (a loose index scan); `DISTINCT` would read all rows.
    async fn distinct<T>(&mut self, column: Column, prefix: Option<&str>) -> Result<Vec<(T,)>>
    where
        (T,): for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let (sql, arguments) = distinct_values(column, prefix);
        all_with!(self.0, sql, arguments)
    }
}

/// The statement of [`Jobs::distinct`].
pub(super) fn distinct_values(column: Column, prefix: Option<&str>) -> (String, Arguments) {
    let mut arguments = Arguments::default();
    let (table, name) = (column.table(), column.name());
    let begins = |prefix| Fragment::begins_with(name, prefix).render(&mut arguments);
    let range = prefix.map_or_else(|| "TRUE".to_owned(), begins);
    let next = |after: &str| format!("(SELECT {name} FROM {table} WHERE {range}{after} ORDER BY {name} LIMIT 1)");
    let (first, further) = (next(""), next(&format!(" AND {name} > found.value")));
    let sql = format!(
        "WITH RECURSIVE found (value, number) AS (SELECT {first}, 1 UNION ALL \
         SELECT {further}, found.number + 1 FROM found WHERE found.value IS NOT NULL AND found.number <= {MOST_VALUES}) \
         SELECT value FROM found WHERE value IS NOT NULL"
    );
    (sql, arguments)
}

fn without(all: Vec<Argument>, excluded: &[Argument]) -> Vec<Argument> {
    all.into_iter().filter(|value| !excluded.contains(value)).collect()
}
