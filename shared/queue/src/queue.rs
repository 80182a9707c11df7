//! The queue's public interface.

use std::sync::Arc;

use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;

use crate::consumer::Consumer;
use crate::enqueue::{EnqueueFrom, Enqueued, ReadyJob, UserWindow};
use crate::error::Result;
use crate::fetch::{Reader, Source};
use crate::memory::Memory;
use crate::streams::{RedisOptions, Streams};
use crate::subscribe::subscribe;
use crate::subscription::Subscription;

const CANCELS: &str = "cancels";
const MODELS: &str = "models";

/// Carries job ids to workers, and messages between processes. Clones share the queue.
#[derive(Clone)]
pub struct Queue(Kind);

#[derive(Clone)]
enum Kind {
    Memory(Arc<Memory>),
    Redis(Arc<Streams>),
}

impl Queue {
    /// Creates an empty queue for this process alone.
    pub fn memory() -> Self {
        Self(Kind::Memory(Arc::new(Memory::new())))
    }

    /// Opens the queue called `prefix` in Redis. `url` is `redis://host:6379` for one server,
    /// `redis+sentinel://host:26379,host:26379/master-name` for Sentinels, or `redis+cluster://host:6379,…` for a cluster;
    /// `rediss` in place of `redis` means TLS.
    ///
    /// The first command connects. While Redis is away, commands fail, and this call does not.
    ///
    /// # Errors
    /// [`QueueError::BadUrl`](crate::QueueError::BadUrl).
    pub fn redis(url: &str, prefix: &str, options: RedisOptions) -> Result<Self> {
        Ok(Self(Kind::Redis(Arc::new(Streams::open(url, prefix, options)?))))
    }

    /// Enqueues jobs in order and returns a result for each. At most `window` jobs of one user and class are in the queue at
    /// once, so another user's next job waits behind at most `window` of them. Refused jobs must be enqueued again later.
    ///
    /// After an error, some of the jobs may be in the queue.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable), within three seconds.
    pub async fn enqueue(&self, jobs: &[ReadyJob], window: u64, from: EnqueueFrom) -> Result<Vec<Enqueued>> {
        Ok(match &self.0 {
            Kind::Memory(memory) => memory.enqueue(jobs, window, from),
            Kind::Redis(streams) => streams.enqueue(jobs, window, from).await?,
        })
    }

    /// The windows of all users that have enqueued or refused jobs.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn user_windows(&self) -> Result<Vec<UserWindow>> {
        Ok(match &self.0 {
            Kind::Memory(memory) => memory.user_windows(),
            Kind::Redis(streams) => streams.keys.user_windows(&mut streams.connection()).await?,
        })
    }

    /// Clears the refusals of windows whose jobs are all enqueued, so that submissions are accepted again. A window in which
    /// more jobs were refused since [`Queue::user_windows`] keeps its refusals.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn clear_refusals(&self, windows: &[UserWindow]) -> Result<()> {
        match &self.0 {
            Kind::Memory(memory) => memory.clear_refusals(windows),
            Kind::Redis(streams) => streams.clear_refusals(windows).await?,
        }
        Ok(())
    }

    /// Deletes the enqueued set of each class where it is inconsistent with the stream (a stream was deleted, keys were
    /// evicted), so that every id can be enqueued again. Returns the number of such classes.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn repair(&self) -> Result<u64> {
        Ok(match &self.0 {
            Kind::Memory(_) => 0,
            Kind::Redis(streams) => streams.keys.repair(&mut streams.connection()).await?,
        })
    }

    /// Publishes a request to cancel `id` to all workers.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn request_cancel(&self, id: JobId) -> Result<()> {
        match &self.0 {
            Kind::Memory(memory) => drop(memory.cancels.send(id)),
            Kind::Redis(streams) => streams.publish(&streams.key(CANCELS), &id.to_string()).await?,
        }
        Ok(())
    }

    /// Subscribes to requests to cancel jobs. Call it within a Tokio runtime.
    pub fn cancels(&self) -> Subscription<JobId> {
        match &self.0 {
            Kind::Memory(memory) => Subscription::memory(memory.cancels.subscribe(), None),
            Kind::Redis(streams) => subscribe(streams.clone(), streams.key(CANCELS), None, |text| {
                std::str::from_utf8(text).ok()?.parse().ok()
            }),
        }
    }

    /// Publishes a change of the served models to all inference processes.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn announce_models(&self) -> Result<()> {
        match &self.0 {
            Kind::Memory(memory) => drop(memory.models.send(())),
            Kind::Redis(streams) => streams.publish(&streams.key(MODELS), "").await?,
        }
        Ok(())
    }

    /// Subscribes to changes of the served models. Yields once at the start, at every change, and after every interruption
    /// of the connection. Call it within a Tokio runtime.
    pub fn model_changes(&self) -> Subscription<()> {
        match &self.0 {
            Kind::Memory(memory) => Subscription::memory(memory.models.subscribe(), Some(())),
            Kind::Redis(streams) => subscribe(streams.clone(), streams.key(MODELS), Some(()), |_| Some(())),
        }
    }

    /// Checks that the queue accepts jobs.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable): Redis is away, full, or a replica.
    pub async fn ping(&self) -> Result<()> {
        if let Kind::Redis(streams) = &self.0 {
            streams.ping().await?;
        }
        Ok(())
    }

    /// The number of ids in each class that wait or are being claimed, highest class first.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn depth(&self) -> Result<Vec<(PriorityClass, u64)>> {
        Ok(match &self.0 {
            Kind::Memory(memory) => memory.depth(),
            Kind::Redis(streams) => streams.keys.depth(&mut streams.connection()).await?,
        })
    }

    /// Starts a consumer for an apalis worker with `slots` slots. It reads the highest class first, and never more ids than
    /// the worker has free slots, so no id waits that another worker could run. `worker` is part of the consumer's name in
    /// Redis. Call it within a Tokio runtime.
    pub fn consume(&self, worker: &str, slots: usize) -> Consumer {
        let source = match &self.0 {
            Kind::Memory(memory) => Source::Memory(memory.clone()),
            Kind::Redis(streams) => Source::Redis(Box::new(Reader::new(streams.clone(), worker))),
        };
        Consumer::start(source, slots)
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.0 {
            Kind::Memory(_) => "Queue(memory)",
            Kind::Redis(_) => "Queue(redis)",
        })
    }
}
