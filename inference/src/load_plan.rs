//! The load plan: which versions are wanted, loaded, loading or failed. The next snapshot is built from the plan. No
//! I/O; the time is an argument.

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
}

impl LoadPlan {
    /// The wanted versions.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Replaces the wanted versions by the list from the database or the local index.
    pub(crate) fn set_catalogue(&mut self, catalogue: Catalogue) {
        self.catalogue = catalogue;
        let wanted = self.catalogue.served.iter().chain(&self.catalogue.pinned);
        let kept: HashMap<Key, &str> = wanted.map(|record| (record.key(), record.sha256.as_str())).collect();
        // After a restore of the database a version number can belong to another artifact.
        self.loaded.retain(|key, loaded| kept.get(key).is_some_and(|sha256| *sha256 == loaded.record.sha256));
        self.failures.retain(|key| kept.contains_key(key));
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

    /// Adds a version that a request pinned. Above `max` pinned versions the least recently used one is removed.
    pub(crate) fn pin(&mut self, record: ModelRecord, most: usize) {
        if self.wanted().any(|known| known.is_same_artifact(&record)) {
            return;
        }
        while self.catalogue.pinned.len() >= most.max(1) {
            let last_used =
                |record: &ModelRecord| self.loaded.get(&record.key()).map_or(0, |loaded| loaded.last_used());
            let Some(oldest) = (0..self.catalogue.pinned.len()).min_by_key(|i| last_used(&self.catalogue.pinned[*i]))
            else {
                break;
            };
            let removed = self.catalogue.pinned.swap_remove(oldest);
            self.loaded.remove(&removed.key());
            self.failures.remove(&removed.key());
        }
        self.catalogue.pinned.push(record);
    }

    /// Removes the versions of `model` that requests pinned, or only `version`. Returns their keys.
    pub(crate) fn release(&mut self, model: &str, version: Option<i64>) -> Vec<Key> {
        let is_released =
            |record: &mut ModelRecord| record.model == model && version.is_none_or(|version| version == record.version);
        let released: Vec<Key> = self.catalogue.pinned.extract_if(.., is_released).map(|record| record.key()).collect();
        for key in &released {
            self.loaded.remove(key);
            self.failures.remove(key);
        }
        released
    }

    /// The aliases of a version that is served, which has none if only the traffic uses it; `None` for other versions.
    pub(crate) fn aliases(&self, key: &Key) -> Option<&[String]> {
        let record = self.catalogue.served.iter().find(|record| record.has_key(key))?;
        Some(&record.aliases)
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
        self.catalogue.served.iter().chain(&self.catalogue.pinned)
    }

    fn current(&self, record: &ModelRecord) -> Option<&Arc<LoadedModel>> {
        self.loaded.get(&record.key()).filter(|loaded| loaded.record.sha256 == record.sha256)
    }
}
