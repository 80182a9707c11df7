//! Redis on several servers: a master and a replica watched by Sentinels, and a cluster.

use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::folder::temporary_folder;
use crate::process::{Tied, free_port, spawn_tied};
use crate::redis::{RedisServer, cli};
use crate::wait::wait_until;

/// The name by which the Sentinels know the master.
const MASTER: &str = "yard";
const SENTINELS: usize = 3;
/// A server that is silent for so long is replaced.
const DOWN_AFTER_MS: &str = "500";
/// A master waits five seconds for further replicas otherwise.
const AT_ONCE: [&str; 2] = ["--repl-diskless-sync-delay", "0"];
const LIMIT: Duration = Duration::from_secs(30);

/// A master, a replica, and three Sentinels, two of which have to agree that the master is gone.
#[derive(Debug)]
pub struct RedisSentinels {
    master: RedisServer,
    replica: RedisServer,
    sentinels: Vec<(u16, TempDir, Tied)>,
}

impl RedisSentinels {
    /// Starts them; the answer is a set that can fail over.
    pub fn start() -> Self {
        let master = RedisServer::start_with(&AT_ONCE);
        let of_master = ["--replicaof", &format!("127.0.0.1 {}", master.port())];
        let replica = RedisServer::start_with(&[AT_ONCE, of_master].concat());
        in_step(&replica);
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

    /// The address that names the Sentinels.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.sentinels.iter().map(|(port, ..)| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/{MASTER}", hosts.join(","))
    }

    /// The server that takes over.
    pub fn replica(&self) -> &RedisServer {
        &self.replica
    }

    /// Cuts the replica off: what the master takes from now on is lost when it dies, as with any failover under load.
    pub fn stop_replication(&self) {
        self.master.cli(&["ACL", "SETUSER", "default", "-psync", "-sync"]);
        self.master.cli(&["CLIENT", "KILL", "TYPE", "replica"]);
    }

    /// Kills the master, as a crash would; the Sentinels see it and promote the replica.
    pub fn kill_master(&mut self) {
        self.master.kill();
    }

    /// Blocks until the replica is the master.
    pub fn wait_failed_over(&self) {
        promoted(&self.replica);
    }
}

fn sentinel(master: u16) -> (u16, TempDir, Tied) {
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
    (port, folder, spawn_tied(command, libc::SIGTERM))
}

/// Three masters that share the slots, and a replica of the first.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    replica: RedisServer,
}

impl RedisCluster {
    /// Starts it, complete and in step.
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
        in_step(&replica.0);
        let nodes: Vec<_> = nodes.into_iter().map(|(server, _)| server).collect();
        for node in &nodes {
            let port = replica.0.port().to_string();
            wait_until("all know the replica", LIMIT, || node.cli(&["CLUSTER", "SLOTS"]).contains(&port).then_some(()));
        }
        Self { nodes, replica: replica.0 }
    }

    /// The address that names the masters.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// A prefix for keys that the first master has.
    pub fn prefix(&self) -> String {
        wait_until("a prefix falls to the first master", LIMIT, || {
            let prefix = crate::unique("queue");
            let slot: u16 = self.nodes[0].cli(&["CLUSTER", "KEYSLOT", &format!("{{{prefix}}}")]).parse().unwrap();
            (slot <= 5_460).then_some(prefix)
        })
    }

    /// Has the first node and its partner, one of which is the master, change places. Nothing may be written meanwhile.
    pub fn change_places(&self) {
        let (old, new) =
            if is_master(&self.replica) { (&self.replica, &self.nodes[0]) } else { (&self.nodes[0], &self.replica) };
        in_step(new);
        // The other masters would vote for one change in two seconds and refuse the next: this asks none of them.
        new.cli(&["CLUSTER", "FAILOVER", "TAKEOVER"]);
        promoted(new);
        wait_until("the old master has heard of it", LIMIT, || (!is_master(old)).then_some(()));
    }

    /// Kills the first master, as a crash would; the others see it and promote its replica.
    pub fn kill_first(&mut self) {
        self.nodes[0].kill();
    }

    /// Blocks until the replica is a master.
    pub fn wait_failed_over(&self) {
        promoted(&self.replica);
    }
}

/// A node that knows no other, and the port where the others reach it.
fn node() -> (RedisServer, String) {
    let bus = free_port().to_string();
    let options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", &bus];
    (RedisServer::start_with(&[&AT_ONCE[..], &options].concat()), bus)
}

fn in_step(replica: &RedisServer) {
    wait_until("the replica is in step", LIMIT, || {
        replica.cli(&["INFO", "replication"]).contains("master_link_status:up").then_some(())
    });
}

fn promoted(replica: &RedisServer) {
    wait_until("the replica is the master", LIMIT, || is_master(replica).then_some(()));
}

fn is_master(node: &RedisServer) -> bool {
    node.cli(&["ROLE"]).starts_with("master")
}
