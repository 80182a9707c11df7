//! The table `model_traffic`: which versions answer requests, and which ones get copies.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use trainyard_domain::{ModelName, Traffic};

use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{all, execute};

/// The traffic of a model, as stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredTraffic {
    /// The traffic; empty if none is set.
    pub traffic: Traffic,
    /// When it was set.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Models<'_> {
    /// The traffic of a model.
    pub async fn traffic(&mut self, name: &ModelName) -> Result<StoredTraffic> {
        let rows: Vec<(i64, i64, DateTime<Utc>)> = all!(
            self.0,
            "SELECT version, weight, updated_at FROM model_traffic WHERE model_name = $1",
            name.as_str(),
        )?;
        let mut stored = StoredTraffic::default();
        for (version, weight, updated_at) in rows {
            insert(&mut stored.traffic, version, weight);
            stored.updated_at = Some(updated_at);
        }
        Ok(stored)
    }

    /// The traffic of every model that has some, by name.
    pub async fn all_traffic(&mut self) -> Result<BTreeMap<String, Traffic>> {
        let rows: Vec<(String, i64, i64)> = all!(self.0, "SELECT model_name, version, weight FROM model_traffic")?;
        let mut models: BTreeMap<String, Traffic> = BTreeMap::new();
        for (model, version, weight) in rows {
            insert(models.entry(model).or_default(), version, weight);
        }
        Ok(models)
    }

    /// The versions among `versions` that a model does not have.
    pub async fn missing_versions(&mut self, name: &ModelName, versions: &BTreeSet<i64>) -> Result<BTreeSet<i64>> {
        let mut missing = BTreeSet::new();
        for version in versions {
            if !self.has_version(name, *version).await? {
                missing.insert(*version);
            }
        }
        Ok(missing)
    }

    /// Replaces the traffic of a model, and ends the guards of its weights. Returns the versions that do not exist; if there
    /// are some, nothing is written.
    pub async fn set_traffic(
        &mut self,
        name: &ModelName,
        traffic: &Traffic,
        now: DateTime<Utc>,
    ) -> Result<BTreeSet<i64>> {
        self.lock(name).await?;
        let missing = self.missing_versions(name, &traffic.versions()).await?;
        if !missing.is_empty() {
            return Ok(missing);
        }
        self.clear_traffic(name).await?;
        let shadows = traffic.shadow.iter().map(|version| (*version, 0));
        for (version, weight) in traffic.weights.iter().map(|(version, weight)| (*version, *weight)).chain(shadows) {
            execute!(
                self.0,
                "INSERT INTO model_traffic (model_name, version, weight, updated_at) VALUES ($1, $2, $3, $4)",
                name.as_str(),
                version,
                i64::from(weight),
                now,
            )?;
        }
        bump_revision(self.0).await?;
        Ok(missing)
    }

    /// Deletes the traffic of a model. Returns `false` if none was set.
    pub async fn delete_traffic(&mut self, name: &ModelName) -> Result<bool> {
        self.lock(name).await?;
        let deleted = self.clear_traffic(name).await?;
        if deleted {
            bump_revision(self.0).await?;
        }
        Ok(deleted)
    }

    /// Deletes the weights of a model, so that `production` answers, and keeps its shadows. Returns `false` if there are no
    /// weights.
    pub async fn delete_weights(&mut self, name: &ModelName) -> Result<bool> {
        self.lock(name).await?;
        self.end_weights_guards(name).await?;
        let changed =
            execute!(self.0, "DELETE FROM model_traffic WHERE model_name = $1 AND weight > 0", name.as_str())?;
        if changed > 0 {
            bump_revision(self.0).await?;
        }
        Ok(changed > 0)
    }

    /// Deletes the traffic of a locked model, without a new revision.
    async fn clear_traffic(&mut self, name: &ModelName) -> Result<bool> {
        self.end_weights_guards(name).await?;
        let changed = execute!(self.0, "DELETE FROM model_traffic WHERE model_name = $1", name.as_str())?;
        Ok(changed > 0)
    }
}

/// Adds a row. A weight that is not valid counts as 0, so that its version answers no requests.
fn insert(traffic: &mut Traffic, version: i64, weight: i64) {
    match u32::try_from(weight).unwrap_or(0) {
        0 => {
            traffic.shadow.insert(version);
        }
        weight => {
            traffic.weights.insert(version, weight);
        }
    }
}
