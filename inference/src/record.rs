//! What has to be known about a published version to load it: a row of the database, or of the local index.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use trainyard_domain::{ModelVersion, UserId};
use trainyard_storage::ServedVersion;
use trainyard_telemetry::TraceParent;

/// A version's place in the registry: model and number.
pub(crate) type Key = (String, i64);

/// One published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The model's name.
    pub(crate) model: String,
    /// The version's number.
    pub(crate) version: i64,
    /// Aliases that point at it; none for one that requests pinned.
    pub(crate) aliases: Vec<String>,
    /// SHA-256 of the artifact. Part of the identity: a model deleted and trained anew counts from 1 again.
    pub(crate) sha256: String,
    /// Where the artifact lies.
    pub(crate) artifact_key: String,
    /// Where in a trace it was published.
    pub(crate) traceparent: Option<String>,
}

impl Record {
    pub(crate) fn key(&self) -> Key {
        (self.model.clone(), self.version)
    }

    /// Where in a trace it was published.
    pub(crate) fn place(&self) -> Option<TraceParent> {
        self.traceparent.as_deref().and_then(TraceParent::parse)
    }

    /// Whether this is the version under `key`.
    pub(crate) fn is(&self, key: &Key) -> bool {
        self.version == key.1 && self.model == key.0
    }

    /// Whether this is the same version with the same bytes.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.version == other.version && self.model == other.model && self.sha256 == other.sha256
    }
}

impl From<ModelVersion> for Record {
    fn from(version: ModelVersion) -> Self {
        Self {
            model: version.name.as_str().to_owned(),
            version: version.version,
            aliases: version.aliases,
            sha256: version.sha256,
            artifact_key: version.artifact_key,
            traceparent: version.traceparent,
        }
    }
}

impl From<ServedVersion> for Record {
    fn from(version: ServedVersion) -> Self {
        Self {
            model: version.model,
            version: version.version,
            aliases: version.aliases,
            sha256: version.sha256,
            artifact_key: version.artifact_key,
            traceparent: version.traceparent,
        }
    }
}

/// Everything that should be served, and who may not be: as read from the database, or from the local index when the
/// database is away at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Catalogue {
    /// The database's counter of changes when this was read.
    pub(crate) revision: i64,
    /// Every version an alias points at.
    pub(crate) served: Vec<Record>,
    /// Versions without an alias that requests pinned.
    pub(crate) pinned: Vec<Record>,
    /// Accounts that are turned away although their tokens have not expired.
    pub(crate) disabled: HashSet<UserId>,
}
