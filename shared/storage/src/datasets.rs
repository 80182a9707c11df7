//! The tables `datasets` and `dataset_formats`. A deleted version keeps its rows, with `deleted_at`.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use trainyard_domain::{ColumnProfile, Dataset, DatasetId, DatasetName, TableFormat, TaskKind, UserId};
use uuid::Uuid;

use crate::bulk::{BulkStatement, for_ids, select_in, write_bulk};
use crate::error::Result;
use crate::from_row::from_row;
use crate::jobs::close_quotas;
use crate::parse;
use crate::sql::{all, execute, one, optional};
use crate::stored::{Id, PageReader, Stored, StoredRow, readable};
use crate::tx::Tx;

/// Datasets.
#[derive(Debug)]
pub struct Datasets<'t>(pub(crate) &'t mut Tx);

/// The result of deleting a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatasetDeletion {
    /// Deleted. Remove the objects under these storage keys after the commit.
    Deleted(Vec<String>),
    /// A queued or running job reads the dataset: drop the transaction.
    Needed,
    /// The dataset does not exist.
    Missing,
}

const DELETE: BulkStatement =
    for_ids!("UPDATE datasets SET deleted_at = $1 WHERE deleted_at IS NULL AND id", "$2", " RETURNING storage_key");

from_row! {
    struct DatasetRow {
        id: Uuid,
        name: String,
        version: i64,
        row_count: i64,
        byte_count: i64,
        columns: Json<Vec<ColumnProfile>>,
        sha256: String,
        storage_key: String,
        warnings: Json<Vec<String>>,
        created_by: Option<Uuid>,
        created_at: DateTime<Utc>,
        format: Json<TableFormat>,
        duplicate_rows: i64,
        suggested_target: Option<String>,
        suggested_task: Option<String>,
    }
}

/// Selects datasets with their formats.
macro_rules! select_datasets {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.name, d.version, d.row_count, d.byte_count, d.columns, d.sha256, d.storage_key, d.warnings, \
             d.created_by, d.created_at, f.format, f.duplicate_rows, f.suggested_target, f.suggested_task \
             FROM datasets d JOIN dataset_formats f ON f.dataset_id = d.id WHERE ",
            $rest
        )
    };
}

impl StoredRow for DatasetRow {
    const TABLE: &'static str = "datasets";
    type Key = Id;
    type Value = Dataset;

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<Dataset> {
        Ok(Dataset {
            id: DatasetId(self.id),
            name: parse::dataset_name(&self.name)?,
            version: self.version,
            rows: self.row_count,
            bytes: self.byte_count,
            columns: self.columns.0,
            format: self.format.0,
            duplicate_rows: self.duplicate_rows,
            suggested_target: self.suggested_target,
            suggested_task: self.suggested_task.as_deref().map(parse::suggested_task).transpose()?,
            sha256: self.sha256,
            storage_key: self.storage_key,
            warnings: self.warnings.0,
            created_by: self.created_by.map(UserId),
            created_at: self.created_at,
        })
    }
}

impl Datasets<'_> {
    /// Inserts a version.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if another upload took the version: call [`Datasets::next_version`] again in a new
    /// transaction.
    pub async fn insert(&mut self, dataset: &Dataset) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO datasets (id, name, version, row_count, byte_count, columns, sha256, storage_key, warnings, \
             created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            dataset.id.0,
            dataset.name.as_str(),
            dataset.version,
            dataset.rows,
            dataset.bytes,
            Json(&dataset.columns),
            &dataset.sha256,
            &dataset.storage_key,
            Json(&dataset.warnings),
            dataset.created_by.map(|id| id.0),
            dataset.created_at,
        )?;
        execute!(
            self.0,
            "INSERT INTO dataset_formats (dataset_id, format, duplicate_rows, suggested_target, suggested_task) \
             VALUES ($1, $2, $3, $4, $5)",
            dataset.id.0,
            Json(&dataset.format),
            dataset.duplicate_rows,
            dataset.suggested_target.as_deref(),
            dataset.suggested_task.map(TaskKind::as_str),
        )?;
        Ok(())
    }

    /// The version of the next upload of `name`: the highest version, also a deleted one, plus 1.
    pub async fn next_version(&mut self, name: &DatasetName) -> Result<i64> {
        let (next,): (i64,) =
            one!(self.0, "SELECT COALESCE(MAX(version), 0) + 1 FROM datasets WHERE name = $1", name.as_str())?;
        Ok(next)
    }

    /// The version with this id, also a deleted one, because jobs and models refer to it.
    pub async fn get(&mut self, id: DatasetId) -> Result<Option<Dataset>> {
        let row: Option<Stored<DatasetRow>> = optional!(self.0, select_datasets!("d.id = $1"), id.0)?;
        row.map(Stored::value).transpose()
    }

    /// Which of these versions are not deleted. `ids` are distinct.
    pub async fn present(&mut self, ids: &[DatasetId]) -> Result<HashSet<DatasetId>> {
        let sql = "SELECT id FROM datasets WHERE deleted_at IS NULL AND id";
        let rows: Vec<(Uuid,)> = select_in!(self.0, sql, ids, |id| id.0, "")?;
        Ok(rows.into_iter().map(|(id,)| DatasetId(id)).collect())
    }

    /// The versions with these distinct ids, also deleted ones, in no order, by one query. Unreadable rows are left out.
    pub async fn get_many(&mut self, ids: &[DatasetId]) -> Result<Vec<Dataset>> {
        let rows: Vec<Stored<DatasetRow>> = select_in!(self.0, select_datasets!("d.id"), ids, |id| id.0, "")?;
        Ok(readable(rows))
    }

    /// The newest version of `name` that is not deleted.
    pub async fn latest(&mut self, name: &DatasetName) -> Result<Option<Dataset>> {
        let row: Option<Stored<DatasetRow>> = optional!(
            self.0,
            select_datasets!("d.name = $1 AND d.deleted_at IS NULL ORDER BY d.version DESC LIMIT 1"),
            name.as_str(),
        )?;
        row.map(Stored::value).transpose()
    }

    /// One version of `name`, if it is not deleted.
    pub async fn version(&mut self, name: &DatasetName, version: i64) -> Result<Option<Dataset>> {
        let row: Option<Stored<DatasetRow>> = optional!(
            self.0,
            select_datasets!("d.name = $1 AND d.version = $2 AND d.deleted_at IS NULL"),
            name.as_str(),
            version,
        )?;
        row.map(Stored::value).transpose()
    }

    /// The newest version of each name with an id below `before`, newest first. Unreadable rows are left out.
    pub async fn list(&mut self, before: Option<DatasetId>, limit: i64) -> Result<Vec<Dataset>> {
        let mut page: PageReader<DatasetRow> = PageReader::new(before.map(|id| Id(id.0)), limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(all!(
                self.0,
                select_datasets!(
                    "d.deleted_at IS NULL AND d.id < $1 AND NOT EXISTS \
                     (SELECT 1 FROM datasets n WHERE n.name = d.name AND n.version > d.version AND n.deleted_at IS NULL) \
                     ORDER BY d.id DESC LIMIT $2"
                ),
                before.map_or(Uuid::max(), |id| id.0),
                limit,
            )?);
        }
        Ok(page.values())
    }

    /// Deletes all versions of `name`, unless a queued or running job reads one. A concurrent submission is either stored
    /// first and prevents the deletion, or is refused after the deletion.
    pub async fn delete(&mut self, name: &DatasetName) -> Result<DatasetDeletion> {
        let ids: Vec<(Uuid,)> =
            all!(self.0, "SELECT id FROM datasets WHERE name = $1 AND deleted_at IS NULL ORDER BY id", name.as_str())?;
        let ids: Vec<Uuid> = ids.into_iter().map(|(id,)| id).collect();
        close_quotas(self.0, &ids).await?;
        if self.needed_by_active_job(name).await? {
            return Ok(DatasetDeletion::Needed);
        }
        let now = self.0.now().await?;
        // A version that was uploaded since is not in `ids` and stays.
        let rows: Vec<(String,)> = write_bulk!(self.0, DELETE, [now], ids, |id| [*id])?;
        Ok(match rows.len() {
            0 => DatasetDeletion::Missing,
            _ => DatasetDeletion::Deleted(rows.into_iter().map(|(key,)| key).collect()),
        })
    }

    /// Whether a queued or running job reads any version of `name`.
    pub async fn needed_by_active_job(&mut self, name: &DatasetName) -> Result<bool> {
        let (needed,): (bool,) = one!(
            self.0,
            "SELECT EXISTS (SELECT 1 FROM jobs j JOIN job_orders o ON o.id = j.id JOIN datasets d ON d.id = o.dataset_id \
             WHERE d.name = $1 AND j.status IN ('queued', 'running'))",
            name.as_str(),
        )?;
        Ok(needed)
    }

    /// Which of these distinct storage keys belong to versions that are not deleted. An object under another key is an
    /// orphan, unless its row is not committed yet.
    pub async fn named(&mut self, storage_keys: &[&str]) -> Result<HashSet<String>> {
        let sql = "SELECT storage_key FROM datasets WHERE deleted_at IS NULL AND storage_key";
        let rows: Vec<(String,)> = select_in!(self.0, sql, storage_keys, |key| *key, "")?;
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }
}
