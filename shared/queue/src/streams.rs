//! A queue in Redis: its keys, its options and its connection.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;

use crate::address::Address;
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::enqueue::{EnqueueFrom, Enqueued, ReadyJob, UserWindow};
use crate::error::Result;
use crate::keys::Keys;

/// Most jobs per call; bounds the size of a command and how long a script blocks Redis.
const BATCH: usize = 500;

/// Options of a queue in Redis.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// How long a read blocks. Closing a consumer waits for its last read, so at most for this long.
    pub block: Duration,
    /// An id that a worker read and neither acknowledged nor returned for this long is delivered to another worker.
    pub redeliver_after: Duration,
    /// A consumer that was idle for this long and has no pending entries is deleted from the group.
    pub forget_after: Duration,
    /// Time limit of a command. A healthy Redis answers in well under a millisecond.
    pub answer_limit: Duration,
    /// Certificate authorities in PEM that replace the system's.
    pub tls_ca: Option<Vec<u8>>,
}

impl Default for RedisOptions {
    /// 1 s, 10 s, 1 h, 1.5 s, the system's authorities.
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

/// One queue in Redis.
pub(crate) struct Streams {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) keys: Keys,
    pub(crate) options: RedisOptions,
    prefix: String,
    /// For all commands except blocking reads, which would delay the other commands.
    connection: Connection,
}

impl Streams {
    pub(crate) fn open(url: &str, prefix: &str, options: RedisOptions) -> Result<Self> {
        let address = Address::parse(url, options.tls_ca.as_deref())?;
        let keys = Keys::new(prefix);
        let endpoint = Arc::new(Endpoint::new(address, keys.jobs[0].clone()));
        let connection = Connection::new(Arc::clone(&endpoint), options.answer_limit);
        Ok(Self { endpoint, keys, options, prefix: prefix.to_owned(), connection })
    }

    /// For all commands except blocking reads.
    pub(crate) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    pub(crate) async fn enqueue(
        &self,
        jobs: &[ReadyJob],
        window: u64,
        from: EnqueueFrom,
    ) -> RedisResult<Vec<Enqueued>> {
        let mut results = Vec::with_capacity(jobs.len());
        for batch in jobs.chunks(BATCH) {
            results.extend(self.keys.enqueue(&mut self.connection(), batch, window, from).await?);
        }
        Ok(results)
    }

    pub(crate) async fn clear_refusals(&self, windows: &[UserWindow]) -> RedisResult<()> {
        for batch in windows.chunks(BATCH) {
            self.keys.clear_refusals(&mut self.connection(), batch).await?;
        }
        Ok(())
    }

    /// Writes a key, because a full Redis and a replica answer `PING` although they refuse writes.
    pub(crate) async fn ping(&self) -> RedisResult<()> {
        let key = self.key("ping");
        redis::cmd("SET").arg(key).arg(1).arg("EX").arg(60).exec_async(&mut self.connection()).await
    }

    pub(crate) async fn publish(&self, channel: &str, text: &str) -> RedisResult<()> {
        redis::cmd("PUBLISH").arg(channel).arg(text).exec_async(&mut self.connection()).await
    }

    /// The full name of a key or channel of this queue.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.prefix)
    }
}
