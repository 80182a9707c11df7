//! Aliases of model versions.

use chrono::{DateTime, Utc};
use trainyard_domain::ModelName;

use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{all, execute, one};

impl Models<'_> {
    /// The aliases of a model and their versions, by alias.
    pub async fn aliases(&mut self, name: &ModelName) -> Result<Vec<(String, i64)>> {
        all!(self.0, "SELECT alias, version FROM model_aliases WHERE model_name = $1 ORDER BY alias", name.as_str(),)
    }

    /// Sets `alias` to `version`. Returns `false` if the version does not exist.
    pub async fn set_alias(&mut self, name: &ModelName, alias: &str, version: i64, now: DateTime<Utc>) -> Result<bool> {
        if !self.lock_model(name).await? {
            return Ok(false);
        }
        let (there,): (bool,) = one!(
            self.0,
            "SELECT EXISTS (SELECT 1 FROM model_versions WHERE model_name = $1 AND version = $2)",
            name.as_str(),
            version,
        )?;
        if there {
            self.write_alias(name, alias, version, now).await?;
            bump_revision(self.0).await?;
        }
        Ok(there)
    }

    /// Deletes an alias. Returns `false` if it does not exist.
    pub async fn delete_alias(&mut self, name: &ModelName, alias: &str) -> Result<bool> {
        self.lock_model(name).await?;
        let changed =
            execute!(self.0, "DELETE FROM model_aliases WHERE model_name = $1 AND alias = $2", name.as_str(), alias,)?;
        if changed == 1 {
            bump_revision(self.0).await?;
        }
        Ok(changed == 1)
    }

    /// Sets an alias of a locked model.
    pub(super) async fn write_alias(
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
