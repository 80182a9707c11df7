//! The queue as the rest of the system sees it.

use std::sync::Arc;
use std::time::Duration;

use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;

use crate::consumer::Consumer;
use crate::error::Result;
use crate::fetch::{Reader, Source};
use crate::memory::Memory;
use crate::push::Subscription;
use crate::streams::{RedisOptions, Streams};
use crate::subscribe::subscribe;

const CANCELS: &str = "cancels";
const MODELS: &str = "models";

/// Carries job ids to workers and notes between processes. Clones are the same queue.
#[derive(Clone)]
pub struct Queue(Kind);

#[derive(Clone)]
enum Kind {
    Memory(Arc<Memory>),
    Redis(Arc<Streams>),
}

impl Queue {
    /// A queue within this process, empty. A second call makes a second queue.
    pub fn memory() -> Self {
        Self(Kind::Memory(Arc::new(Memory::new())))
    }

    /// The queue called `prefix` in the Redis at `url`.
    ///
    /// Connects with first use: a Redis that is away fails the calls that need it, not this one.
    ///
    /// # Errors
    /// [`QueueError::BadUrl`](crate::QueueError::BadUrl).
    pub fn redis(url: &str, prefix: &str, options: RedisOptions) -> Result<Self> {
        Ok(Self(Kind::Redis(Arc::new(Streams::open(url, prefix, options)?))))
    }

    /// Sends jobs to the workers, each after those of its class that were sent before. A failure may have sent some of
    /// them; sending a job twice does no harm.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable), within three seconds.
    pub async fn dispatch(&self, jobs: &[(JobId, PriorityClass)]) -> Result<()> {
        match &self.0 {
            Kind::Memory(memory) => memory.dispatch(jobs),
            Kind::Redis(streams) => streams.dispatch(jobs).await?,
        }
        Ok(())
    }

    /// Tells every worker that somebody wants `id` to stop.
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

    /// The jobs that somebody wants to stop, from now on. Call it within a Tokio runtime.
    pub fn cancels(&self) -> Subscription<JobId> {
        match &self.0 {
            Kind::Memory(memory) => Subscription::memory(memory.cancels.subscribe(), None),
            Kind::Redis(streams) => subscribe(streams.clone(), streams.key(CANCELS), None, |text| {
                std::str::from_utf8(text).ok()?.parse().ok()
            }),
        }
    }

    /// Tells every inference process that the set of served models changed.
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

    /// Yields when the served models may have changed: once to begin with, at every announcement, and after every
    /// interruption of the connection. Call it within a Tokio runtime.
    pub fn model_changes(&self) -> Subscription<()> {
        match &self.0 {
            Kind::Memory(memory) => Subscription::memory(memory.models.subscribe(), Some(())),
            Kind::Redis(streams) => subscribe(streams.clone(), streams.key(MODELS), Some(()), |_| Some(())),
        }
    }

    /// Whether the queue takes jobs now.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable): away, full, or a replica.
    pub async fn ping(&self) -> Result<()> {
        if let Kind::Redis(streams) = &self.0 {
            streams.ping().await?;
        }
        Ok(())
    }

    /// The ids that wait in each class, highest first.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn depth(&self) -> Result<Vec<(PriorityClass, u64)>> {
        Ok(match &self.0 {
            Kind::Memory(memory) => memory.depth(),
            Kind::Redis(streams) => streams.depth().await?,
        })
    }

    /// How long ago the oldest id that still waits in each class was sent, highest class first; `None` where none waits.
    /// Ids leave a class in the order they came, so one that was sent before the oldest is not there any more.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn oldest(&self) -> Result<Vec<(PriorityClass, Option<Duration>)>> {
        Ok(match &self.0 {
            Kind::Memory(memory) => memory.oldest(),
            Kind::Redis(streams) => streams.oldest().await?,
        })
    }

    /// A text that changes when the queue may have lost ids: Redis was restarted, flushed or failed over; this process
    /// started.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn epoch(&self) -> Result<String> {
        Ok(match &self.0 {
            Kind::Memory(memory) => memory.epoch.clone(),
            Kind::Redis(streams) => streams.epoch().await?,
        })
    }

    /// Job ids for an apalis worker, of the highest class first. `worker` names it in Redis, for people who look there.
    /// Call it within a Tokio runtime.
    pub fn consume(&self, worker: &str) -> Consumer {
        Consumer::start(match &self.0 {
            Kind::Memory(memory) => Source::Memory(memory.clone()),
            Kind::Redis(streams) => Source::Redis(Box::new(Reader::new(streams.clone(), worker))),
        })
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
