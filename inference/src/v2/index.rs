//! The index of the model repository: every published version, and whether this process has loaded it.

use std::collections::BTreeMap;

use serde::Serialize;
use trainyard_http::Problem;
use utoipa::ToSchema;

use crate::model_record::Key;
use crate::registry::{AliasState, Snapshot};
use crate::service::Service;
use crate::source;

/// Maximum number of versions that are read from the database. Loaded versions are listed in any case.
const MAX_VERSIONS: i64 = 10_000;

/// A version in the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = V2IndexEntry)]
pub(crate) struct IndexEntry {
    /// The model.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: String,
    /// Whether the version is loaded.
    pub(crate) state: State,
    /// Why the version is not loaded; empty if it is.
    pub(crate) reason: &'static str,
}

/// The state of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = V2State)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum State {
    /// Loaded.
    Ready,
    /// Not loaded.
    Unavailable,
}

impl Service {
    /// The index; only loaded versions if `ready_only`, which needs no database.
    pub(crate) async fn index(&self, ready_only: bool) -> Result<Vec<IndexEntry>, Problem> {
        let published = match ready_only {
            true => Vec::new(),
            false => source::published(&self.db, MAX_VERSIONS)
                .await
                .map_err(|error| Problem::unavailable("the list of published versions", error))?,
        };
        Ok(entries(&self.registry.load(), published))
    }
}

fn entries(snapshot: &Snapshot, published: Vec<Key>) -> Vec<IndexEntry> {
    let loading = |model: &str| {
        let aliases = snapshot.models.get(model).map(|model| &model.aliases);
        aliases.is_some_and(|aliases| aliases.values().any(|state| matches!(state, AliasState::Loading(_))))
    };
    let mut states: BTreeMap<Key, (State, &'static str)> = BTreeMap::new();
    for (model, version) in published {
        let reason = match loading(&model) {
            true => "not loaded yet, or its last load failed",
            false => "not loaded; the first request that names the version loads it",
        };
        states.insert((model, version), (State::Unavailable, reason));
    }
    for (name, model) in &snapshot.models {
        states.extend(model.versions.keys().map(|version| ((name.clone(), *version), (State::Ready, ""))));
    }
    let entry = |((name, version), (state, reason)): (Key, (State, &'static str))| IndexEntry {
        name,
        version: version.to_string(),
        state,
        reason,
    };
    states.into_iter().map(entry).collect()
}
