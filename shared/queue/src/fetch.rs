//! The task behind a consumer: reads as many ids as its worker has free slots, and retries every failure of Redis.
//!
//! A read is never cancelled, because Redis may already have delivered ids to this reader. Stopping waits for the read,
//! which has a time limit, and returns its ids.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::RedisResult;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use trainyard_domain::ids::JobId;
use trainyard_telemetry::catalogue::QUEUE_MESSAGES_DROPPED_TOTAL;
use uuid::Uuid;

use crate::acks::Acks;
use crate::backoff::Backoff;
use crate::connection::Connection;
use crate::delivery::{Delivery, Receipt};
use crate::entries::{Entry, is_group_missing};
use crate::handoff::Handoff;
use crate::memory::Memory;
use crate::streams::Streams;

/// How often an idle fetcher checks whether its worker drains.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How often the consumers of dead processes are deleted.
const DELETE_READERS_EVERY: Duration = Duration::from_secs(600);
/// How often a busy reader reads the idle entries of other readers.
const READ_IDLE_EVERY: Duration = Duration::from_millis(100);
/// Most ids per read.
const MAX_READ: usize = 500;

/// The queue that ids are read from.
pub(crate) enum Source {
    Memory(Arc<Memory>),
    Redis(Box<Reader>),
}

/// Serves a worker with `slots` slots through `handoff`, until the worker closes, drains or is dropped.
pub(crate) async fn run(mut source: Source, handoff: Arc<Handoff>, slots: usize) {
    let slots = Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS)));
    while !handoff.is_closing() {
        handoff.record_poll();
        if handoff.is_requested() {
            // A worker that requests ids has a free slot, but the delivery that had the slot may not be dropped yet.
            let Ok(Ok(first)) = timeout(CHECK_EVERY, Arc::clone(&slots).acquire_owned()).await else { continue };
            let found = source.read(&handoff, 1 + slots.available_permits().min(MAX_READ - 1)).await;
            let free = std::iter::once(first).chain(std::iter::from_fn(|| Arc::clone(&slots).try_acquire_owned().ok()));
            let deliver =
                |((job, receipt), slot): ((JobId, Receipt), OwnedSemaphorePermit)| Delivery::new(job, receipt, slot);
            if !found.is_empty() {
                handoff.put(found.into_iter().zip(free).map(deliver).collect());
            }
        } else if !handoff.wait_for_request(CHECK_EVERY).await {
            // A worker takes ids as soon as they are put. A worker that does not is paused or about to drain.
            give_back(&handoff).await;
        }
    }
    give_back(&handoff).await;
    source.close().await;
}

async fn give_back(handoff: &Handoff) {
    // In reverse, so that the first id is first in the queue again.
    for delivery in handoff.take_back().into_iter().rev() {
        delivery.give_back().await;
    }
}

impl Source {
    /// Reads up to `room` ids.
    async fn read(&mut self, handoff: &Handoff, room: usize) -> Vec<(JobId, Receipt)> {
        match self {
            Self::Memory(memory) => {
                let found = memory.read(room, CHECK_EVERY).await.into_iter();
                found.map(|(job, class)| (job, Receipt::Memory(Arc::clone(memory), class))).collect()
            }
            Self::Redis(reader) => reader.read_or_wait(handoff, room).await,
        }
    }

    async fn close(&mut self) {
        if let Self::Redis(reader) = self {
            reader.close().await;
        }
    }
}

/// A consumer of the group in Redis.
pub(crate) struct Reader {
    streams: Arc<Streams>,
    acks: Acks,
    name: String,
    /// A connection of its own, because a blocking read delays every later command.
    connection: Connection,
    backoff: Backoff,
    deleted_readers_at: Option<Instant>,
    read_idle_at: Option<Instant>,
}

impl Reader {
    pub(crate) fn new(streams: Arc<Streams>, worker: &str) -> Self {
        let limit = streams.options.block + streams.options.answer_limit;
        let connection = Connection::new(Arc::clone(&streams.endpoint), limit);
        // Redis would take two readers of one name for one consumer.
        let name = format!("{worker}.{}", Uuid::now_v7().simple());
        let acks = Acks::start(Arc::clone(&streams));
        Self {
            streams,
            acks,
            name,
            connection,
            backoff: Backoff::default(),
            deleted_readers_at: None,
            read_idle_at: None,
        }
    }

    /// Reads once; after a failure, waits.
    async fn read_or_wait(&mut self, handoff: &Handoff, room: usize) -> Vec<(JobId, Receipt)> {
        match self.read(room).await {
            Ok(found) => {
                if self.backoff.succeeded() {
                    tracing::info!("the queue can be read again");
                }
                found.into_iter().filter_map(|entry| self.accept(entry)).collect()
            }
            Err(error) => {
                self.recover(error, handoff).await;
                Vec::new()
            }
        }
    }

    async fn read(&mut self, room: usize) -> RedisResult<Vec<Entry>> {
        self.delete_dead_readers().await?;
        let reads_idle = self.read_idle_at.is_none_or(|last| last.elapsed() >= READ_IDLE_EVERY);
        let idle_after = reads_idle.then_some(self.streams.options.redeliver_after);
        let keys = &self.streams.keys;
        let found = keys.read(&mut self.connection, &self.name, idle_after, room).await?;
        if reads_idle {
            self.read_idle_at = Some(Instant::now());
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let mut found = keys.wait(&mut self.connection, &self.name, self.streams.options.block, room).await?;
        // Each class may have `room` entries. The surplus of the lowest classes is returned, last entry first.
        for surplus in found.split_off(room.min(found.len())).iter().rev() {
            if let Err(error) = keys.release(&mut self.connection, surplus).await {
                tracing::warn!(entry = surplus.id, %error, "an id was not returned to the queue; it is redelivered later");
            }
        }
        Ok(found)
    }

    fn accept(&self, entry: Entry) -> Option<(JobId, Receipt)> {
        if let Some(job) = entry.job {
            return Some((job, Receipt::Redis(Arc::clone(&self.streams), self.acks.clone(), entry)));
        }
        tracing::warn!(entry = entry.id, class = entry.class.as_str(), "dropped a queue entry without a valid job id");
        metrics::counter!(QUEUE_MESSAGES_DROPPED_TOTAL, "reason" => "undecodable").increment(1);
        self.acks.push(entry);
        None
    }

    async fn delete_dead_readers(&mut self) -> RedisResult<()> {
        if self.deleted_readers_at.is_none_or(|last| last.elapsed() > DELETE_READERS_EVERY) {
            self.streams.keys.delete_idle_readers(&mut self.connection, self.streams.options.forget_after).await?;
            self.deleted_readers_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Creates groups that are missing (a new or flushed Redis). Waits after every other failure.
    async fn recover(&mut self, error: redis::RedisError, handoff: &Handoff) {
        if is_group_missing(&error) && self.streams.keys.create_groups(&mut self.connection).await.is_ok() {
            return;
        }
        match self.backoff.failed() {
            1 => tracing::warn!(%error, "the queue can't be read; retrying"),
            failures => tracing::debug!(%error, failures, "the queue can't be read"),
        }
        tokio::select! {
            () = tokio::time::sleep(self.backoff.delay()) => {}
            () = handoff.stop.cancelled() => {}
        }
    }

    async fn close(&mut self) {
        if let Err(error) = self.streams.keys.delete_reader(&mut self.connection, &self.name).await {
            tracing::debug!(%error, "the consumer was not deleted from its group");
        }
    }
}
