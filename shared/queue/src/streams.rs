//! A queue in Redis: what every process that uses it shares.

use std::time::Duration;

use redis::RedisResult;

use crate::error::{QueueError, Result};
use crate::keys::Keys;
use crate::link::Link;
use crate::ready::{Offered, Ready, Share, Turn};

/// A command that takes longer than this counts as failed. Redis answers in well under a millisecond when it is well.
const ANSWER_LIMIT: Duration = Duration::from_millis(1_500);
/// Jobs offered at once; bounds the memory of a request, and the time a script holds Redis up.
const BATCH: usize = 500;

/// How the workers read from Redis.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// How long one read waits for an id. Also the longest that closing a consumer waits for its last read.
    pub block: Duration,
    /// An id that a worker read but neither claimed nor gave back for this long goes to another.
    pub redeliver_after: Duration,
    /// A worker that asked for nothing and holds nothing for this long is forgotten.
    pub forget_after: Duration,
}

impl Default for RedisOptions {
    /// 1 s, 10 s, 1 h.
    fn default() -> Self {
        Self {
            block: Duration::from_secs(1),
            redeliver_after: Duration::from_secs(10),
            forget_after: Duration::from_secs(3_600),
        }
    }
}

/// One queue in one Redis.
pub(crate) struct Streams {
    pub(crate) client: redis::Client,
    pub(crate) keys: Keys,
    pub(crate) options: RedisOptions,
    prefix: String,
    /// For everything but the reads that wait: those would hold the other commands up.
    link: Link,
}

impl Streams {
    pub(crate) fn open(url: &str, prefix: &str, options: RedisOptions) -> Result<Self> {
        let client = redis::Client::open(url).map_err(|error| QueueError::BadUrl(error.to_string()))?;
        let link = Link::new(client.clone(), ANSWER_LIMIT);
        Ok(Self { client, keys: Keys::new(prefix), options, prefix: prefix.to_owned(), link })
    }

    /// For everything but the reads that wait.
    pub(crate) fn link(&self) -> Link {
        self.link.clone()
    }

    pub(crate) async fn offer(&self, jobs: &[Ready], window: u64, turn: Turn) -> RedisResult<Vec<Offered>> {
        let mut offered = Vec::with_capacity(jobs.len());
        for batch in jobs.chunks(BATCH) {
            offered.extend(self.keys.offer(&mut self.link(), batch, window, turn).await?);
        }
        Ok(offered)
    }

    pub(crate) async fn caught_up(&self, shares: &[Share]) -> RedisResult<()> {
        for batch in shares.chunks(BATCH) {
            self.keys.caught_up(&mut self.link(), batch).await?;
        }
        Ok(())
    }

    /// A write, because a Redis that is full or a replica answers `PING` and takes no job.
    pub(crate) async fn ping(&self) -> RedisResult<()> {
        let key = self.key("ping");
        redis::cmd("SET").arg(key).arg(1).arg("EX").arg(60).exec_async(&mut self.link()).await
    }

    pub(crate) async fn publish(&self, channel: &str, text: &str) -> RedisResult<()> {
        redis::cmd("PUBLISH").arg(channel).arg(text).exec_async(&mut self.link()).await
    }

    /// The full name of a key or channel of this queue.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.prefix)
    }
}
