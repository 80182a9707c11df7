//! How requests without a version and without an alias are assigned to the versions of a model with weights.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use trainyard_domain::{PRODUCTION, traffic};

use crate::loaded_model::LoadedModel;
use crate::registry::{AliasState, Model};

/// The versions with a weight. A request whose version is not loaded is answered by the version that served it before.
pub(crate) struct Split {
    slots: Vec<Slot>,
    /// The last split whose versions were all loaded, until all versions of this one are.
    before: Option<Arc<Split>>,
    /// The version of `production`; without it the loaded version with the largest weight.
    fallback: Option<Arc<LoadedModel>>,
}

struct Slot {
    version: i64,
    weight: u32,
    loaded: Option<Arc<LoadedModel>>,
}

impl Split {
    /// The split of `model`, whose aliases and loaded versions are known. `before` is the split of the former snapshot.
    pub(crate) fn new(weights: &BTreeMap<i64, u32>, model: &Model, before: Option<&Arc<Self>>) -> Self {
        let slot = |(version, weight): (&i64, &u32)| {
            let loaded = model.versions.get(version).cloned();
            Slot { version: *version, weight: *weight, loaded }
        };
        let slots: Vec<Slot> = weights.iter().map(slot).collect();
        let before = match before {
            _ if is_complete(&slots) => None,
            Some(before) if is_complete(&before.slots) => Some(before.clone()),
            Some(before) => before.before.clone(),
            None => None,
        };
        let production = match model.aliases.get(PRODUCTION) {
            Some(AliasState::Serving(loaded)) => Some(loaded),
            Some(AliasState::Loading(_)) | None => None,
        };
        let loaded = slots.iter().filter(|slot| slot.loaded.is_some());
        let heaviest = loaded.max_by_key(|slot| slot.weight).and_then(|slot| slot.loaded.as_ref());
        let fallback = production.or(heaviest).cloned();
        Self { slots, before, fallback }
    }

    /// The version for a draw. `None` if nothing is loaded.
    pub(crate) fn choose(&self, draw: u64) -> Option<&Arc<LoadedModel>> {
        let chosen = traffic::assign(draw, self.slots.iter().map(|slot| (slot.version, slot.weight)))?;
        let loaded = self.slots.get(chosen).and_then(|slot| slot.loaded.as_ref());
        loaded.or_else(|| self.before.as_ref()?.choose(draw)).or(self.fallback.as_ref())
    }

    /// The version with the largest weight, the lowest one of equal weights. `None` if nothing is loaded.
    pub(crate) fn largest(&self) -> Option<&Arc<LoadedModel>> {
        let largest = self.slots.iter().max_by_key(|slot| (slot.weight, Reverse(slot.version)))?;
        largest.loaded.as_ref().or(self.fallback.as_ref())
    }
}

/// Whether all versions are loaded.
fn is_complete(slots: &[Slot]) -> bool {
    slots.iter().all(|slot| slot.loaded.is_some())
}
