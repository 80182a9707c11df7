//! What is served at one moment: an immutable snapshot that requests look things up in, and the cell that holds it.
//!
//! One task replaces the snapshot; a request takes it once and answers from what it holds, so it never sees half a
//! change, and an old version goes when its last reader does.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use trainyard_domain::UserId;

use crate::loaded::Loaded;
use crate::record::{Catalogue, Record};

/// The cell with the current snapshot. Cloning shares it.
pub(crate) type Registry = Arc<ArcSwap<Snapshot>>;

/// Everything served at one moment.
#[derive(Default)]
pub(crate) struct Snapshot {
    /// False until the first list of models is known.
    pub(crate) known: bool,
    /// By name.
    pub(crate) models: BTreeMap<String, Model>,
}

/// One model's aliases and loaded versions.
#[derive(Default)]
pub(crate) struct Model {
    /// What each alias leads to.
    pub(crate) aliases: BTreeMap<String, Standing>,
    /// Loaded versions, those without an alias too.
    pub(crate) versions: BTreeMap<i64, Arc<Loaded>>,
}

/// Where an alias leads.
pub(crate) enum Standing {
    /// To this version: the one it points at, or the one before while that is not loaded.
    Serving(Arc<Loaded>),
    /// To a version that has not loaded yet, with nothing older to serve; worth asking again after this long.
    Waiting(Duration),
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pick<'a> {
    /// The model; `None` takes the default, else the only one.
    pub(crate) model: Option<&'a str>,
    /// A version that is wanted and no other.
    pub(crate) version: Option<i64>,
    /// An alias other than the usual one.
    pub(crate) alias: Option<&'a str>,
}

/// Why a request finds nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// The list of models is not known yet.
    Unknown,
    /// No model has been published.
    NoModels,
    /// The request must name its model: there are several.
    Ambiguous(Vec<String>),
    /// No such model is served.
    Model(String),
    /// The model has no such alias.
    Alias(String, String),
    /// The version is not in memory; it may exist.
    NotLoaded(String, i64),
    /// The version does not exist.
    Version(String, i64),
    /// It exists, and is not ready for this long.
    Waiting(String, Duration),
}

impl Snapshot {
    /// Finds the version a request asks for; `default` is the model that answers when it names none.
    pub(crate) fn find(&self, pick: Pick<'_>, default: Option<&str>) -> Result<Arc<Loaded>, Miss> {
        if !self.known {
            return Err(Miss::Unknown);
        }
        let name = match pick.model.or(default) {
            Some(name) => name,
            None => self.only_model()?,
        };
        let model = self.models.get(name);
        if let Some(version) = pick.version {
            let loaded = model.and_then(|model| model.versions.get(&version));
            return loaded.cloned().ok_or_else(|| Miss::NotLoaded(name.to_owned(), version));
        }
        let model = model.ok_or_else(|| Miss::Model(name.to_owned()))?;
        let alias = pick.alias.unwrap_or(trainyard_domain::PRODUCTION);
        match model.aliases.get(alias) {
            Some(Standing::Serving(loaded)) => Ok(loaded.clone()),
            Some(Standing::Waiting(wait)) => Err(Miss::Waiting(name.to_owned(), *wait)),
            None => Err(Miss::Alias(name.to_owned(), alias.to_owned())),
        }
    }

    fn only_model(&self) -> Result<&str, Miss> {
        let mut names = self.models.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Miss::NoModels),
            (Some(_), Some(_)) => Err(Miss::Ambiguous(self.models.keys().cloned().collect())),
        }
    }

    /// The version an alias is answered with, if any.
    pub(crate) fn serving(&self, model: &str, alias: &str) -> Option<&Arc<Loaded>> {
        match self.models.get(model)?.aliases.get(alias)? {
            Standing::Serving(loaded) => Some(loaded),
            Standing::Waiting(_) => None,
        }
    }

    /// What is served, in the form the local index keeps: a restart with everything away serves the same again.
    pub(crate) fn to_catalogue(&self, revision: i64, disabled: HashSet<UserId>) -> Catalogue {
        let mut catalogue = Catalogue { revision, disabled, ..Catalogue::default() };
        for model in self.models.values() {
            for loaded in model.versions.values() {
                let leads_here =
                    |standing: &Standing| matches!(standing, Standing::Serving(to) if Arc::ptr_eq(to, loaded));
                let aliases = model.aliases.iter().filter(|(_, standing)| leads_here(standing));
                let aliases: Vec<_> = aliases.map(|(alias, _)| alias.clone()).collect();
                let list = if aliases.is_empty() { &mut catalogue.pinned } else { &mut catalogue.served };
                list.push(Record { aliases, ..loaded.record.clone() });
            }
        }
        catalogue
    }

    /// How many versions are in memory.
    pub(crate) fn loaded(&self) -> usize {
        self.models.values().map(|model| model.versions.len()).sum()
    }
}
