//! A connection to Redis that opens at its first command, and reopens at the next command after a failure.
//!
//! redis-rs has a connection manager. Its first command after an outage fails with the error of an old connection attempt,
//! and it keeps a connection whose peer no longer answers. This connection retries at once, and every command has a time
//! limit that includes connecting.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
};
use tokio::sync::Mutex;

use crate::endpoint::Endpoint;

const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// The connection. Clones share it.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Inner>);

struct Inner {
    endpoint: Arc<Endpoint>,
    answer_limit: Duration,
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a late failure of an old connection does not discard its successor.
    number: u64,
}

struct Borrowed {
    connection: MultiplexedConnection,
    number: u64,
    is_new: bool,
}

impl Connection {
    /// A connection whose commands fail when Redis has not answered within `answer_limit`.
    pub(crate) fn new(endpoint: Arc<Endpoint>, answer_limit: Duration) -> Self {
        Self(Arc::new(Inner { endpoint, answer_limit, slot: Mutex::default() }))
    }

    async fn borrow(&self) -> RedisResult<Borrowed> {
        let mut slot = self.0.slot.lock().await;
        if let Some(connection) = &slot.connection {
            return Ok(Borrowed { connection: connection.clone(), number: slot.number, is_new: false });
        }
        let connection = self.0.endpoint.connect(&connection_config()).await?;
        slot.number += 1;
        slot.connection = Some(connection.clone());
        Ok(Borrowed { connection, number: slot.number, is_new: true })
    }

    async fn discard(&self, number: u64) {
        let mut slot = self.0.slot.lock().await;
        if slot.number == number {
            slot.connection = None;
        }
    }

    /// Sends on the open connection, and once more on a new connection if the open one was cut. All commands of this crate
    /// may be executed twice without harm.
    ///
    /// The time limit covers everything: while Redis hangs, callers also wait for each other's connection attempts.
    async fn send<T, Fut>(&self, send: impl Fn(MultiplexedConnection) -> Fut) -> RedisResult<T>
    where
        Fut: Future<Output = RedisResult<T>>,
    {
        let limit = CONNECT_LIMIT + self.0.answer_limit;
        tokio::time::timeout(limit, self.attempt(send)).await.unwrap_or_else(|_| Err(too_slow()))
    }

    async fn attempt<T, Fut>(&self, send: impl Fn(MultiplexedConnection) -> Fut) -> RedisResult<T>
    where
        Fut: Future<Output = RedisResult<T>>,
    {
        loop {
            let borrowed = self.borrow().await?;
            let answer = match tokio::time::timeout(self.0.answer_limit, send(borrowed.connection)).await {
                Ok(answer) => answer,
                Err(_) => Err(too_slow()),
            };
            let Err(error) = &answer else { return answer };
            if is_unusable_after(error) {
                self.discard(borrowed.number).await;
            }
            if borrowed.is_new || !(error.is_connection_dropped() || is_moved(error)) {
                return answer;
            }
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.send(move |mut connection| async move {
            // redis-rs returns a server error as a value here, and turns it into an error only later.
            match connection.req_packed_command(cmd).await? {
                Value::ServerError(refusal) => Err(refusal.into()),
                answer => Ok(answer),
            }
        }))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.send(move |mut connection| async move {
            let answers = connection.req_packed_commands(cmd, offset, count).await?;
            let refusal = answers.iter().find_map(|answer| match answer {
                Value::ServerError(refusal) => Some(refusal.clone()),
                _ => None,
            });
            refusal.map_or(Ok(answers), |refusal| Err(refusal.into()))
        }))
    }

    fn get_db(&self) -> i64 {
        self.0.endpoint.db()
    }
}

/// Limits connecting. The response timeout of redis-rs (500 ms by default) is off: [`Connection`] limits whole commands.
pub(crate) fn connection_config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_LIMIT)).set_response_timeout(None)
}

/// The error of a command that was not answered in time.
pub(crate) fn too_slow() -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "Redis did not answer in time").into()
}

/// Whether the connection must not be used again: it is broken or silent, or its server no longer takes commands.
fn is_unusable_after(error: &RedisError) -> bool {
    let is_down = matches!(error.kind(), ErrorKind::Server(ServerErrorKind::MasterDown | ServerErrorKind::ClusterDown));
    error.is_io_error() || error.is_unrecoverable_error() || is_down || is_moved(error)
}

/// Whether another server takes the commands now: this server was demoted to a replica, or the hash slot moved.
fn is_moved(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::Moved))
}
