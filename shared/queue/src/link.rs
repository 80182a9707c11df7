//! A connection to Redis that is made when first used, thrown away when it breaks and made anew by the next command.
//!
//! redis-rs has a connection manager of its own; it answers the first command after an outage with the failure of a
//! connection attempt made long before, and goes on using a connection whose peer fell silent. This one tries afresh, and
//! bounds every command, connecting included.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
};
use tokio::sync::Mutex;

use crate::place::Place;

const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// The connection. Clones share it.
#[derive(Clone)]
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    place: Arc<Place>,
    answer_limit: Duration,
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a late failure of an old one does not throw away its successor.
    number: u64,
}

struct Lent {
    connection: MultiplexedConnection,
    number: u64,
    fresh: bool,
}

impl Link {
    /// A connection whose commands fail when Redis has not answered within `answer_limit`.
    pub(crate) fn new(place: Arc<Place>, answer_limit: Duration) -> Self {
        Self(Arc::new(Inner { place, answer_limit, slot: Mutex::default() }))
    }

    async fn lend(&self) -> RedisResult<Lent> {
        let mut slot = self.0.slot.lock().await;
        if let Some(connection) = &slot.connection {
            return Ok(Lent { connection: connection.clone(), number: slot.number, fresh: false });
        }
        let connection = self.0.place.connect(&patience()).await?;
        slot.number += 1;
        slot.connection = Some(connection.clone());
        Ok(Lent { connection, number: slot.number, fresh: true })
    }

    async fn discard(&self, number: u64) {
        let mut slot = self.0.slot.lock().await;
        if slot.number == number {
            slot.connection = None;
        }
    }

    /// Sends with the present connection, or, when that turns out to have been cut, once more with a new one. What this
    /// crate sends may be carried out twice without harm.
    ///
    /// The limit holds for all of it: callers that find Redis hanging also wait for each other's attempts to connect.
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
            let lent = self.lend().await?;
            let answer = match tokio::time::timeout(self.0.answer_limit, send(lent.connection)).await {
                Ok(answer) => answer,
                Err(_) => Err(too_slow()),
            };
            let Err(error) = &answer else { return answer };
            if is_spent(error) {
                self.discard(lent.number).await;
            }
            if lent.fresh || !(error.is_connection_dropped() || is_elsewhere(error)) {
                return answer;
            }
        }
    }
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.send(move |mut connection| async move {
            // redis-rs takes a server's refusal for an answer here, and would make an error of it later.
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
        self.0.place.db()
    }
}

/// How long connecting may take. redis-rs would also give up on every answer after 500 ms by default; the limits on those
/// are ours, around the whole command.
pub(crate) fn patience() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_LIMIT)).set_response_timeout(None)
}

/// The error of an answer that did not come in time.
pub(crate) fn too_slow() -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "Redis did not answer in time").into()
}

/// Whether the connection should not be used again: broken, silent, or one to a server that no longer takes commands.
fn is_spent(error: &RedisError) -> bool {
    let cut_off = matches!(error.kind(), ErrorKind::Server(ServerErrorKind::MasterDown | ServerErrorKind::ClusterDown));
    error.is_io_error() || error.is_unrecoverable_error() || cut_off || is_elsewhere(error)
}

/// Whether another server takes the commands now: this one was demoted to a replica, or the slot moved away from it.
fn is_elsewhere(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::Moved))
}
