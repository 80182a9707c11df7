//! The `models`, `model_versions` and `model_aliases` tables, and the counter the inference role polls.
//!
//! `publish` adds versions; `read` and `rows` read them back; `aliases` says which are served; `delete` removes. Whoever
//! changes a model first writes its row, so that changes of one model queue up, and then moves the counter.

mod aliases;
mod delete;
mod publish;
mod read;
mod rows;

use chrono::{DateTime, Utc};
pub use delete::ModelDeletion;
pub use publish::NewVersion;
use trainyard_domain::ModelName;
use uuid::Uuid;

use crate::error::Result;
use crate::sql::{execute, one};
use crate::tx::Tx;

/// Models, versions, aliases.
#[derive(Debug)]
pub struct Models<'t>(pub(crate) &'t mut Tx);

/// One model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its id, a UUIDv7: models are listed by it.
    pub id: Uuid,
    /// Its name.
    pub name: ModelName,
    /// When its first version was published.
    pub created_at: DateTime<Utc>,
}

/// A version that an alias points at: what the inference role needs to load it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedVersion {
    /// The model's name.
    pub model: String,
    /// The version's number.
    pub version: i64,
    /// The aliases that point at it, in order.
    pub aliases: Vec<String>,
    /// The artifact's SHA-256, hexadecimal.
    pub sha256: String,
    /// The artifact's key in the object store.
    pub artifact_key: String,
    /// The trace context of its publication.
    pub traceparent: Option<String>,
}

impl Models<'_> {
    /// A number that moves with every publish, alias move, deletion, and change of an account: while it stands still,
    /// the inference role has nothing to load.
    ///
    /// # Errors
    /// As every query.
    pub async fn revision(&mut self) -> Result<i64> {
        let (revision,): (i64,) = one!(self.0, "SELECT revision FROM serving_state WHERE id = 1")?;
        Ok(revision)
    }

    /// Waits for whoever changes this model and keeps others out until this transaction ends. `false` when there is
    /// no such model.
    async fn hold(&mut self, name: &ModelName) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE models SET latest_version = latest_version WHERE name = $1 AND deleted_at IS NULL",
            name.as_str(),
        )?;
        Ok(changed == 1)
    }
}

/// Moves the counter of [`Models::revision`].
pub(crate) async fn bump_revision(tx: &mut Tx) -> Result<()> {
    execute!(tx, "UPDATE serving_state SET revision = revision + 1 WHERE id = 1")?;
    Ok(())
}
