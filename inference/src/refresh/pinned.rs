//! Pinned versions: from memory, looked up in the database, or answered with an error.

use tokio::time::Instant;

use super::{Refresher, TaskResult};
use crate::catch_panic::catch_panic;
use crate::load_plan::Need;
use crate::model_record::{Key, ModelRecord};
use crate::pin_request::{PinRequest, RETRY_AFTER, ReleaseReply, ReleaseRequest};
use crate::registry::LookupError;
use crate::source::{self, SourceError};

/// Maximum number of concurrent lookups.
const MAX_LOOKUPS: usize = 8;
/// Maximum size of the not-found cache.
pub(super) const MAX_NOT_FOUND: usize = 10_000;

impl Refresher {
    pub(super) fn request(&mut self, request: PinRequest) {
        let now = Instant::now();
        if let Some(loaded) = self.plan.get(&request.key) {
            let _ = request.reply.send(Ok(loaded.clone()));
        } else if self.not_found_cache.get(&request.key).is_some() {
            let (model, version) = request.key;
            let _ = request.reply.send(Err(LookupError::Version(model, version)));
        } else if let Some(wait) = self.plan.retry_in(&request.key, now).filter(|wait| !wait.is_zero()) {
            let _ = request.reply.send(Err(LookupError::Loading(request.key.0, wait)));
        } else {
            let key = request.key.clone();
            if self.pending.push(request) && !self.plan.contains(&key) {
                self.look_up(key);
            }
        }
    }

    /// Releases pinned versions. A later request for a version loads it again.
    pub(super) fn release(&mut self, request: ReleaseRequest) {
        let ReleaseRequest { model, version, reply } = request;
        let answer = match version.and_then(|version| self.plan.need(&(model.clone(), version))) {
            Some(Need::Aliases(aliases)) => ReleaseReply::Aliased(aliases),
            Some(Need::Traffic) => ReleaseReply::InTraffic,
            Some(Need::Required) => ReleaseReply::Required,
            None => {
                let released = self.plan.release(&model, version);
                match released.len() {
                    0 if version.is_some() || !self.snapshot.models.contains_key(&model) => ReleaseReply::NotLoaded,
                    count => {
                        self.unloaded(&released, "requested");
                        self.publish();
                        ReleaseReply::Released(count)
                    }
                }
            }
        };
        let _ = reply.send(answer);
    }

    fn look_up(&mut self, key: Key) {
        if self.lookups >= MAX_LOOKUPS {
            return self.pending.reply_all(&key, || Err(LookupError::Loading(key.0.clone(), RETRY_AFTER)));
        }
        self.lookups += 1;
        let found = source::look_up(self.deps.db.clone(), key.clone());
        self.start_lookup(key, found);
    }

    /// Runs a lookup in a task. A panic counts as a failed lookup.
    pub(super) fn start_lookup(
        &mut self,
        key: Key,
        found: impl Future<Output = Result<Option<(ModelRecord, u64)>, SourceError>> + Send + 'static,
    ) {
        self.work.spawn(async move { TaskResult::LookedUp(key, catch_panic(found).await) });
    }

    /// `result` contains the version and the size of its artifact.
    pub(super) fn lookup_done(&mut self, key: &Key, result: Result<Option<(ModelRecord, u64)>, SourceError>) {
        self.lookups -= 1;
        match result {
            Ok(Some((record, artifact_bytes))) => {
                if let Some(refused) = self.refuse_oversized(&record, artifact_bytes) {
                    return self.pending.reply_all(key, || Err(refused.clone()));
                }
                self.released.remove(key);
                let pinned = ModelRecord { aliases: Vec::new(), ..record };
                if self.reading {
                    self.pinned_meanwhile.push(pinned.clone());
                }
                let unloaded = self.plan.pin(pinned, self.limits.max_pinned);
                self.unloaded(&unloaded, "max_pinned_versions");
                // Forces a full read: the version may have been deleted before it was added to the plan.
                self.revision = None;
                self.load_due();
            }
            Ok(None) => {
                self.not_found_cache.insert(key.clone(), ());
                self.pending.reply_all(key, || Err(LookupError::Version(key.0.clone(), key.1)));
            }
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "the lookup of a pinned version failed");
                self.pending.reply_all(key, || Err(LookupError::Loading(key.0.clone(), RETRY_AFTER)));
            }
        }
    }
}
