//! The record of a published version: the data that is needed to load it, from the database or the local index.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trainyard_domain::{Guard, GuardId, ModelVersion, Traffic, UserId};
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
    /// Aliases that point at the version; empty for a pinned version, and for one that only the traffic uses.
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

/// A guard, as this role needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServedGuard {
    /// Its id.
    pub(crate) id: GuardId,
    /// The model.
    pub(crate) model: String,
    /// The guarded version.
    pub(crate) version: i64,
    /// Predictions that take longer are slow.
    pub(crate) max_p99: Option<Duration>,
}

impl ServedGuard {
    /// Whether the guarded version has this key.
    pub(crate) fn has_key(&self, key: &Key) -> bool {
        self.version == key.1 && self.model == key.0
    }
}

impl From<Guard> for ServedGuard {
    fn from(guard: Guard) -> Self {
        let seconds = guard.limits.max_p99_ms.map(|ms| ms / 1_000.0);
        Self {
            id: guard.id,
            model: guard.model.as_str().to_owned(),
            version: guard.version,
            // A limit that is no duration was refused at the request.
            max_p99: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        }
    }
}

/// The versions to serve and the disabled accounts, as read from the database, or from the local index while the
/// database is unavailable at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Catalogue {
    /// The revision counter of the database at the time of the read.
    pub(crate) revision: i64,
    /// The versions with an alias or in the traffic of their model.
    pub(crate) served: Vec<ModelRecord>,
    /// Other versions, which requests pinned.
    pub(crate) pinned: Vec<ModelRecord>,
    /// The traffic of the models that have some. Absent in an index of an earlier release.
    #[serde(default)]
    pub(crate) traffic: BTreeMap<String, Traffic>,
    /// The guards. Not in the index: without the database nothing can be reported.
    #[serde(skip)]
    pub(crate) guards: Vec<ServedGuard>,
    /// Disabled accounts, whose unexpired tokens are refused.
    pub(crate) disabled: HashSet<UserId>,
}

impl Catalogue {
    /// All versions.
    pub(crate) fn records(&self) -> impl Iterator<Item = &ModelRecord> {
        self.served.iter().chain(&self.pinned)
    }
}
