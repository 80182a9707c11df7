//! A queue in Redis: what every process that uses it shares.

use std::time::Duration;

use redis::RedisResult;
use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;
use uuid::Uuid;

use crate::backoff::Backoff;
use crate::entries::{Entries, Entry};
use crate::error::{QueueError, Result};
use crate::link::Link;

/// A command that takes longer than this counts as failed. Redis answers in well under a millisecond when it is well.
const ANSWER_LIMIT: Duration = Duration::from_millis(1_500);
/// How long a claimed entry is tried to be removed. One that stays is delivered again, finds no job to claim and goes then.
const REMOVE_LIMIT: Duration = Duration::from_secs(3);
/// Entries sent at once; bounds the memory of one request.
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
    pub(crate) entries: Entries,
    pub(crate) options: RedisOptions,
    prefix: String,
    /// For everything but the reads that wait: those would hold the other commands up.
    link: Link,
}

impl Streams {
    pub(crate) fn open(url: &str, prefix: &str, options: RedisOptions) -> Result<Self> {
        let client = redis::Client::open(url).map_err(|error| QueueError::BadUrl(error.to_string()))?;
        let link = Link::new(client.clone(), ANSWER_LIMIT);
        Ok(Self { client, entries: Entries::new(prefix), options, prefix: prefix.to_owned(), link })
    }

    pub(crate) async fn dispatch(&self, jobs: &[(JobId, PriorityClass)]) -> RedisResult<()> {
        for batch in jobs.chunks(BATCH) {
            self.entries.add(&mut self.link.clone(), batch).await?;
        }
        Ok(())
    }

    pub(crate) async fn depth(&self) -> RedisResult<Vec<(PriorityClass, u64)>> {
        self.entries.depth(&mut self.link.clone()).await
    }

    pub(crate) async fn oldest(&self) -> RedisResult<Vec<(PriorityClass, Option<Duration>)>> {
        self.entries.oldest(&mut self.link.clone()).await
    }

    /// A write, because a Redis that is full or a replica answers `PING` and takes no job.
    pub(crate) async fn ping(&self) -> RedisResult<()> {
        let key = self.key("ping");
        redis::cmd("SET").arg(key).arg(1).arg("EX").arg(60).exec_async(&mut self.link.clone()).await
    }

    /// The server's run and a mark in its data: a restart changes the one, a flush the other.
    pub(crate) async fn epoch(&self) -> RedisResult<String> {
        let key = self.key("epoch");
        let mut pipe = redis::pipe();
        pipe.cmd("INFO").arg("server");
        pipe.cmd("SET").arg(&key).arg(Uuid::now_v7().simple().to_string()).arg("NX").ignore();
        pipe.cmd("GET").arg(&key);
        let (server, mark): (String, String) = pipe.query_async(&mut self.link.clone()).await?;
        let run = server.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default().trim();
        Ok(format!("{run}:{mark}"))
    }

    pub(crate) async fn publish(&self, channel: &str, text: &str) -> RedisResult<()> {
        redis::cmd("PUBLISH").arg(channel).arg(text).exec_async(&mut self.link.clone()).await
    }

    /// Removes an entry, trying for a while; a failure is left to redelivery.
    pub(crate) async fn remove(&self, entry: &Entry) {
        let removed = async {
            let mut backoff = Backoff::default();
            while let Err(error) = self.entries.remove(&mut self.link.clone(), entry).await {
                tracing::debug!(entry = entry.id, %error, "a claimed entry could not be removed");
                backoff.failed();
                tokio::time::sleep(backoff.delay()).await;
            }
        };
        if tokio::time::timeout(REMOVE_LIMIT, removed).await.is_err() {
            tracing::warn!(entry = entry.id, "a claimed entry stays in the queue until it is delivered again");
        }
    }

    /// The full name of a key or channel of this queue.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.prefix)
    }
}
