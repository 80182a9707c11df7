//! The tables of models, versions, aliases, traffic and guards, and the revision that the inference role polls.
//!
//! Every change of a model first locks its row, so that changes of one model are serialized, and then increases the
//! revision.

mod aliases;
mod delete;
mod guards;
mod history;
mod publish;
mod read;
mod rows;
mod traffic;

use chrono::{DateTime, Utc};
pub use delete::ModelDeletion;
pub use history::Rollback;
pub use publish::{NewVersion, Published};
pub use traffic::StoredTraffic;
use trainyard_domain::ModelName;
use uuid::Uuid;

use crate::error::Result;
use crate::sql::{execute, one};
use crate::tx::Tx;

/// Models, versions and aliases.
#[derive(Debug)]
pub struct Models<'t>(pub(crate) &'t mut Tx);

/// A model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its id, a UUIDv7, by which models are listed.
    pub id: Uuid,
    /// Its name.
    pub name: ModelName,
    /// When its first version was published.
    pub created_at: DateTime<Utc>,
}

/// A version with an alias or in the traffic of its model, as the inference role loads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedVersion {
    /// The model's name.
    pub model: String,
    /// The version's number.
    pub version: i64,
    /// Its aliases, sorted.
    pub aliases: Vec<String>,
    /// The artifact's SHA-256, hexadecimal.
    pub sha256: String,
    /// The artifact's key in the object store.
    pub artifact_key: String,
    /// The trace context of its publication.
    pub traceparent: Option<String>,
}

impl Models<'_> {
    /// The serving revision. It increases with every publish, deletion, change of an alias, of traffic or of a guard, and
    /// change of an account. While it is unchanged, the inference role has nothing to load.
    pub async fn revision(&mut self) -> Result<i64> {
        let (revision,): (i64,) = one!(self.0, "SELECT revision FROM serving_state WHERE id = 1")?;
        Ok(revision)
    }

    /// Locks the model until the end of the transaction. Returns `false` if the model does not exist.
    pub async fn lock(&mut self, name: &ModelName) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE models SET latest_version = latest_version WHERE name = $1 AND deleted_at IS NULL",
            name.as_str(),
        )?;
        Ok(changed == 1)
    }
}

/// Increases [`Models::revision`].
pub(crate) async fn bump_revision(tx: &mut Tx) -> Result<()> {
    execute!(tx, "UPDATE serving_state SET revision = revision + 1 WHERE id = 1")?;
    Ok(())
}
