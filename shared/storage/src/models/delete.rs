//! Deleting versions and models. Their numbers are never used again.

use trainyard_domain::ModelName;

use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{execute, write_all, write_optional};

impl Models<'_> {
    /// Deletes a version and the aliases that point at it; answers the artifact key to remove from the object store
    /// once this is committed, or `None` when there was no such version.
    ///
    /// # Errors
    /// As every query.
    pub async fn delete_version(&mut self, name: &ModelName, version: i64) -> Result<Option<String>> {
        self.hold(name).await?;
        let row: Option<(String,)> = write_optional!(
            self.0,
            "DELETE FROM model_versions WHERE model_name = $1 AND version = $2 RETURNING artifact_key",
            name.as_str(),
            version,
        )?;
        if row.is_some() {
            bump_revision(self.0).await?;
        }
        Ok(row.map(|(key,)| key))
    }

    /// Deletes a model with all it has; answers the artifact keys to remove once this is committed. The name can be
    /// published to again, and goes on counting where it stopped.
    ///
    /// # Errors
    /// As every query.
    pub async fn delete(&mut self, name: &ModelName) -> Result<Vec<String>> {
        let now = self.0.now().await?;
        let changed = execute!(
            self.0,
            "UPDATE models SET deleted_at = $2 WHERE name = $1 AND deleted_at IS NULL",
            name.as_str(),
            now,
        )?;
        if changed == 0 {
            return Ok(Vec::new());
        }
        let rows: Vec<(String,)> = write_all!(
            self.0,
            "DELETE FROM model_versions WHERE model_name = $1 RETURNING artifact_key",
            name.as_str(),
        )?;
        bump_revision(self.0).await?;
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }
}
