//! The served versions: an immutable snapshot, and the cell that holds the current snapshot.
//!
//! One task replaces the snapshot. A request loads the snapshot once, so a request never sees a partial change. A
//! version is freed when its last request has ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use trainyard_domain::Traffic;
use trainyard_domain::traffic::draw_of_key;

use crate::loaded_model::LoadedModel;
use crate::model_record::{Catalogue, ModelRecord};
use crate::shadow::Shadows;
use crate::split::Split;

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

/// The aliases, the loaded versions and the traffic of one model.
#[derive(Default)]
pub(crate) struct Model {
    /// The state of each alias.
    pub(crate) aliases: BTreeMap<String, AliasState>,
    /// Loaded versions, with or without an alias.
    pub(crate) versions: BTreeMap<i64, Arc<LoadedModel>>,
    /// The versions with a weight. Without weights `production` answers requests that name neither version nor alias.
    pub(crate) split: Option<Arc<Split>>,
    /// The loaded versions that get copies of these requests.
    pub(crate) shadows: Option<Shadows>,
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
    /// An alias; `None` selects by the weights of the model, and without weights `production`.
    pub(crate) alias: Option<&'a str>,
    /// How the weights of the model select a version.
    pub(crate) assignment: Assignment<'a>,
}

/// How the weights of a model select a version.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Assignment<'a> {
    /// By a key: the same key selects the same version.
    Key(&'a [u8]),
    /// By chance.
    Random,
    /// The version with the largest weight.
    #[default]
    Largest,
}

impl<'a> Assignment<'a> {
    /// The assignment of a prediction request.
    pub(crate) fn of(key: Option<&'a [u8]>) -> Self {
        key.map_or(Self::Random, Self::Key)
    }
}

/// The selected version.
pub(crate) struct Found {
    /// The version.
    pub(crate) loaded: Arc<LoadedModel>,
    /// The versions that get a copy of the request.
    pub(crate) shadows: Option<Shadows>,
}

/// Why no version was found.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The memory budget has no room for the version, which nothing but requests needs.
    TooLarge {
        /// The model.
        model: String,
        /// The version.
        version: i64,
        /// The memory that it needs, in bytes.
        bytes: u64,
        /// The memory that the versions with an alias leave, in bytes.
        left: u64,
    },
}

/// When a client should retry while a version is loading.
pub(crate) const LOADING_WAIT: Duration = Duration::from_secs(1);

impl Model {
    /// The served version of an alias. `name` is the name of the model.
    fn aliased(&self, name: &str, alias: &str) -> Result<Arc<LoadedModel>, LookupError> {
        match self.aliases.get(alias) {
            Some(AliasState::Serving(loaded)) => Ok(loaded.clone()),
            Some(AliasState::Loading(wait)) => Err(LookupError::Loading(name.to_owned(), *wait)),
            None => Err(LookupError::Alias(name.to_owned(), alias.to_owned())),
        }
    }
}

impl Snapshot {
    /// Finds the selected version. `default` is the model of requests that name none, `random` draws a random number.
    pub(crate) fn find(
        &self,
        selector: VersionSelector<'_>,
        default: Option<&str>,
        random: impl FnOnce() -> u64,
    ) -> Result<Found, LookupError> {
        if !self.known {
            return Err(LookupError::Unknown);
        }
        let name = match selector.model.or(default) {
            Some(name) => name,
            None => self.only_model()?,
        };
        let model = self.models.get(name);
        if let Some(version) = selector.version {
            let loaded = model.and_then(|model| model.versions.get(&version)).cloned();
            let loaded = loaded.ok_or_else(|| LookupError::NotLoaded(name.to_owned(), version))?;
            return Ok(Found { loaded, shadows: None });
        }
        let model = model.ok_or_else(|| LookupError::Model(name.to_owned()))?;
        let Some(alias) = selector.alias else {
            let loaded = match &model.split {
                Some(split) => {
                    let loaded = match selector.assignment {
                        Assignment::Key(key) => split.choose(draw_of_key(name, key)),
                        Assignment::Random => split.choose(random()),
                        Assignment::Largest => split.largest(),
                    };
                    loaded.cloned().ok_or_else(|| LookupError::Loading(name.to_owned(), LOADING_WAIT))?
                }
                None => model.aliased(name, trainyard_domain::PRODUCTION)?,
            };
            return Ok(Found { loaded, shadows: model.shadows.clone() });
        };
        Ok(Found { loaded: model.aliased(name, alias)?, shadows: None })
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

    /// The content of the local index, from which a restart serves the same versions. `wanted` is the list from the database.
    pub(crate) fn to_catalogue(&self, wanted: &Catalogue) -> Catalogue {
        let mut catalogue = Catalogue {
            revision: wanted.revision,
            disabled: wanted.disabled.clone(),
            traffic: wanted.traffic.clone(),
            ..Catalogue::default()
        };
        for (name, model) in &self.models {
            let traffic = wanted.traffic.get(name).map(Traffic::versions).unwrap_or_default();
            for loaded in model.versions.values() {
                let serves_this =
                    |state: &AliasState| matches!(state, AliasState::Serving(to) if Arc::ptr_eq(to, loaded));
                let aliases = model.aliases.iter().filter(|(_, state)| serves_this(state));
                let aliases: Vec<_> = aliases.map(|(alias, _)| alias.clone()).collect();
                let is_pinned = aliases.is_empty() && !traffic.contains(&loaded.record.version);
                let list = if is_pinned { &mut catalogue.pinned } else { &mut catalogue.served };
                list.push(ModelRecord { aliases, ..loaded.record.clone() });
            }
        }
        catalogue
    }

    /// The memory of the loaded versions, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let versions = self.models.values().flat_map(|model| model.versions.values());
        versions.map(|loaded| loaded.memory_bytes()).sum()
    }

    /// Number of loaded versions.
    pub(crate) fn loaded(&self) -> usize {
        self.models.values().map(|model| model.versions.len()).sum()
    }
}
