//! Deleting versions and models. Their numbers are never used again.

use trainyard_domain::ModelName;

use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{all, execute, write_all, write_optional};

/// What came of deleting a model or a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelDeletion {
    /// It is gone once the transaction is committed, and then the objects under these artifact keys can be removed.
    Deleted {
        /// Artifact keys.
        keys: Vec<String>,
        /// The aliases that went with it.
        aliases: Vec<String>,
    },
    /// These aliases point at it: drop the transaction.
    Aliased(Vec<String>),
    /// There is none.
    Missing,
}

impl Models<'_> {
    /// Deletes a version and, if `force`, the aliases that point at it. Aliases are looked for after the model's row is
    /// locked, so none is pointed at the version meanwhile.
    ///
    /// # Errors
    /// As every query.
    pub async fn delete_version(&mut self, name: &ModelName, version: i64, force: bool) -> Result<ModelDeletion> {
        self.hold(name).await?;
        let aliases: Vec<(String,)> = all!(
            self.0,
            "SELECT alias FROM model_aliases WHERE model_name = $1 AND version = $2 ORDER BY alias",
            name.as_str(),
            version,
        )?;
        let aliases: Vec<String> = aliases.into_iter().map(|(alias,)| alias).collect();
        if !force && !aliases.is_empty() {
            return Ok(ModelDeletion::Aliased(aliases));
        }
        let row: Option<(String,)> = write_optional!(
            self.0,
            "DELETE FROM model_versions WHERE model_name = $1 AND version = $2 RETURNING artifact_key",
            name.as_str(),
            version,
        )?;
        let Some((key,)) = row else { return Ok(ModelDeletion::Missing) };
        bump_revision(self.0).await?;
        Ok(ModelDeletion::Deleted { keys: vec![key], aliases })
    }

    /// Deletes a model with all it has, unless an alias points at one of its versions and `force` is not set. The name can
    /// be published to again, and goes on counting where it stopped.
    ///
    /// # Errors
    /// As every query.
    pub async fn delete(&mut self, name: &ModelName, force: bool) -> Result<ModelDeletion> {
        let now = self.0.now().await?;
        let changed = execute!(
            self.0,
            "UPDATE models SET deleted_at = $2 WHERE name = $1 AND deleted_at IS NULL",
            name.as_str(),
            now,
        )?;
        if changed == 0 {
            return Ok(ModelDeletion::Missing);
        }
        let aliases: Vec<String> = self.aliases(name).await?.into_iter().map(|(alias, _)| alias).collect();
        if !force && !aliases.is_empty() {
            return Ok(ModelDeletion::Aliased(aliases));
        }
        let rows: Vec<(String,)> = write_all!(
            self.0,
            "DELETE FROM model_versions WHERE model_name = $1 RETURNING artifact_key",
            name.as_str(),
        )?;
        bump_revision(self.0).await?;
        Ok(ModelDeletion::Deleted { keys: rows.into_iter().map(|(key,)| key).collect(), aliases })
    }
}
