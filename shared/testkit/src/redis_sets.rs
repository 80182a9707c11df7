//! Redis on several servers: master and replica with Sentinels, and a cluster.

use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::folder::temporary_folder;
use crate::process::{ChildGuard, free_port, spawn_guarded};
use crate::redis::{RedisServer, cli};
use crate::wait::wait_until;

/// The name of the master in the Sentinels' configuration.
const MASTER: &str = "trainyard";
const SENTINELS: usize = 3;
/// Time without a response until a server counts as down.
const DOWN_AFTER_MS: &str = "500";
/// Without this option a master waits five seconds for further replicas.
const NO_SYNC_DELAY: [&str; 2] = ["--repl-diskless-sync-delay", "0"];
const LIMIT: Duration = Duration::from_secs(30);

/// A master, a replica, and three Sentinels with a quorum of two.
#[derive(Debug)]
pub struct RedisSentinels {
    master: RedisServer,
    replica: RedisServer,
    sentinels: Vec<(u16, TempDir, ChildGuard)>,
}

impl RedisSentinels {
    /// Starts the servers and waits until a failover is possible.
    pub fn start() -> Self {
        let master = RedisServer::start_with(&NO_SYNC_DELAY);
        let of_master = ["--replicaof", &format!("127.0.0.1 {}", master.port())];
        let replica = RedisServer::start_with(&[NO_SYNC_DELAY, of_master].concat());
        wait_until_in_sync(&replica);
        let sentinels = (0..SENTINELS).map(|_| sentinel(master.port())).collect();
        let set = Self { master, replica, sentinels };
        for (port, ..) in &set.sentinels {
            wait_until("the Sentinels know each other and the replica", LIMIT, || {
                let agreed = cli(*port, &["SENTINEL", "CKQUORUM", MASTER]).contains("3 usable");
                (agreed && !cli(*port, &["SENTINEL", "REPLICAS", MASTER]).is_empty()).then_some(())
            });
        }
        set
    }

    /// The URL that names the Sentinels.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.sentinels.iter().map(|(port, ..)| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/{MASTER}", hosts.join(","))
    }

    /// The replica.
    pub fn replica(&self) -> &RedisServer {
        &self.replica
    }

    /// Stops the replication. Later writes are lost in a failover.
    pub fn stop_replication(&self) {
        self.master.cli(&["ACL", "SETUSER", "default", "-psync", "-sync"]);
        self.master.cli(&["CLIENT", "KILL", "TYPE", "replica"]);
    }

    /// Kills the master, as a crash does. The Sentinels promote the replica.
    pub fn kill_master(&mut self) {
        self.master.kill();
    }

    /// Blocks until the replica is the master.
    pub fn wait_failed_over(&self) {
        wait_until_promoted(&self.replica);
    }
}

fn sentinel(master: u16) -> (u16, TempDir, ChildGuard) {
    let (folder, port) = (temporary_folder("sentinel"), free_port());
    let file = folder.path().join("sentinel.conf");
    let settings = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {MASTER} 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}\nsentinel failover-timeout {MASTER} 3000\n",
        folder.path().display()
    );
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new("redis-server");
    command.arg(&file).arg("--sentinel").stdout(Stdio::null());
    (port, folder, spawn_guarded(command, libc::SIGTERM))
}

/// Three masters that share the slots, and a replica of the first master.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    replica: RedisServer,
}

impl RedisCluster {
    /// Starts the cluster and waits until it is complete and in sync.
    pub fn start() -> Self {
        let nodes: Vec<_> = (0..3).map(|_| node()).collect();
        let replica = node();
        for (i, (node, slots)) in nodes.iter().zip([("0", "5460"), ("5461", "10922"), ("10923", "16383")]).enumerate() {
            node.0.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &(i + 1).to_string()]);
            node.0.cli(&["CLUSTER", "ADDSLOTSRANGE", slots.0, slots.1]);
        }
        for (server, bus) in nodes[1..].iter().chain([&replica]) {
            nodes[0].0.cli(&["CLUSTER", "MEET", "127.0.0.1", &server.port().to_string(), bus]);
        }
        for (server, _) in nodes.iter().chain([&replica]) {
            wait_until("the cluster is complete", LIMIT, || {
                let info = server.cli(&["CLUSTER", "INFO"]);
                (info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:4")).then_some(())
            });
        }
        let first = nodes[0].0.cli(&["CLUSTER", "MYID"]);
        wait_until("the replica is one", LIMIT, || {
            (replica.0.cli(&["CLUSTER", "REPLICATE", &first]) == "OK").then_some(())
        });
        wait_until_in_sync(&replica.0);
        let nodes: Vec<_> = nodes.into_iter().map(|(server, _)| server).collect();
        for node in &nodes {
            let port = replica.0.port().to_string();
            wait_until("all nodes know the replica", LIMIT, || {
                node.cli(&["CLUSTER", "SLOTS"]).contains(&port).then_some(())
            });
        }
        Self { nodes, replica: replica.0 }
    }

    /// The URL that names the masters.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// A key prefix in a slot of the first master.
    pub fn prefix(&self) -> String {
        wait_until("a prefix belongs to the first master", LIMIT, || {
            let prefix = crate::unique("queue");
            let slot: u16 = self.nodes[0].cli(&["CLUSTER", "KEYSLOT", &format!("{{{prefix}}}")]).parse().unwrap();
            (slot <= 5_460).then_some(prefix)
        })
    }

    /// Performs a failover between the first node and its partner. Nothing may be written meanwhile.
    pub fn fail_over(&self) {
        let (old, new) =
            if is_master(&self.replica) { (&self.replica, &self.nodes[0]) } else { (&self.nodes[0], &self.replica) };
        wait_until_in_sync(new);
        // TAKEOVER needs no vote: the other masters would refuse a second failover within two seconds.
        new.cli(&["CLUSTER", "FAILOVER", "TAKEOVER"]);
        wait_until_promoted(new);
        wait_until("the old master knows the new one", LIMIT, || (!is_master(old)).then_some(()));
    }

    /// Kills the first master, as a crash does. The other masters promote its replica.
    pub fn kill_first(&mut self) {
        self.nodes[0].kill();
    }

    /// Blocks until the replica is a master.
    pub fn wait_failed_over(&self) {
        wait_until_promoted(&self.replica);
    }
}

/// A node without connections to other nodes, and its cluster bus port.
fn node() -> (RedisServer, String) {
    let bus = free_port().to_string();
    let options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", &bus];
    (RedisServer::start_with(&[&NO_SYNC_DELAY[..], &options].concat()), bus)
}

fn wait_until_in_sync(replica: &RedisServer) {
    wait_until("the replica is in sync", LIMIT, || {
        replica.cli(&["INFO", "replication"]).contains("master_link_status:up").then_some(())
    });
}

fn wait_until_promoted(replica: &RedisServer) {
    wait_until("the replica is the master", LIMIT, || is_master(replica).then_some(()));
}

fn is_master(node: &RedisServer) -> bool {
    node.cli(&["ROLE"]).starts_with("master")
}
