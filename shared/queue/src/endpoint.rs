//! Finds the Redis server that takes commands: the only server, the master that the Sentinels name, or the cluster node
//! that owns the queue's hash slot.
//!
//! All keys of a queue share a hash slot, so a cluster too has one such server at a time. It is looked up for each new
//! connection. A connection is discarded once its server replies that it was demoted or that the slot moved.

use std::future::Future;
use std::pin::Pin;

use futures::future::select_ok;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, RedisError, RedisResult, Value};

use crate::address::{Address, ServerSettings};

/// The server that takes commands for a queue.
pub(crate) struct Endpoint {
    address: Address,
    /// Any key of the queue; its hash slot is the queue's.
    key: String,
}

impl Endpoint {
    pub(crate) fn new(address: Address, key: String) -> Self {
        Self { address, key }
    }

    /// Opens a connection to the server that takes commands.
    pub(crate) async fn connect(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let mut connection = self.find(config).await?.get_multiplexed_async_connection_with_config(config).await?;
        if let Address::Sentinels { .. } = self.address {
            // A Sentinel may name a server that was demoted a moment ago and still answers.
            let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut connection).await?;
            if role.first().and_then(text).as_deref() != Some("master") {
                return Err(failure("the server that the Sentinels name is not the master"));
            }
        }
        Ok(connection)
    }

    /// Finds the server that takes commands. Queries all Sentinels or seed nodes concurrently; the first answer wins.
    pub(crate) async fn find(&self, config: &AsyncConnectionConfig) -> RedisResult<Client> {
        match &self.address {
            Address::Server(client) => Ok(client.clone()),
            Address::Sentinels { sentinels, master, servers } => {
                first_answer(sentinels, |sentinel| query_sentinel(sentinel, master, servers, config)).await
            }
            Address::Cluster { nodes, servers } => {
                first_answer(nodes, |node| query_node(node, &self.key, servers, config)).await
            }
        }
    }

    /// The database number.
    pub(crate) fn db(&self) -> i64 {
        match &self.address {
            Address::Server(client) => client.get_connection_info().redis_settings().db(),
            Address::Sentinels { servers, .. } | Address::Cluster { servers, .. } => servers.db(),
        }
    }
}

type Query<'a> = Pin<Box<dyn Future<Output = RedisResult<Client>> + Send + 'a>>;

async fn first_answer<'a, F>(servers: &'a [Client], query: impl Fn(&'a Client) -> F) -> RedisResult<Client>
where
    F: Future<Output = RedisResult<Client>> + Send + 'a,
{
    let queries = servers.iter().map(|server| Box::pin(query(server)) as Query<'a>);
    select_ok(queries).await.map(|(found, _)| found)
}

async fn query_sentinel(
    sentinel: &Client,
    master: &str,
    servers: &ServerSettings,
    config: &AsyncConnectionConfig,
) -> RedisResult<Client> {
    let mut connection = sentinel.get_multiplexed_async_connection_with_config(config).await?;
    let query = redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(master).to_owned();
    match query.query_async::<Option<(String, u16)>>(&mut connection).await? {
        Some((host, port)) => servers.client(&host, port),
        None => Err(failure("the Sentinels know no master of the name in the URL")),
    }
}

async fn query_node(
    node: &Client,
    key: &str,
    servers: &ServerSettings,
    config: &AsyncConnectionConfig,
) -> RedisResult<Client> {
    let mut connection = node.get_multiplexed_async_connection_with_config(config).await?;
    let mut query = redis::pipe();
    query.cmd("CLUSTER").arg("KEYSLOT").arg(key).cmd("CLUSTER").arg("SLOTS");
    let (slot, ranges): (i64, Vec<Vec<Value>>) = query.query_async(&mut connection).await?;
    let owner = ranges.iter().find_map(|range| match range.as_slice() {
        [Value::Int(from), Value::Int(to), Value::Array(owner), ..] if (*from..=*to).contains(&slot) => Some(owner),
        _ => None,
    });
    let Some([host, Value::Int(port), ..]) = owner.map(Vec::as_slice) else {
        return Err(failure("no node of the cluster owns the queue's hash slot"));
    };
    let port = u16::try_from(*port).map_err(|_| failure("the cluster names an invalid port"))?;
    match text(host).filter(|host| !host.is_empty()) {
        Some(host) => servers.client(&host, port),
        // An empty host means the host of the node that was queried.
        None => servers.client(host_of(node), port),
    }
}

fn host_of(node: &Client) -> &str {
    match node.get_connection_info().addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host,
        _ => "",
    }
}

fn text(value: &Value) -> Option<String> {
    redis::from_redis_value_ref(value).ok()
}

fn failure(what: &'static str) -> RedisError {
    (ErrorKind::Client, what).into()
}
