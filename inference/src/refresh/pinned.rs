//! Versions that requests pin: found in memory, looked up in the database, loaded on demand, or refused.

use tokio::time::Instant;

use super::{Done, Refresher};
use crate::contained::contained;
use crate::pins::{Ask, COME_BACK};
use crate::record::{Key, Record};
use crate::registry::Miss;
use crate::source::{self, SourceError};

/// Look-ups that may be under way at the same time.
const MAX_LOOK_UPS: usize = 8;
/// Versions remembered not to exist, until the next change.
const MAX_ABSENT: usize = 10_000;

impl Refresher {
    pub(super) fn ask(&mut self, ask: Ask) {
        let now = Instant::now();
        if let Some(loaded) = self.book.get(&ask.key) {
            let _ = ask.reply.send(Ok(loaded.clone()));
        } else if self.absent.contains(&ask.key) {
            let (model, version) = ask.key;
            let _ = ask.reply.send(Err(Miss::Version(model, version)));
        } else if let Some(wait) = self.book.wait(&ask.key, now).filter(|wait| !wait.is_zero()) {
            let _ = ask.reply.send(Err(Miss::Waiting(ask.key.0, wait)));
        } else {
            let key = ask.key.clone();
            if self.waiting.push(ask) && !self.book.wants(&key) {
                self.look_up(key);
            }
        }
    }

    fn look_up(&mut self, key: Key) {
        if self.look_ups >= MAX_LOOK_UPS {
            return self.waiting.answer(&key, || Err(Miss::Waiting(key.0.clone(), COME_BACK)));
        }
        self.look_ups += 1;
        let found = source::look_up(self.ports.db.clone(), key.clone());
        self.start_look_up(key, found);
    }

    /// Has `found` look the version under `key` up; whether it returns or panics, its end is heard of.
    pub(super) fn start_look_up(
        &mut self,
        key: Key,
        found: impl Future<Output = Result<Option<Record>, SourceError>> + Send + 'static,
    ) {
        self.work.spawn(async move { Done::Looked(key, contained(found).await) });
    }

    pub(super) fn looked(&mut self, key: &Key, result: Result<Option<Record>, SourceError>) {
        self.look_ups -= 1;
        match result {
            Ok(Some(record)) => {
                self.book.pin(Record { aliases: Vec::new(), ..record }, self.max_pinned);
                // Should it be deleted before it stood in the book, only a full read would notice.
                self.known = None;
                self.load_due();
            }
            Ok(None) => {
                if self.absent.len() >= MAX_ABSENT {
                    self.absent.clear();
                }
                self.absent.insert(key.clone());
                self.waiting.answer(key, || Err(Miss::Version(key.0.clone(), key.1)));
            }
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a pinned version can't be looked up");
                self.waiting.answer(key, || Err(Miss::Waiting(key.0.clone(), COME_BACK)));
            }
        }
    }
}
