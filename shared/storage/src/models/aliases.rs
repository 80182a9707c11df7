//! Aliases: names that move from version to version at once for everybody.

use chrono::{DateTime, Utc};
use trainyard_domain::ModelName;

use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{all, execute, one};

impl Models<'_> {
    /// A model's aliases with the versions they point at, by name.
    ///
    /// # Errors
    /// As every query.
    pub async fn aliases(&mut self, name: &ModelName) -> Result<Vec<(String, i64)>> {
        all!(self.0, "SELECT alias, version FROM model_aliases WHERE model_name = $1 ORDER BY alias", name.as_str(),)
    }

    /// Points `alias` at `version`, wherever it pointed before. `false` when the model has no such version.
    ///
    /// # Errors
    /// As every query.
    pub async fn set_alias(&mut self, name: &ModelName, alias: &str, version: i64, now: DateTime<Utc>) -> Result<bool> {
        if !self.hold(name).await? {
            return Ok(false);
        }
        let (there,): (bool,) = one!(
            self.0,
            "SELECT EXISTS (SELECT 1 FROM model_versions WHERE model_name = $1 AND version = $2)",
            name.as_str(),
            version,
        )?;
        if there {
            self.point(name, alias, version, now).await?;
            bump_revision(self.0).await?;
        }
        Ok(there)
    }

    /// Removes an alias; `false` when there was none.
    ///
    /// # Errors
    /// As every query.
    pub async fn delete_alias(&mut self, name: &ModelName, alias: &str) -> Result<bool> {
        self.hold(name).await?;
        let changed =
            execute!(self.0, "DELETE FROM model_aliases WHERE model_name = $1 AND alias = $2", name.as_str(), alias,)?;
        if changed == 1 {
            bump_revision(self.0).await?;
        }
        Ok(changed == 1)
    }

    /// Moves an alias of a model that is held.
    pub(super) async fn point(
        &mut self,
        name: &ModelName,
        alias: &str,
        version: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO model_aliases (model_name, alias, version, updated_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (model_name, alias) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at",
            name.as_str(),
            alias,
            version,
            now,
        )?;
        Ok(())
    }
}
