//! Aliases of model versions.

use trainyard_domain::{ModelName, MoveCause};

use super::history::Position;
use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{all, execute, one, optional};

impl Models<'_> {
    /// The aliases of a model and their versions, by alias.
    pub async fn aliases(&mut self, name: &ModelName) -> Result<Vec<(String, i64)>> {
        all!(self.0, "SELECT alias, version FROM model_aliases WHERE model_name = $1 ORDER BY alias", name.as_str(),)
    }

    /// The version of an alias.
    pub async fn alias(&mut self, name: &ModelName, alias: &str) -> Result<Option<i64>> {
        let row: Option<(i64,)> = optional!(
            self.0,
            "SELECT version FROM model_aliases WHERE model_name = $1 AND alias = $2",
            name.as_str(),
            alias,
        )?;
        Ok(row.map(|(version,)| version))
    }

    /// Sets `alias` to `version`, records the move and ends the guard of the alias. Returns `false` if the version does not
    /// exist.
    pub async fn set_alias(&mut self, name: &ModelName, alias: &str, version: i64, cause: &MoveCause) -> Result<bool> {
        if !self.lock(name).await? || !self.has_version(name, version).await? {
            return Ok(false);
        }
        let changed = if self.alias(name, alias).await? == Some(version) {
            self.end_alias_guard(name, alias).await?
        } else {
            self.move_alias(name, alias, version, cause).await?;
            true
        };
        if changed {
            bump_revision(self.0).await?;
        }
        Ok(true)
    }

    /// Deletes an alias and records the deletion. Returns `false` if the alias does not exist.
    pub async fn delete_alias(&mut self, name: &ModelName, alias: &str, cause: &MoveCause) -> Result<bool> {
        self.lock(name).await?;
        let Some(from) = self.alias(name, alias).await? else { return Ok(false) };
        execute!(self.0, "DELETE FROM model_aliases WHERE model_name = $1 AND alias = $2", name.as_str(), alias,)?;
        self.record_move(name, alias, Position { from: Some(from), to: None, returns_to: None }, cause).await?;
        bump_revision(self.0).await?;
        Ok(true)
    }

    /// Moves an alias of a locked model to another version, and records the move.
    pub(super) async fn move_alias(
        &mut self,
        name: &ModelName,
        alias: &str,
        version: i64,
        cause: &MoveCause,
    ) -> Result<()> {
        let from = self.alias(name, alias).await?;
        self.write_alias(name, alias, version, cause).await?;
        self.record_move(name, alias, Position { from, to: Some(version), returns_to: None }, cause).await
    }

    /// Writes an alias of a locked model.
    pub(super) async fn write_alias(
        &mut self,
        name: &ModelName,
        alias: &str,
        version: i64,
        cause: &MoveCause,
    ) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO model_aliases (model_name, alias, version, updated_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (model_name, alias) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at",
            name.as_str(),
            alias,
            version,
            cause.at,
        )?;
        Ok(())
    }

    /// Whether the model has this version.
    pub(super) async fn has_version(&mut self, name: &ModelName, version: i64) -> Result<bool> {
        let (there,): (bool,) = one!(
            self.0,
            "SELECT EXISTS (SELECT 1 FROM model_versions WHERE model_name = $1 AND version = $2)",
            name.as_str(),
            version,
        )?;
        Ok(there)
    }
}
