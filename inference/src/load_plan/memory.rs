//! The memory of the loaded versions, and which of them are unloaded to save memory. Versions that an alias, the traffic or
//! `inference.required_models` needs always stay loaded.

use std::collections::HashSet;

use super::LoadPlan;
use crate::model_record::{Key, ModelRecord};

impl LoadPlan {
    /// The memory of the versions that are never unloaded to save memory, in bytes.
    pub(crate) fn needed_bytes(&self) -> u64 {
        let unneeded: HashSet<Key> = self.unneeded().map(ModelRecord::key).collect();
        let needed = self.loaded.iter().filter(|(key, _)| !unneeded.contains(*key));
        needed.map(|(_, loaded)| loaded.memory_bytes()).sum()
    }

    /// The memory of all loaded versions, in bytes.
    pub(crate) fn loaded_bytes(&self) -> u64 {
        self.loaded.values().map(|loaded| loaded.memory_bytes()).sum()
    }

    /// Unloads versions that nothing needs, least recently used first, until at most `budget` bytes are loaded. `newest` has just
    /// been loaded for a request, so it is unloaded last; but alone if it does not fit beside the needed versions. Returns the
    /// unloaded versions.
    pub(crate) fn shrink_to(&mut self, budget: u64, newest: Option<&Key>) -> Vec<Key> {
        let mut total = self.loaded_bytes();
        if total <= budget {
            return Vec::new();
        }
        let is_newest = |key: &Key| newest == Some(key);
        let left = budget.saturating_sub(self.needed_bytes());
        let mut candidates: Vec<(u64, u64, Key)> = Vec::new();
        for record in self.unneeded() {
            let Some(loaded) = self.loaded.get(&record.key()) else { continue };
            candidates.push((loaded.last_used(), loaded.memory_bytes(), record.key()));
        }
        candidates.sort_by_key(|candidate| (is_newest(&candidate.2), candidate.0));
        if let Some(at) = candidates.iter().position(|(_, bytes, key)| is_newest(key) && *bytes > left) {
            let too_large = candidates.remove(at);
            candidates.insert(0, too_large);
        }
        let mut unloaded = Vec::new();
        for (_, bytes, key) in candidates {
            if total <= budget {
                break;
            }
            total -= bytes;
            self.remove_pinned(&key);
            unloaded.push(key);
        }
        unloaded
    }

    /// Unloads a pinned version. A request for it loads it again.
    pub(super) fn remove_pinned(&mut self, key: &Key) {
        self.catalogue.pinned.retain(|record| !record.has_key(key));
        self.loaded.remove(key);
        self.failures.remove(key);
    }

    /// The pinned versions that only requests have loaded.
    pub(super) fn unneeded(&self) -> impl Iterator<Item = &ModelRecord> {
        self.catalogue.pinned.iter().filter(|record| !self.required.contains(&record.key()))
    }
}
