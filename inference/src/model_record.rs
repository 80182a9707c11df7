//! The record of a published version: the data that is needed to load it, from the database or the local index.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use trainyard_domain::{ModelVersion, UserId};
use trainyard_storage::ServedVersion;
use trainyard_telemetry::TraceParent;

/// The key of a version: model name and version number.
pub(crate) type Key = (String, i64);

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelRecord {
    /// The model's name.
    pub(crate) model: String,
    /// The version number.
    pub(crate) version: i64,
    /// Aliases that point at the version; empty for a pinned version.
    pub(crate) aliases: Vec<String>,
    /// SHA-256 of the artifact. Part of the identity: after a restore of the database a number can belong to another
    /// artifact.
    pub(crate) sha256: String,
    /// Key of the artifact in the object store.
    pub(crate) artifact_key: String,
    /// Trace context of the publication.
    pub(crate) traceparent: Option<String>,
}

impl ModelRecord {
    pub(crate) fn key(&self) -> Key {
        (self.model.clone(), self.version)
    }

    /// The trace context of the publication.
    pub(crate) fn trace_context(&self) -> Option<TraceParent> {
        self.traceparent.as_deref().and_then(TraceParent::parse)
    }

    /// Whether the version has this key.
    pub(crate) fn has_key(&self, key: &Key) -> bool {
        self.version == key.1 && self.model == key.0
    }

    /// Whether both are the same version with the same artifact.
    pub(crate) fn is_same_artifact(&self, other: &Self) -> bool {
        self.version == other.version && self.model == other.model && self.sha256 == other.sha256
    }
}

impl From<ModelVersion> for ModelRecord {
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

impl From<ServedVersion> for ModelRecord {
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

/// The versions to serve and the disabled accounts, as read from the database, or from the local index while the
/// database is unavailable at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Catalogue {
    /// The revision counter of the database at the time of the read.
    pub(crate) revision: i64,
    /// The versions with an alias.
    pub(crate) served: Vec<ModelRecord>,
    /// Versions without an alias that requests pinned.
    pub(crate) pinned: Vec<ModelRecord>,
    /// Disabled accounts, whose unexpired tokens are refused.
    pub(crate) disabled: HashSet<UserId>,
}
