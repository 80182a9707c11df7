//! The queue as the rest of the system sees it.

use std::sync::Arc;

use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;

use crate::consumer::Consumer;
use crate::error::Result;
use crate::fetch::{Reader, Source};
use crate::memory::Memory;
use crate::push::Subscription;
use crate::ready::{Offered, Ready, Share, Turn};
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

    /// The queue called `prefix` in the Redis at `url`: `redis://host:6379` for one server,
    /// `redis+sentinel://host:26379,host:26379/master-name` for the one that Sentinels name, `redis+cluster://host:6379,…` for
    /// a cluster, and `rediss` in place of `redis` for TLS.
    ///
    /// Connects with first use: a Redis that is away fails the calls that need it, not this one.
    ///
    /// # Errors
    /// [`QueueError::BadUrl`](crate::QueueError::BadUrl).
    pub fn redis(url: &str, prefix: &str, options: RedisOptions) -> Result<Self> {
        Ok(Self(Kind::Redis(Arc::new(Streams::open(url, prefix, options)?))))
    }

    /// Sends jobs to the workers, each after those of its class that were sent before; answers what became of each. One
    /// that is there is not sent twice. Of one user's jobs in a class no more than `window` are in the queue at once, so
    /// that another user's next job never waits behind more than that; the rest has to be offered again.
    ///
    /// A failure may have sent some of them.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable), within three seconds.
    pub async fn offer(&self, jobs: &[Ready], window: u64, turn: Turn) -> Result<Vec<Offered>> {
        Ok(match &self.0 {
            Kind::Memory(memory) => memory.offer(jobs, window, turn),
            Kind::Redis(streams) => streams.offer(jobs, window, turn).await?,
        })
    }

    /// The shares of all users that have ids in the queue, or had some refused.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn shares(&self) -> Result<Vec<Share>> {
        Ok(match &self.0 {
            Kind::Memory(memory) => memory.shares(),
            Kind::Redis(streams) => streams.keys.shares(&mut streams.link()).await?,
        })
    }

    /// Notes that nothing of these shares waits outside any more: new jobs may go to the queue at once. Where more was
    /// refused since [`Queue::shares`] was asked, nothing changes.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn caught_up(&self, shares: &[Share]) -> Result<()> {
        match &self.0 {
            Kind::Memory(memory) => memory.caught_up(shares),
            Kind::Redis(streams) => streams.caught_up(shares).await?,
        }
        Ok(())
    }

    /// Looks whether somebody took ids away behind the queue's back (a stream was deleted, keys were evicted); if so, the
    /// queue knows of none any more, and each may be sent again. Answers in how many classes that was so.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn mend(&self) -> Result<u64> {
        Ok(match &self.0 {
            Kind::Memory(_) => 0,
            Kind::Redis(streams) => streams.keys.mend(&mut streams.link()).await?,
        })
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

    /// The ids in each class that wait or are being claimed, highest first.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`](crate::QueueError::Unavailable).
    pub async fn depth(&self) -> Result<Vec<(PriorityClass, u64)>> {
        Ok(match &self.0 {
            Kind::Memory(memory) => memory.depth(),
            Kind::Redis(streams) => streams.keys.depth(&mut streams.link()).await?,
        })
    }

    /// Job ids for an apalis worker, of the highest class first, up to `places` at a time: a worker never holds an id that
    /// another one could run. `worker` names it in Redis, for people who look there. Call it within a Tokio runtime.
    pub fn consume(&self, worker: &str, places: usize) -> Consumer {
        let source = match &self.0 {
            Kind::Memory(memory) => Source::Memory(memory.clone()),
            Kind::Redis(streams) => Source::Redis(Box::new(Reader::new(streams.clone(), worker))),
        };
        Consumer::start(source, places)
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
