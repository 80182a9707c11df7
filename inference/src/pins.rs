//! How a request gets a version that is not in memory: it asks the refresher, and waits a bounded time for the answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::loaded::Loaded;
use crate::record::Key;
use crate::registry::Miss;

/// What the refresher answers.
pub(crate) type Found = Result<Arc<Loaded>, Miss>;
/// When to come back while a version loads.
pub(crate) const COME_BACK: Duration = Duration::from_secs(1);
/// Requests that may wait for versions at the same time; the next one is told to come back.
const MAX_WAITING: usize = 1_000;

/// A question: this version, please.
pub(crate) struct Ask {
    /// Which.
    pub(crate) key: Key,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Found>,
}

/// The requests' end. Cloning shares the line.
#[derive(Clone)]
pub(crate) struct Pins {
    asks: mpsc::Sender<Ask>,
    wait: Duration,
}

impl Pins {
    /// A line on which each question waits at most `wait`, and the refresher's end of it.
    pub(crate) fn new(wait: Duration) -> (Self, mpsc::Receiver<Ask>) {
        let (asks, line) = mpsc::channel(256);
        (Self { asks, wait }, line)
    }

    /// Asks for a version.
    pub(crate) async fn get(&self, key: Key) -> Found {
        let model = key.0.clone();
        let (reply, answer) = oneshot::channel();
        if self.asks.try_send(Ask { key, reply }).is_err() {
            return Err(Miss::Waiting(model, COME_BACK));
        }
        match tokio::time::timeout(self.wait, answer).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => Err(Miss::Waiting(model, COME_BACK)),
        }
    }
}

/// The questions that wait, by version.
#[derive(Default)]
pub(crate) struct Waiting(HashMap<Key, Vec<oneshot::Sender<Found>>>);

impl Waiting {
    /// Lets a question wait. Says whether it is the first for its version, so that a look-up should start.
    pub(crate) fn push(&mut self, ask: Ask) -> bool {
        let waiting: usize = self.0.values().map(Vec::len).sum();
        if waiting >= MAX_WAITING {
            let _ = ask.reply.send(Err(Miss::Waiting(ask.key.0, COME_BACK)));
            return false;
        }
        let line = self.0.entry(ask.key).or_default();
        // Those whose requests gave up have no claim to a place; if all did, the question is asked anew.
        line.retain(|reply| !reply.is_closed());
        let first = line.is_empty();
        line.push(ask.reply);
        first
    }

    /// Answers everybody who waits for this version.
    pub(crate) fn answer(&mut self, key: &Key, found: impl Fn() -> Found) {
        for reply in self.0.remove(key).into_iter().flatten() {
            // A request that has gone away needs no answer.
            let _ = reply.send(found());
        }
    }
}
