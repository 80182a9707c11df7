//! The load plan: which versions are wanted, loaded, loading or failed. The next snapshot is built from the plan. No
//! I/O; the time is an argument.

mod memory;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::failures::{Backoff, Failures};
use crate::loaded_model::LoadedModel;
use crate::model_record::{Catalogue, Key, ModelRecord};
use crate::registry::{AliasState, LOADING_WAIT, Model, Snapshot};
use crate::split::Split;

/// The load plan.
#[derive(Default)]
pub(crate) struct LoadPlan {
    catalogue: Catalogue,
    loaded: HashMap<Key, Arc<LoadedModel>>,
    loading: HashSet<(Key, String)>,
    failures: Failures,
    /// Versions that stay loaded although neither an alias nor the traffic needs them.
    required: HashSet<Key>,
}

/// Why a version can't be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// Aliases point at the version.
    Aliases(Vec<String>),
    /// The traffic of the model uses the version.
    Traffic,
    /// The settings require the version.
    Required,
}

impl LoadPlan {
    /// An empty plan. The versions in `required` stay loaded without an alias.
    pub(crate) fn new(required: HashSet<Key>) -> Self {
        Self { required, ..Self::default() }
    }

    /// The versions to read besides the served ones: those that requests pinned, and the required ones.
    pub(crate) fn pinned_keys(&self) -> Vec<Key> {
        let pinned = self.catalogue.pinned.iter().map(ModelRecord::key);
        let pinned: HashSet<Key> = pinned.chain(self.required.iter().cloned()).collect();
        pinned.into_iter().collect()
    }

    /// The wanted versions.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Replaces the wanted versions by the list from the database or the local index. Returns the number of versions that are
    /// unloaded, because they are no longer wanted.
    pub(crate) fn set_catalogue(&mut self, catalogue: Catalogue) -> usize {
        self.catalogue = catalogue;
        let kept: HashMap<Key, &str> =
            self.catalogue.records().map(|record| (record.key(), record.sha256.as_str())).collect();
        let before = self.loaded.len();
        // After a restore of the database a version number can belong to another artifact.
        self.loaded.retain(|key, loaded| kept.get(key).is_some_and(|sha256| *sha256 == loaded.record.sha256));
        self.failures.retain(|key| kept.contains_key(key));
        before - self.loaded.len()
    }

    /// Returns the versions that should be loaded now, and marks them as loading.
    pub(crate) fn start_due_loads(&mut self, now: Instant) -> Vec<ModelRecord> {
        let due: Vec<ModelRecord> = self.wanted().filter(|record| self.is_due(record, now)).cloned().collect();
        for record in &due {
            self.loading.insert((record.key(), record.sha256.clone()));
        }
        due
    }

    fn is_due(&self, record: &ModelRecord, now: Instant) -> bool {
        self.current(record).is_none()
            && !self.loading.contains(&(record.key(), record.sha256.clone()))
            && self.failures.retry_in(record, now).is_none_or(|wait| wait.is_zero())
    }

    /// Records the end of a load. Keeps the model if the version is still wanted with the same digest.
    pub(crate) fn record_loaded(&mut self, loaded: Arc<LoadedModel>) {
        let key = loaded.record.key();
        self.loading.remove(&(key.clone(), loaded.record.sha256.clone()));
        if self.wanted().any(|record| record.is_same_artifact(&loaded.record)) {
            self.failures.remove(&key);
            self.loaded.insert(key, loaded);
        }
    }

    /// Records a failed load.
    pub(crate) fn record_failure(&mut self, record: &ModelRecord, backoff: Backoff, now: Instant) {
        self.loading.remove(&(record.key(), record.sha256.clone()));
        self.failures.record(record, backoff, now);
    }

    /// Adds a version that a request pinned. Above `most` such versions the least recently used one is removed. Returns the
    /// removed versions.
    pub(crate) fn pin(&mut self, record: ModelRecord, most: usize) -> Vec<Key> {
        let mut removed = Vec::new();
        if self.wanted().any(|known| known.is_same_artifact(&record)) {
            return removed;
        }
        while self.unneeded().count() >= most.max(1) {
            let last_used = |record: &&ModelRecord| self.get(&record.key()).map_or(0, |loaded| loaded.last_used());
            let Some(oldest) = self.unneeded().min_by_key(last_used).map(ModelRecord::key) else { break };
            self.remove_pinned(&oldest);
            removed.push(oldest);
        }
        self.catalogue.pinned.push(record);
        removed
    }

    /// Removes the versions of `model` that nothing needs, or only `version`. Returns their keys.
    pub(crate) fn release(&mut self, model: &str, version: Option<i64>) -> Vec<Key> {
        let is_released =
            |record: &&ModelRecord| record.model == model && version.is_none_or(|version| version == record.version);
        let released: Vec<Key> = self.unneeded().filter(is_released).map(ModelRecord::key).collect();
        released.iter().for_each(|key| self.remove_pinned(key));
        released
    }

    /// Why a version can't be released; `None` if it can.
    pub(crate) fn need(&self, key: &Key) -> Option<Need> {
        match self.catalogue.served.iter().find(|record| record.has_key(key)) {
            Some(record) if record.aliases.is_empty() => Some(Need::Traffic),
            Some(record) => Some(Need::Aliases(record.aliases.clone())),
            None => (self.required.contains(key) && self.contains(key)).then_some(Need::Required),
        }
    }

    /// Whether a version of `model` has failed to load.
    pub(crate) fn has_failed(&self, model: &str, now: Instant) -> bool {
        let mut records = self.wanted().filter(|record| record.model == model);
        records.any(|record| self.failures.retry_in(record, now).is_some())
    }

    /// Whether the version is wanted, so that its load has started or will start.
    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.wanted().any(|record| record.has_key(key))
    }

    /// Time until the next attempt after a failed load.
    pub(crate) fn retry_in(&self, key: &Key, now: Instant) -> Option<Duration> {
        let record = self.wanted().find(|record| record.has_key(key))?;
        self.failures.retry_in(record, now)
    }

    /// The loaded model, if the version is loaded.
    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<LoadedModel>> {
        self.loaded.get(key)
    }

    /// All loaded versions.
    pub(crate) fn loaded(&self) -> impl Iterator<Item = (&Key, &Arc<LoadedModel>)> {
        self.loaded.iter()
    }

    /// Whether every wanted version has been loaded or has failed to load.
    pub(crate) fn is_complete(&self, now: Instant) -> bool {
        self.wanted().all(|record| self.current(record).is_some() || self.failures.retry_in(record, now).is_some())
    }

    /// Builds the next snapshot. If the version of an alias is not loaded, the alias keeps its version in `previous`: a
    /// broken artifact never replaces a working version. The same applies to versions with a weight ([`Split`]).
    pub(crate) fn snapshot(&self, previous: &Snapshot, now: Instant) -> Snapshot {
        let mut models: BTreeMap<String, Model> = BTreeMap::new();
        for record in self.wanted() {
            let model = models.entry(record.model.clone()).or_default();
            let current = self.current(record);
            if let Some(loaded) = current {
                model.versions.insert(record.version, loaded.clone());
            }
            for alias in &record.aliases {
                let state = match current.or_else(|| previous.serving(&record.model, alias)) {
                    Some(loaded) => {
                        model.versions.entry(loaded.record.version).or_insert_with(|| loaded.clone());
                        AliasState::Serving(loaded.clone())
                    }
                    None => AliasState::Loading(self.failures.retry_in(record, now).unwrap_or(LOADING_WAIT)),
                };
                model.aliases.insert(alias.clone(), state);
            }
        }
        for (name, traffic) in &self.catalogue.traffic {
            let model = models.entry(name.clone()).or_default();
            if !traffic.weights.is_empty() {
                let before = previous.models.get(name).and_then(|model| model.split.as_ref());
                model.split = Some(Arc::new(Split::new(&traffic.weights, model, before)));
            }
            let shadows = traffic.shadow.iter().filter_map(|version| model.versions.get(version).cloned());
            model.shadows = Some(shadows.collect::<Arc<[_]>>()).filter(|shadows| !shadows.is_empty());
        }
        Snapshot { known: true, models }
    }

    fn wanted(&self) -> impl Iterator<Item = &ModelRecord> {
        self.catalogue.records()
    }

    fn current(&self, record: &ModelRecord) -> Option<&Arc<LoadedModel>> {
        self.loaded.get(&record.key()).filter(|loaded| loaded.record.sha256 == record.sha256)
    }
}
