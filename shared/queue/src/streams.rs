//! A queue in Redis: what every process that uses it shares.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;

use crate::address::Address;
use crate::error::Result;
use crate::keys::Keys;
use crate::link::Link;
use crate::place::Place;
use crate::ready::{Offered, Ready, Share, Turn};

/// Jobs offered at once; bounds the memory of a request, and the time a script holds Redis up.
const BATCH: usize = 500;

/// How Redis is spoken to.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// How long one read waits for an id. Also the longest that closing a consumer waits for its last read.
    pub block: Duration,
    /// An id that a worker read but neither claimed nor gave back for this long goes to another.
    pub redeliver_after: Duration,
    /// A worker that asked for nothing and holds nothing for this long is forgotten.
    pub forget_after: Duration,
    /// A command that takes longer than this counts as failed. Redis answers in well under a millisecond when it is well.
    pub answer_limit: Duration,
    /// The authorities, in PEM, that certificates are checked against instead of the system's.
    pub tls_ca: Option<Vec<u8>>,
}

impl Default for RedisOptions {
    /// 1 s, 10 s, 1 h, 1.5 s, the system's.
    fn default() -> Self {
        Self {
            block: Duration::from_secs(1),
            redeliver_after: Duration::from_secs(10),
            forget_after: Duration::from_secs(3_600),
            answer_limit: Duration::from_millis(1_500),
            tls_ca: None,
        }
    }
}

/// One queue in one Redis, be it one server or several.
pub(crate) struct Streams {
    pub(crate) place: Arc<Place>,
    pub(crate) keys: Keys,
    pub(crate) options: RedisOptions,
    prefix: String,
    /// For everything but the reads that wait: those would hold the other commands up.
    link: Link,
}

impl Streams {
    pub(crate) fn open(url: &str, prefix: &str, options: RedisOptions) -> Result<Self> {
        let address = Address::parse(url, options.tls_ca.as_deref())?;
        let keys = Keys::new(prefix);
        let place = Arc::new(Place::new(address, keys.jobs[0].clone()));
        let link = Link::new(Arc::clone(&place), options.answer_limit);
        Ok(Self { place, keys, options, prefix: prefix.to_owned(), link })
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
