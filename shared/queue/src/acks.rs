//! Removes claimed entries from Redis in batches, in a task of its own, so that no job waits for Redis.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, sleep, timeout};

use crate::backoff::Backoff;
use crate::entries::Entry;
use crate::streams::Streams;

/// How long the removal of a batch is retried. An entry that stays is delivered again, finds no job to claim, and is
/// removed then.
const LIMIT: Duration = Duration::from_secs(3);
/// Most entries removed in one call; bounds how long a script blocks Redis.
const BATCH: usize = 500;

/// Sends entries to the task that removes them. Clones share the task, which ends with the last clone.
#[derive(Clone)]
pub(crate) struct Acks(mpsc::UnboundedSender<Ack>);

/// An entry to remove, and the caller that waits for its removal.
type Ack = (Entry, Option<oneshot::Sender<()>>);

impl Acks {
    /// Starts the task. Call it within a Tokio runtime.
    pub(crate) fn start(streams: Arc<Streams>) -> Self {
        Self::start_with(move |entries| {
            let streams = Arc::clone(&streams);
            async move { remove_with_retries(&streams, &entries).await }
        })
    }

    fn start_with<F, Removal>(remove: F) -> Self
    where
        F: Fn(Vec<Entry>) -> Removal + Send + 'static,
        Removal: Future<Output = ()> + Send + 'static,
    {
        let (acks, received) = mpsc::unbounded_channel();
        tokio::spawn(remove_batches(remove, received));
        Self(acks)
    }

    /// Queues an entry for removal.
    pub(crate) fn push(&self, entry: Entry) {
        let _ = self.0.send((entry, None));
    }

    /// Queues an entry for removal, and waits up to [`LIMIT`] until it is removed.
    pub(crate) async fn remove(&self, entry: Entry) {
        let (done, removed) = oneshot::channel();
        if self.0.send((entry, Some(done))).is_ok() {
            let _ = timeout(LIMIT, removed).await;
        }
    }
}

async fn remove_batches<F, Removal>(remove: F, mut received: mpsc::UnboundedReceiver<Ack>)
where
    F: Fn(Vec<Entry>) -> Removal,
    Removal: Future<Output = ()>,
{
    let mut acks = Vec::new();
    while received.recv_many(&mut acks, BATCH).await > 0 {
        let (entries, callers): (Vec<_>, Vec<_>) = acks.drain(..).unzip();
        let count = entries.len();
        // A panic must not end the task: every later entry would stay in Redis and be delivered again and again.
        match AssertUnwindSafe(timeout(LIMIT, remove(entries))).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => {
                tracing::warn!(entries = count, "claimed entries were not removed; they are delivered again");
            }
            Err(_panic) => {
                tracing::error!(entries = count, "removing claimed entries panicked; they are delivered again");
            }
        }
        for done in callers.into_iter().flatten() {
            // The caller may have stopped waiting.
            let _ = done.send(());
        }
    }
}

async fn remove_with_retries(streams: &Streams, entries: &[Entry]) {
    let mut backoff = Backoff::default();
    while let Err(error) = streams.keys.remove(&mut streams.connection(), entries).await {
        tracing::debug!(%error, "claimed entries were not removed yet");
        backoff.failed();
        sleep(backoff.delay()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use trainyard_domain::job::PriorityClass;

    use super::*;

    #[tokio::test]
    async fn a_panic_does_not_stop_the_removal_of_later_entries() {
        let removed = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&removed);
        let acks = Acks::start_with(move |entries: Vec<Entry>| {
            let log = Arc::clone(&log);
            async move {
                assert_ne!(entries[0].id, "1-1", "a defect");
                log.lock().unwrap().extend(entries.into_iter().map(|entry| entry.id));
            }
        });
        for id in ["1-1", "1-2"] {
            acks.remove(Entry { class: PriorityClass::Normal, id: id.into(), job: None }).await;
        }
        assert_eq!(*removed.lock().unwrap(), ["1-2"]);
    }
}
