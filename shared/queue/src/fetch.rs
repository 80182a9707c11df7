//! The task behind a consumer: reads one id per request of the worker, and keeps every trouble with Redis to itself.
//!
//! A read is never abandoned half-way: Redis may already have given us the id. Stopping therefore waits for the present
//! read, which is bounded, and gives back what it brought.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::RedisResult;
use trainyard_telemetry::catalogue::QUEUE_MESSAGES_DROPPED_TOTAL;
use uuid::Uuid;

use crate::backoff::Backoff;
use crate::delivery::{Delivery, Receipt};
use crate::desk::Desk;
use crate::entries::{Entry, lacks_group};
use crate::link::Link;
use crate::memory::Memory;
use crate::streams::Streams;

/// How often a fetcher that has nothing to do looks whether its worker drains.
const LOOK: Duration = Duration::from_secs(1);
/// What a blocking read may take beyond its own limit.
const SLACK: Duration = Duration::from_secs(2);
/// How often dead readers are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Where ids come from.
pub(crate) enum Source {
    Memory(Arc<Memory>),
    Redis(Box<Reader>),
}

/// Serves `desk` until its worker closes, drains or is dropped.
pub(crate) async fn run(mut source: Source, desk: Arc<Desk>) {
    while !desk.is_closing() {
        desk.turned();
        if desk.is_wanted() {
            if let Some(delivery) = source.next(&desk).await {
                desk.lay(delivery);
            }
        } else if !desk.asked(LOOK).await {
            // A worker picks up at once what it asked for; one that does not is paused or about to drain.
            source.give_back(desk.clear()).await;
        }
    }
    source.give_back(desk.clear()).await;
    source.leave().await;
}

impl Source {
    async fn next(&mut self, desk: &Desk) -> Option<Delivery> {
        match self {
            Self::Memory(memory) => {
                let (job, class) = memory.next(LOOK).await?;
                Some(Delivery { job, receipt: Receipt::Memory(class) })
            }
            Self::Redis(reader) => reader.turn(desk).await,
        }
    }

    async fn give_back(&mut self, unwanted: Option<Delivery>) {
        let Some(Delivery { job, receipt }) = unwanted else { return };
        match (self, receipt) {
            (Self::Memory(memory), Receipt::Memory(class)) => memory.put_back(job, class),
            (Self::Redis(reader), Receipt::Redis(_, entry)) => reader.give_back(&entry).await,
            _ => unreachable!("a delivery of another queue"),
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
    name: String,
    /// Its own connection: a read that waits holds up whatever comes after it.
    link: Link,
    backoff: Backoff,
    forgot: Option<Instant>,
}

impl Reader {
    pub(crate) fn new(streams: Arc<Streams>, worker: &str) -> Self {
        let link = Link::new(streams.client.clone(), streams.options.block + SLACK);
        // Two readers of one name would count as one and could not tell whose entries are whose.
        let name = format!("{worker}.{}", Uuid::now_v7().simple());
        Self { streams, name, link, backoff: Backoff::default(), forgot: None }
    }

    /// One read, or one wait after a failed one.
    async fn turn(&mut self, desk: &Desk) -> Option<Delivery> {
        match self.read().await {
            Ok(found) => {
                if self.backoff.succeeded() {
                    tracing::info!("reading from the queue again");
                }
                found
            }
            Err(error) => {
                self.recover(error, desk).await;
                None
            }
        }
    }

    async fn read(&mut self) -> RedisResult<Option<Delivery>> {
        self.forget_dead_readers().await?;
        let entries = &self.streams.entries;
        let found = match entries.next(&mut self.link, &self.name, self.streams.options.redeliver_after).await? {
            Some(entry) => vec![entry],
            None => entries.wait(&mut self.link, &self.name, self.streams.options.block).await?,
        };
        let mut found = found.into_iter();
        let first = found.next();
        for surplus in found {
            self.give_back(&surplus).await;
        }
        match first {
            Some(entry) => self.accept(entry).await,
            None => Ok(None),
        }
    }

    async fn accept(&mut self, entry: Entry) -> RedisResult<Option<Delivery>> {
        if let Some(job) = entry.job {
            return Ok(Some(Delivery { job, receipt: Receipt::Redis(self.streams.clone(), entry) }));
        }
        tracing::warn!(entry = entry.id, class = entry.class.as_str(), "dropped a queue entry that names no job");
        metrics::counter!(QUEUE_MESSAGES_DROPPED_TOTAL, "reason" => "undecodable").increment(1);
        self.streams.entries.remove(&mut self.link, &entry).await?;
        Ok(None)
    }

    async fn forget_dead_readers(&mut self) -> RedisResult<()> {
        if self.forgot.is_none_or(|last| last.elapsed() > FORGET_EVERY) {
            self.streams.entries.forget_readers(&mut self.link, self.streams.options.forget_after).await?;
            self.forgot = Some(Instant::now());
        }
        Ok(())
    }

    /// Mends what can be mended (groups that a flush removed), waits out the rest: away, loading, full, failing over.
    async fn recover(&mut self, error: redis::RedisError, desk: &Desk) {
        let missing = lacks_group(&error);
        if missing && self.streams.entries.create_groups(&mut self.link).await.is_ok() {
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

    /// Puts an entry where the next reader finds it. A failure costs a delay, no job: see `redeliver_after`.
    async fn give_back(&mut self, entry: &Entry) {
        if let Err(error) = self.streams.entries.release(&mut self.link, entry).await {
            tracing::warn!(entry = entry.id, %error, "could not give an id back; it goes to another worker later");
        }
    }

    async fn leave(&mut self) {
        if let Err(error) = self.streams.entries.leave(&mut self.link, &self.name).await {
            tracing::debug!(%error, "could not leave the consumer group");
        }
    }
}
