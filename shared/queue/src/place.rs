//! Where commands go now: the one server, the master that Sentinels name, or the cluster node that has this queue's slot.
//!
//! All keys of a queue are in one slot, so in a cluster too there is one server to speak to at a time. It is looked up for
//! each new connection, and a connection whose server says that it is no longer the one is thrown away.

use std::future::Future;
use std::pin::Pin;

use futures::future::select_ok;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, RedisError, RedisResult, Value};

use crate::address::{Address, Way};

/// See the module.
pub(crate) struct Place {
    address: Address,
    /// Any key of the queue.
    key: String,
}

impl Place {
    pub(crate) fn new(address: Address, key: String) -> Self {
        Self { address, key }
    }

    /// A new connection to the server that takes commands now.
    pub(crate) async fn connect(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let mut connection = self.find(config).await?.get_multiplexed_async_connection_with_config(config).await?;
        if let Address::Sentinels { .. } = self.address {
            // Sentinels may not have heard yet, and a server that was demoted still answers.
            let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut connection).await?;
            if role.first().and_then(text).as_deref() != Some("master") {
                return Err(unknown("the server that the Sentinels name is not the master"));
            }
        }
        Ok(connection)
    }

    /// The server that takes commands now. Of those who could know all are asked at once, and the first to answer counts.
    pub(crate) async fn find(&self, config: &AsyncConnectionConfig) -> RedisResult<Client> {
        match &self.address {
            Address::Server(client) => Ok(client.clone()),
            Address::Sentinels { sentinels, master, way } => {
                first(sentinels, |sentinel| ask_sentinel(sentinel, master, way, config)).await
            }
            Address::Cluster { nodes, way } => first(nodes, |node| ask_node(node, &self.key, way, config)).await,
        }
    }

    /// The index of the database.
    pub(crate) fn db(&self) -> i64 {
        match &self.address {
            Address::Server(client) => client.get_connection_info().redis_settings().db(),
            Address::Sentinels { way, .. } | Address::Cluster { way, .. } => way.db(),
        }
    }
}

type Asking<'a> = Pin<Box<dyn Future<Output = RedisResult<Client>> + Send + 'a>>;

async fn first<'a, F>(servers: &'a [Client], ask: impl Fn(&'a Client) -> F) -> RedisResult<Client>
where
    F: Future<Output = RedisResult<Client>> + Send + 'a,
{
    let asking = servers.iter().map(|server| Box::pin(ask(server)) as Asking<'a>);
    select_ok(asking).await.map(|(found, _)| found)
}

async fn ask_sentinel(
    sentinel: &Client,
    master: &str,
    way: &Way,
    config: &AsyncConnectionConfig,
) -> RedisResult<Client> {
    let mut connection = sentinel.get_multiplexed_async_connection_with_config(config).await?;
    let ask = redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(master).to_owned();
    match ask.query_async::<Option<(String, u16)>>(&mut connection).await? {
        Some((host, port)) => way.client(&host, port),
        None => Err(unknown("the Sentinels know no master of the name in the address")),
    }
}

async fn ask_node(node: &Client, key: &str, way: &Way, config: &AsyncConnectionConfig) -> RedisResult<Client> {
    let mut connection = node.get_multiplexed_async_connection_with_config(config).await?;
    let mut ask = redis::pipe();
    ask.cmd("CLUSTER").arg("KEYSLOT").arg(key).cmd("CLUSTER").arg("SLOTS");
    let (slot, ranges): (i64, Vec<Vec<Value>>) = ask.query_async(&mut connection).await?;
    let owner = ranges.iter().find_map(|range| match range.as_slice() {
        [Value::Int(from), Value::Int(to), Value::Array(owner), ..] if (*from..=*to).contains(&slot) => Some(owner),
        _ => None,
    });
    let Some([host, Value::Int(port), ..]) = owner.map(Vec::as_slice) else {
        return Err(unknown("no node of the cluster has this queue's slot"));
    };
    let port = u16::try_from(*port).map_err(|_| unknown("the cluster names a port that is none"))?;
    match text(host).filter(|host| !host.is_empty()) {
        Some(host) => way.client(&host, port),
        // A node that does not know under which name it is reached means the one it was asked by.
        None => way.client(host_of(node), port),
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

fn unknown(what: &'static str) -> RedisError {
    (ErrorKind::Client, what).into()
}
