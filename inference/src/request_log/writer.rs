//! Writes the request log to the object store, in the background.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use trainyard_artifacts::{ArtifactError, Key, Store};
use trainyard_domain::Clock;
use trainyard_domain::ids::uuid_at;

use super::objects::{Object, Objects, compress};
use super::{Entry, Outcome, RequestLog, RequestLogSettings, count};

/// Attempts to write an object. The client of the object store retries each of them, too.
const ATTEMPTS: u32 = 3;
/// Pause before the second attempt; the next one is four times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Time for the last objects when the process stops.
const STOP_LIMIT: Duration = Duration::from_secs(8);

/// The receiving side of the request log.
pub(crate) struct Writer {
    entries: mpsc::UnboundedReceiver<Entry>,
    store: Store,
    clock: Clock,
    settings: RequestLogSettings,
}

impl Writer {
    /// A request log and its writer.
    pub(crate) fn new(settings: RequestLogSettings, store: Store, clock: Clock) -> (RequestLog, Self) {
        let (log, entries) = RequestLog::new(settings, clock.clone());
        (log, Self { entries, store, clock, settings })
    }

    /// Writes until `stop`, then writes what is in the queue, for a limited time.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let limit = async {
            stop.cancelled().await;
            tokio::time::sleep(STOP_LIMIT).await;
        };
        tokio::select! {
            () = self.write_until(&stop) => {}
            () = limit => {
                let limit_s = STOP_LIMIT.as_secs();
                tracing::warn!(limit_s, "the object store took too long; the last rows of the request log are lost");
            }
        }
        while let Ok(entry) = self.entries.try_recv() {
            count(Outcome::StoreFailed, entry.answered.rows as u64);
        }
    }

    async fn write_until(&mut self, stop: &CancellationToken) {
        while let Some(batch) = self.next_batch(stop).await {
            self.write(batch).await;
        }
    }

    /// The next entries: as many as fit into an object, or as many as have arrived before the first one must be written.
    /// `None` after `stop`, when the queue is empty.
    async fn next_batch(&mut self, stop: &CancellationToken) -> Option<Vec<Entry>> {
        let first = match stop.run_until_cancelled(self.entries.recv()).await {
            Some(first) => first?,
            None => self.entries.try_recv().ok()?,
        };
        let due = Instant::now() + self.settings.flush;
        let (mut bytes, mut batch) = (first.bytes, vec![first]);
        while bytes < self.settings.object_bytes {
            let next = stop.run_until_cancelled(tokio::time::timeout_at(due, self.entries.recv())).await;
            let next = match next {
                Some(Ok(next)) => next,
                Some(Err(_due)) => None,
                None => self.entries.try_recv().ok(),
            };
            let Some(next) = next else { break };
            bytes += next.bytes;
            batch.push(next);
        }
        Some(batch)
    }

    async fn write(&self, batch: Vec<Entry>) {
        let mut unwritten = Unwritten(batch.iter().map(|entry| entry.answered.rows as u64).sum());
        let RequestLogSettings { object_bytes, max_rows, .. } = self.settings;
        let work = move || {
            let objects = compress(&batch, object_bytes, max_rows);
            (objects, batch)
        };
        // The batch keeps its room in the queue until its objects are written.
        let Ok((Objects { objects, too_large }, _batch)) = tokio::task::spawn_blocking(work).await else { return };
        unwritten.count(Outcome::TooLarge, too_large);
        for Object { bytes, rows } in objects {
            let now = self.clock.now();
            let key = Key::request_log(now, uuid_at(now));
            match self.put(&key, bytes).await {
                Ok(()) => unwritten.count(Outcome::Written, rows),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, rows, "rows of the request log could not be written and are lost");
                }
            }
        }
    }

    async fn put(&self, key: &Key, bytes: bytes::Bytes) -> Result<(), ArtifactError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.store.put_bytes(key, bytes.clone()).await {
                Err(error) if error.is_retryable() => tokio::time::sleep(pause).await,
                other => return other.map(drop),
            }
            pause *= 4;
        }
        self.store.put_bytes(key, bytes).await.map(drop)
    }
}

/// Rows that are not written yet. The rest is counted as lost when the write fails, or is cancelled.
struct Unwritten(u64);

impl Unwritten {
    fn count(&mut self, outcome: Outcome, rows: u64) {
        let rows = rows.min(self.0);
        self.0 -= rows;
        count(outcome, rows);
    }
}

impl Drop for Unwritten {
    fn drop(&mut self) {
        count(Outcome::StoreFailed, self.0);
    }
}
