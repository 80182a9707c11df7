//! Deletion of versions and models. Version numbers are never reused.

use trainyard_domain::{ModelName, MoveCause, Traffic};

use super::history::Position;
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
    /// The traffic of the model prevents the deletion: drop the transaction.
    Traffic(Traffic),
    /// It does not exist.
    Missing,
}

impl Models<'_> {
    /// Deletes a version and, with `force`, its aliases, its shadow copies and the weights of the model if it has one: the
    /// other versions would get its share. Locks the model before it reads what uses the version, so that nothing begins to
    /// use the version concurrently.
    pub async fn delete_version(
        &mut self,
        name: &ModelName,
        version: i64,
        force: bool,
        cause: &MoveCause,
    ) -> Result<ModelDeletion> {
        self.lock(name).await?;
        let aliases: Vec<(String,)> = all!(
            self.0,
            "SELECT alias FROM model_aliases WHERE model_name = $1 AND version = $2 ORDER BY alias",
            name.as_str(),
            version,
        )?;
        let aliases: Vec<String> = aliases.into_iter().map(|(alias,)| alias).collect();
        let traffic = self.traffic(name).await?.traffic;
        if !force && !aliases.is_empty() {
            return Ok(ModelDeletion::Aliased(aliases));
        }
        if !force && traffic.versions().contains(&version) {
            return Ok(ModelDeletion::Traffic(traffic));
        }
        if traffic.weights.contains_key(&version) {
            self.delete_weights(name).await?;
        }
        let row: Option<(String,)> = write_optional!(
            self.0,
            "DELETE FROM model_versions WHERE model_name = $1 AND version = $2 RETURNING artifact_key",
            name.as_str(),
            version,
        )?;
        let Some((key,)) = row else { return Ok(ModelDeletion::Missing) };
        for alias in &aliases {
            let position = Position { from: Some(version), to: None, returns_to: None };
            self.record_move(name, alias, position, cause).await?;
        }
        bump_revision(self.0).await?;
        Ok(ModelDeletion::Deleted { keys: vec![key], aliases })
    }

    /// Deletes a model with its versions and its history. Without `force`, aliases and traffic prevent the deletion. A later
    /// publish under the name continues the version numbers.
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
        let traffic = self.traffic(name).await?.traffic;
        if !force && !traffic.is_empty() {
            return Ok(ModelDeletion::Traffic(traffic));
        }
        // The row of the model stays, so its history does not go with it.
        execute!(self.0, "DELETE FROM alias_moves WHERE model_name = $1", name.as_str())?;
        let rows: Vec<(String,)> = write_all!(
            self.0,
            "DELETE FROM model_versions WHERE model_name = $1 RETURNING artifact_key",
            name.as_str(),
        )?;
        bump_revision(self.0).await?;
        Ok(ModelDeletion::Deleted { keys: rows.into_iter().map(|(key,)| key).collect(), aliases })
    }
}
