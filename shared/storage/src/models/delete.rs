//! Deletion of versions and models. Version numbers are never reused.

use trainyard_domain::ModelName;

use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{all, execute, write_all, write_optional};

/// The result of deleting a model or a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelDeletion {
    /// Deleted. Remove the objects under these artifact keys after the commit.
    Deleted {
        /// Keys of the artifacts.
        keys: Vec<String>,
        /// The deleted aliases.
        aliases: Vec<String>,
    },
    /// These aliases prevent the deletion: drop the transaction.
    Aliased(Vec<String>),
    /// It does not exist.
    Missing,
}

impl Models<'_> {
    /// Deletes a version and, with `force`, its aliases. Locks the model before it reads the aliases, so that no alias is set
    /// concurrently.
    pub async fn delete_version(&mut self, name: &ModelName, version: i64, force: bool) -> Result<ModelDeletion> {
        self.lock_model(name).await?;
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

    /// Deletes a model with its versions. Without `force`, aliases prevent the deletion. A later publish under the name
    /// continues the version numbers.
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
