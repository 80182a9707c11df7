//! The refresher's book: what is wanted, what is loaded, what is on its way, what failed. From it the next snapshot is
//! drawn up. No I/O; time is an argument.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::failures::{Failures, Hope};
use crate::loaded::Loaded;
use crate::record::{Catalogue, Key, Record};
use crate::registry::{Model, Snapshot, Standing};

/// How soon a client should ask again for a version that is loading.
const LOADING_WAIT: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Default)]
pub(crate) struct Book {
    catalogue: Catalogue,
    loaded: HashMap<Key, Arc<Loaded>>,
    loading: HashSet<(Key, String)>,
    failures: Failures,
}

impl Book {
    /// What is wanted now.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Takes over what the database, or the local index, says is wanted.
    pub(crate) fn adopt(&mut self, catalogue: Catalogue) {
        self.catalogue = catalogue;
        let wanted = self.catalogue.served.iter().chain(&self.catalogue.pinned);
        let kept: HashMap<Key, &str> = wanted.map(|record| (record.key(), record.sha256.as_str())).collect();
        // A model that was deleted and trained anew has other bytes under the same number.
        self.loaded.retain(|key, loaded| kept.get(key).is_some_and(|sha256| *sha256 == loaded.record.sha256));
        self.failures.retain(|key| kept.contains_key(key));
    }

    /// The versions whose loading should start now; they count as on their way from here on.
    pub(crate) fn start_due(&mut self, now: Instant) -> Vec<Record> {
        let due: Vec<Record> = self.wanted().filter(|record| self.is_due(record, now)).cloned().collect();
        for record in &due {
            self.loading.insert((record.key(), record.sha256.clone()));
        }
        due
    }

    fn is_due(&self, record: &Record, now: Instant) -> bool {
        self.current(record).is_none()
            && !self.loading.contains(&(record.key(), record.sha256.clone()))
            && self.failures.wait(record, now).is_none_or(|wait| wait.is_zero())
    }

    /// A load came to its end. Keeps the version if it is still wanted, under the same digest.
    pub(crate) fn loaded(&mut self, loaded: Arc<Loaded>) {
        let key = loaded.record.key();
        self.loading.remove(&(key.clone(), loaded.record.sha256.clone()));
        if self.wanted().any(|record| record.same(&loaded.record)) {
            self.failures.forget(&key);
            self.loaded.insert(key, loaded);
        }
    }

    /// A load failed.
    pub(crate) fn failed(&mut self, record: &Record, hope: Hope, now: Instant) {
        self.loading.remove(&(record.key(), record.sha256.clone()));
        self.failures.record(record, hope, now);
    }

    /// Adds a version that a request pinned, and lets the least recently used one go when there are more than `most`.
    pub(crate) fn pin(&mut self, record: Record, most: usize) {
        if self.wanted().any(|known| known.same(&record)) {
            return;
        }
        while self.catalogue.pinned.len() >= most.max(1) {
            let last_used = |record: &Record| self.loaded.get(&record.key()).map_or(0, |loaded| loaded.last_used());
            let Some(oldest) = (0..self.catalogue.pinned.len()).min_by_key(|i| last_used(&self.catalogue.pinned[*i]))
            else {
                break;
            };
            let gone = self.catalogue.pinned.swap_remove(oldest);
            self.loaded.remove(&gone.key());
            self.failures.forget(&gone.key());
        }
        self.catalogue.pinned.push(record);
    }

    /// Whether this version is wanted, so that its loading is on its way or will be.
    pub(crate) fn wants(&self, key: &Key) -> bool {
        self.wanted().any(|record| record.is(key))
    }

    /// How long until a version that failed is tried again.
    pub(crate) fn wait(&self, key: &Key, now: Instant) -> Option<Duration> {
        let record = self.wanted().find(|record| record.is(key))?;
        self.failures.wait(record, now)
    }

    /// The version under this key, if it is in memory.
    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Loaded>> {
        self.loaded.get(key)
    }

    /// Whether every wanted version has been loaded, or tried.
    pub(crate) fn is_settled(&self, now: Instant) -> bool {
        self.wanted().all(|record| self.current(record).is_some() || self.failures.wait(record, now).is_some())
    }

    /// Draws up what is to be served. An alias whose version is not in memory goes on leading to the version it led
    /// to in `previous`: a bad artifact never takes a good version down.
    pub(crate) fn snapshot(&self, previous: &Snapshot, now: Instant) -> Snapshot {
        let mut models: BTreeMap<String, Model> = BTreeMap::new();
        for record in self.wanted() {
            let model = models.entry(record.model.clone()).or_default();
            let current = self.current(record);
            if let Some(loaded) = current {
                model.versions.insert(record.version, loaded.clone());
            }
            for alias in &record.aliases {
                let standing = match current.or_else(|| previous.serving(&record.model, alias)) {
                    Some(loaded) => {
                        model.versions.entry(loaded.record.version).or_insert_with(|| loaded.clone());
                        Standing::Serving(loaded.clone())
                    }
                    None => Standing::Waiting(self.failures.wait(record, now).unwrap_or(LOADING_WAIT)),
                };
                model.aliases.insert(alias.clone(), standing);
            }
        }
        Snapshot { known: true, models }
    }

    fn wanted(&self) -> impl Iterator<Item = &Record> {
        self.catalogue.served.iter().chain(&self.catalogue.pinned)
    }

    fn current(&self, record: &Record) -> Option<&Arc<Loaded>> {
        self.loaded.get(&record.key()).filter(|loaded| loaded.record.sha256 == record.sha256)
    }
}
