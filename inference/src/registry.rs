//! The served versions: an immutable snapshot, and the cell that holds the current snapshot.
//!
//! One task replaces the snapshot. A request loads the snapshot once, so a request never sees a partial change. A
//! version is freed when its last request has ended.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use trainyard_domain::UserId;

use crate::loaded_model::LoadedModel;
use crate::model_record::{Catalogue, ModelRecord};

/// The cell with the current snapshot. Clones share the cell.
pub(crate) type Registry = Arc<ArcSwap<Snapshot>>;

/// The served versions at one moment.
#[derive(Default)]
pub(crate) struct Snapshot {
    /// False until the list of models is known.
    pub(crate) known: bool,
    /// Models by name.
    pub(crate) models: BTreeMap<String, Model>,
}

/// The aliases and loaded versions of one model.
#[derive(Default)]
pub(crate) struct Model {
    /// The state of each alias.
    pub(crate) aliases: BTreeMap<String, AliasState>,
    /// LoadedModel versions, with or without an alias.
    pub(crate) versions: BTreeMap<i64, Arc<LoadedModel>>,
}

/// The state of an alias.
pub(crate) enum AliasState {
    /// The served version. While the alias' version is not loaded, the previous version is served.
    Serving(Arc<LoadedModel>),
    /// The version is not loaded and there is no previous version. Clients should retry after this time.
    Loading(Duration),
}

/// The version that a request selects.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct VersionSelector<'a> {
    /// The model; `None` selects the default model, or the only model.
    pub(crate) model: Option<&'a str>,
    /// A pinned version.
    pub(crate) version: Option<i64>,
    /// An alias; `None` selects `production`.
    pub(crate) alias: Option<&'a str>,
}

/// Why no version was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LookupError {
    /// The list of models is not known yet.
    Unknown,
    /// No model has been published.
    NoModels,
    /// The request must name its model, because there are several.
    Ambiguous(Vec<String>),
    /// The model is not served.
    Model(String),
    /// The model has no such alias.
    Alias(String, String),
    /// The version is not loaded; it may exist.
    NotLoaded(String, i64),
    /// The version does not exist.
    Version(String, i64),
    /// The version exists and is not loaded; clients should retry after this time.
    Loading(String, Duration),
}

impl Snapshot {
    /// Finds the selected version. `default` is the model of requests that name none.
    pub(crate) fn find(
        &self,
        selector: VersionSelector<'_>,
        default: Option<&str>,
    ) -> Result<Arc<LoadedModel>, LookupError> {
        if !self.known {
            return Err(LookupError::Unknown);
        }
        let name = match selector.model.or(default) {
            Some(name) => name,
            None => self.only_model()?,
        };
        let model = self.models.get(name);
        if let Some(version) = selector.version {
            let loaded = model.and_then(|model| model.versions.get(&version));
            return loaded.cloned().ok_or_else(|| LookupError::NotLoaded(name.to_owned(), version));
        }
        let model = model.ok_or_else(|| LookupError::Model(name.to_owned()))?;
        let alias = selector.alias.unwrap_or(trainyard_domain::PRODUCTION);
        match model.aliases.get(alias) {
            Some(AliasState::Serving(loaded)) => Ok(loaded.clone()),
            Some(AliasState::Loading(wait)) => Err(LookupError::Loading(name.to_owned(), *wait)),
            None => Err(LookupError::Alias(name.to_owned(), alias.to_owned())),
        }
    }

    fn only_model(&self) -> Result<&str, LookupError> {
        let mut names = self.models.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(LookupError::NoModels),
            (Some(_), Some(_)) => Err(LookupError::Ambiguous(self.models.keys().cloned().collect())),
        }
    }

    /// The served version of an alias.
    pub(crate) fn serving(&self, model: &str, alias: &str) -> Option<&Arc<LoadedModel>> {
        match self.models.get(model)?.aliases.get(alias)? {
            AliasState::Serving(loaded) => Some(loaded),
            AliasState::Loading(_) => None,
        }
    }

    /// The content of the local index, from which a restart serves the same versions.
    pub(crate) fn to_catalogue(&self, revision: i64, disabled: HashSet<UserId>) -> Catalogue {
        let mut catalogue = Catalogue { revision, disabled, ..Catalogue::default() };
        for model in self.models.values() {
            for loaded in model.versions.values() {
                let serves_this =
                    |state: &AliasState| matches!(state, AliasState::Serving(to) if Arc::ptr_eq(to, loaded));
                let aliases = model.aliases.iter().filter(|(_, state)| serves_this(state));
                let aliases: Vec<_> = aliases.map(|(alias, _)| alias.clone()).collect();
                let list = if aliases.is_empty() { &mut catalogue.pinned } else { &mut catalogue.served };
                list.push(ModelRecord { aliases, ..loaded.record.clone() });
            }
        }
        catalogue
    }

    /// Number of loaded versions.
    pub(crate) fn loaded(&self) -> usize {
        self.models.values().map(|model| model.versions.len()).sum()
    }
}
