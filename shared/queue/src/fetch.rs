//! The task behind a consumer: reads as many ids as its worker has places, and keeps every trouble with Redis to itself.
//!
//! A read is never abandoned half-way: Redis may already have given us ids. Stopping therefore waits for the present read,
//! which is bounded, and gives back what it brought.

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
use crate::delivery::{Delivery, Receipt};
use crate::desk::Desk;
use crate::entries::{Entry, lacks_group};
use crate::link::Link;
use crate::memory::Memory;
use crate::streams::Streams;

/// How often a fetcher that has nothing to do looks whether its worker drains.
const LOOK: Duration = Duration::from_secs(1);
/// How often dead readers are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// How often a busy reader looks for ids that others left lying.
const LEFT_EVERY: Duration = Duration::from_millis(100);
/// Most ids of one read.
const MAX_READ: usize = 500;

/// Where ids come from.
pub(crate) enum Source {
    Memory(Arc<Memory>),
    Redis(Box<Reader>),
}

/// Serves `desk` until its worker closes, drains or is dropped. The worker has so many places.
pub(crate) async fn run(mut source: Source, desk: Arc<Desk>, places: usize) {
    let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
    while !desk.is_closing() {
        desk.turned();
        if desk.is_wanted() {
            // A worker that asks has a place; what became of the id that had it may still hold on to it for a moment.
            let Ok(Ok(first)) = timeout(LOOK, Arc::clone(&places).acquire_owned()).await else { continue };
            let found = source.next(&desk, 1 + places.available_permits().min(MAX_READ - 1)).await;
            let free =
                std::iter::once(first).chain(std::iter::from_fn(|| Arc::clone(&places).try_acquire_owned().ok()));
            let deliver =
                |((job, receipt), place): ((JobId, Receipt), OwnedSemaphorePermit)| Delivery::new(job, receipt, place);
            if !found.is_empty() {
                desk.lay(found.into_iter().zip(free).map(deliver).collect());
            }
        } else if !desk.asked(LOOK).await {
            // A worker picks up at once what it asked for; one that does not is paused or about to drain.
            give_back(&desk).await;
        }
    }
    give_back(&desk).await;
    source.leave().await;
}

async fn give_back(desk: &Desk) {
    // The last one first, so that the first one comes first again.
    for unwanted in desk.clear().into_iter().rev() {
        unwanted.give_back().await;
    }
}

impl Source {
    /// Up to `room` ids.
    async fn next(&mut self, desk: &Desk, room: usize) -> Vec<(JobId, Receipt)> {
        match self {
            Self::Memory(memory) => {
                let found = memory.next(room, LOOK).await.into_iter();
                found.map(|(job, class)| (job, Receipt::Memory(Arc::clone(memory), class))).collect()
            }
            Self::Redis(reader) => reader.turn(desk, room).await,
        }
    }

    async fn leave(&mut self) {
        if let Self::Redis(reader) = self {
            reader.leave().await;
        }
    }
}

/// Reads from Redis under a name of its own.
pub(crate) struct Reader {
    streams: Arc<Streams>,
    acks: Acks,
    name: String,
    /// Its own connection: a read that waits holds up whatever comes after it.
    link: Link,
    backoff: Backoff,
    forgot: Option<Instant>,
    /// When ids were last looked for that others left lying.
    looked: Option<Instant>,
}

impl Reader {
    pub(crate) fn new(streams: Arc<Streams>, worker: &str) -> Self {
        let limit = streams.options.block + streams.options.answer_limit;
        let link = Link::new(Arc::clone(&streams.place), limit);
        // Two readers of one name would count as one and could not tell whose entries are whose.
        let name = format!("{worker}.{}", Uuid::now_v7().simple());
        let acks = Acks::start(Arc::clone(&streams));
        Self { streams, acks, name, link, backoff: Backoff::default(), forgot: None, looked: None }
    }

    /// One read, or one wait after a failed one.
    async fn turn(&mut self, desk: &Desk, room: usize) -> Vec<(JobId, Receipt)> {
        match self.read(room).await {
            Ok(found) => {
                if self.backoff.succeeded() {
                    tracing::info!("reading from the queue again");
                }
                found.into_iter().filter_map(|entry| self.accept(entry)).collect()
            }
            Err(error) => {
                self.recover(error, desk).await;
                Vec::new()
            }
        }
    }

    async fn read(&mut self, room: usize) -> RedisResult<Vec<Entry>> {
        self.forget_dead_readers().await?;
        let left_after =
            self.looked.is_none_or(|last| last.elapsed() >= LEFT_EVERY).then_some(self.streams.options.redeliver_after);
        let keys = &self.streams.keys;
        let found = keys.next(&mut self.link, &self.name, left_after, room).await?;
        if left_after.is_some() {
            self.looked = Some(Instant::now());
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let mut found = keys.wait(&mut self.link, &self.name, self.streams.options.block, room).await?;
        // Each class may have brought so many; the lowest ones' go back, the last first.
        for surplus in found.split_off(room.min(found.len())).iter().rev() {
            if let Err(error) = keys.release(&mut self.link, surplus).await {
                tracing::warn!(entry = surplus.id, %error, "could not give an id back; another worker gets it later");
            }
        }
        Ok(found)
    }

    fn accept(&self, entry: Entry) -> Option<(JobId, Receipt)> {
        if let Some(job) = entry.job {
            return Some((job, Receipt::Redis(Arc::clone(&self.streams), self.acks.clone(), entry)));
        }
        tracing::warn!(entry = entry.id, class = entry.class.as_str(), "dropped a queue entry that names no job");
        metrics::counter!(QUEUE_MESSAGES_DROPPED_TOTAL, "reason" => "undecodable").increment(1);
        self.acks.push(entry);
        None
    }

    async fn forget_dead_readers(&mut self) -> RedisResult<()> {
        if self.forgot.is_none_or(|last| last.elapsed() > FORGET_EVERY) {
            self.streams.keys.forget_readers(&mut self.link, self.streams.options.forget_after).await?;
            self.forgot = Some(Instant::now());
        }
        Ok(())
    }

    /// Mends what can be mended (groups that a flush removed), waits out the rest: away, loading, full, failing over.
    async fn recover(&mut self, error: redis::RedisError, desk: &Desk) {
        let missing = lacks_group(&error);
        if missing && self.streams.keys.create_groups(&mut self.link).await.is_ok() {
            return;
        }
        match self.backoff.failed() {
            1 => tracing::warn!(%error, "can't read from the queue; trying until it works"),
            failures => tracing::debug!(%error, failures, "can't read from the queue"),
        }
        tokio::select! {
            () = tokio::time::sleep(self.backoff.delay()) => {}
            () = desk.stop.cancelled() => {}
        }
    }

    async fn leave(&mut self) {
        if let Err(error) = self.streams.keys.leave(&mut self.link, &self.name).await {
            tracing::debug!(%error, "could not leave the consumer group");
        }
    }
}
