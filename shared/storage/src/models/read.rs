//! Queries of models and versions. One statement reads a version and its aliases, so they are consistent.

use std::collections::HashSet;

use trainyard_domain::{ModelName, ModelVersion};
use uuid::Uuid;

use super::rows::{ModelRow, ServedRow, VersionRow, fold, fold_served};
use super::{Model, Models, ServedVersion};
use crate::bulk::select_in;
use crate::error::Result;
use crate::sql::{all, optional};
use crate::stored::{Id, PageReader, Pair, Stored, readable};

impl Models<'_> {
    /// The model with this name.
    pub async fn get(&mut self, name: &ModelName) -> Result<Option<Model>> {
        let row: Option<Stored<ModelRow>> = optional!(
            self.0,
            "SELECT id, name, created_at FROM models WHERE name = $1 AND deleted_at IS NULL",
            name.as_str(),
        )?;
        row.map(Stored::value).transpose()
    }

    /// Models older than `before`, newest first. Unreadable rows are left out.
    pub async fn list(&mut self, before: Option<Uuid>, limit: i64) -> Result<Vec<Model>> {
        let mut page: PageReader<ModelRow> = PageReader::new(before.map(Id), limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(all!(
                self.0,
                "SELECT id, name, created_at FROM models WHERE deleted_at IS NULL AND id < $1 ORDER BY id DESC LIMIT $2",
                before.map_or(Uuid::max(), |id| id.0),
                limit,
            )?);
        }
        Ok(page.values())
    }

    /// A version of a model.
    pub async fn version(&mut self, name: &ModelName, version: i64) -> Result<Option<ModelVersion>> {
        let rows: Vec<Stored<VersionRow>> = all!(
            self.0,
            "SELECT v.*, a.alias FROM model_versions v \
             LEFT JOIN model_aliases a ON a.model_name = v.model_name AND a.version = v.version \
             WHERE v.model_name = $1 AND v.version = $2 ORDER BY a.alias",
            name.as_str(),
            version,
        )?;
        fold(rows).pop().map(Stored::value).transpose()
    }

    /// Versions of a model below `before`, newest first. Unreadable rows are left out.
    pub async fn versions(&mut self, name: &ModelName, before: Option<i64>, limit: i64) -> Result<Vec<ModelVersion>> {
        let first = before.map(|before| Pair(name.as_str().to_owned(), before));
        let mut page: PageReader<VersionRow> = PageReader::new(first, limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(fold(all!(
                self.0,
                "SELECT v.*, a.alias FROM \
                 (SELECT * FROM model_versions WHERE model_name = $1 AND version < $2 ORDER BY version DESC LIMIT $3) v \
                 LEFT JOIN model_aliases a ON a.model_name = v.model_name AND a.version = v.version \
                 ORDER BY v.version DESC, a.alias",
                name.as_str(),
                before.map_or(i64::MAX, |before| before.1),
                limit,
            )?));
        }
        Ok(page.values())
    }

    /// The newest version of each of these distinct models, in no order, by one query. Unreadable rows are left out.
    pub async fn latest_of(&mut self, names: &[&str]) -> Result<Vec<ModelVersion>> {
        let sql = "SELECT v.*, a.alias FROM model_versions v \
                   LEFT JOIN model_aliases a ON a.model_name = v.model_name AND a.version = v.version \
                   WHERE v.version = (SELECT MAX(n.version) FROM model_versions n WHERE n.model_name = v.model_name) \
                   AND v.model_name";
        let rows: Vec<Stored<VersionRow>> =
            select_in!(self.0, sql, names, |name| *name, " ORDER BY v.model_name, a.alias")?;
        Ok(readable(fold(rows)))
    }

    /// The aliases of these distinct models, as model, alias and version, by one query.
    pub async fn aliases_of(&mut self, names: &[&str]) -> Result<Vec<(String, String, i64)>> {
        let sql = "SELECT model_name, alias, version FROM model_aliases WHERE model_name";
        select_in!(self.0, sql, names, |name| *name, "")
    }

    /// All versions with an alias or in the traffic of their model, which the inference role loads.
    pub async fn served(&mut self) -> Result<Vec<ServedVersion>> {
        let rows: Vec<ServedRow> = all!(
            self.0,
            "SELECT v.model_name, v.version, v.sha256, v.artifact_key, v.traceparent, s.alias FROM \
             (SELECT model_name, version, alias FROM model_aliases \
             UNION ALL SELECT model_name, version, NULL FROM model_traffic) s \
             JOIN model_versions v ON v.model_name = s.model_name AND v.version = s.version \
             ORDER BY v.model_name, v.version, s.alias",
        )?;
        Ok(fold_served(rows))
    }

    /// The names and numbers of all versions, ordered, at most `limit`.
    pub async fn published(&mut self, limit: i64) -> Result<Vec<(String, i64)>> {
        all!(self.0, "SELECT model_name, version FROM model_versions ORDER BY model_name, version LIMIT $1", limit,)
    }

    /// Which of these distinct artifact keys belong to versions. An object under another key is an orphan, unless a run has
    /// not published it yet.
    pub async fn named(&mut self, artifact_keys: &[&str]) -> Result<HashSet<String>> {
        let sql = "SELECT artifact_key FROM model_versions WHERE artifact_key";
        let rows: Vec<(String,)> = select_in!(self.0, sql, artifact_keys, |key| *key, "")?;
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }
}
