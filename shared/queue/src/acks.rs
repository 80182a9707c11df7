//! Removes claimed entries: those of one moment together, by a task of their own, so that no job waits for Redis.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, sleep, timeout};

use crate::backoff::Backoff;
use crate::entries::Entry;
use crate::streams::Streams;

/// How long claimed entries are tried to be removed. One that stays is delivered again, finds no job to claim and goes then.
const LIMIT: Duration = Duration::from_secs(3);
/// Most entries removed at once; bounds the time a script holds Redis up.
const BATCH: usize = 500;

/// Where entries to remove go. Clones lead to the same task, which ends with the last of them.
#[derive(Clone)]
pub(crate) struct Acks(mpsc::UnboundedSender<Ack>);

/// An entry to remove, and whom to tell.
type Ack = (Entry, Option<oneshot::Sender<()>>);

impl Acks {
    /// Starts the task. Call it within a Tokio runtime.
    pub(crate) fn start(streams: Arc<Streams>) -> Self {
        let (acks, arriving) = mpsc::unbounded_channel();
        tokio::spawn(remove(streams, arriving));
        Self(acks)
    }

    /// Has an entry removed.
    pub(crate) fn push(&self, entry: Entry) {
        let _ = self.0.send((entry, None));
    }

    /// Has an entry removed, and waits for it, for a while.
    pub(crate) async fn removed(&self, entry: Entry) {
        let (done, removed) = oneshot::channel();
        if self.0.send((entry, Some(done))).is_ok() {
            let _ = timeout(LIMIT, removed).await;
        }
    }
}

async fn remove(streams: Arc<Streams>, mut arriving: mpsc::UnboundedReceiver<Ack>) {
    let mut acks = Vec::new();
    while arriving.recv_many(&mut acks, BATCH).await > 0 {
        let (entries, tell): (Vec<_>, Vec<_>) = acks.drain(..).unzip();
        if timeout(LIMIT, try_on(&streams, &entries)).await.is_err() {
            tracing::warn!(entries = entries.len(), "claimed entries stay in the queue until they are delivered again");
        }
        for done in tell.into_iter().flatten() {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

async fn try_on(streams: &Streams, entries: &[Entry]) {
    let mut backoff = Backoff::default();
    while let Err(error) = streams.keys.remove(&mut streams.link(), entries).await {
        tracing::debug!(%error, "claimed entries could not be removed");
        backoff.failed();
        sleep(backoff.delay()).await;
    }
}
