//! The inference role under load: thousands of connections, slow clients, and hundreds of reloads.

use std::io::ErrorKind::WouldBlock;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trainyard_testkit::{Stack, System};

use crate::support::{BINARY, quick_job};

/// Connections that a client opens, if the limit on open files allows them.
const CONNECTIONS: u64 = 10_000;
/// File descriptors that the test needs besides.
const OTHER_FILES: u64 = 1_000;
/// The number of connections that the test opens before it waits until they are accepted; less than the backlog of the listener.
const BURST: u64 = 1_000;
/// Maximum memory of a connection without a complete request, in bytes. In HTTP/1 it is the state of hyper with the start of
/// its buffer.
const MAX_BYTES_PER_CONNECTION: f64 = 32e3;
/// Maximum time of a prediction while the connections are open.
const MAX_PREDICTION_TIME: Duration = Duration::from_secs(2);
const RELOADS: u32 = 300;
/// Maximum growth of the process' memory by all reloads. Each version that stayed in memory would add a third of this.
const MAX_GROWTH_BYTES: f64 = 8e6;

fn start(settings: &[(&str, &str)]) -> System {
    let start = || System::start_with(BINARY, Stack::Embedded, 0, settings);
    std::thread::scope(|scope| scope.spawn(start).join().unwrap())
}

/// The resident memory of the process in bytes, without that of files.
fn memory(system: &System) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", system.pid(0))).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"));
    value.unwrap().parse::<f64>().unwrap() * 1024.0
}

fn request(name: &str) -> Value {
    json!({"model": name, "features": {"sex": "male", "age": 40, "pclass": 3}})
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_idle_and_slow_connections_leave_the_pool_answering() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let count = limit.maximum.map_or(CONNECTIONS, |most| CONNECTIONS.min(most.saturating_sub(OTHER_FILES)));
    // The limits on slow clients have tests of their own. Here the slow clients stay.
    let system = start(&[
        ("TRAINYARD__SERVER__MAX_CONNECTIONS", "11000"),
        ("TRAINYARD__SERVER__MAX_CONNECTIONS_PER_ADDRESS", "11000"),
        ("TRAINYARD__SERVER__HEAD_TIMEOUT_S", "300"),
        ("TRAINYARD__SERVER__BODY_PAUSE_S", "300"),
        ("TRAINYARD__SERVER__BODY_MIN_BYTES_PER_S", "0"),
    ]);
    let admin = system.client().admin().await;
    admin.trained(quick_job("titanic-rf")).await;
    admin.served(request("titanic-rf"), &json!(1)).await;
    let before = memory(&system);

    let address = admin.inference_url().strip_prefix("http://").unwrap();
    let head = format!("POST /inference HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {}\r\n", admin.token());
    let body = format!("{head}content-type: application/json\r\ncontent-length: 60000\r\n\r\n{{\"features\":");
    let mut clients = Vec::new();
    for i in 0..count {
        let mut client = TcpStream::connect(address).await.unwrap();
        let sent = match i % 10 {
            0 => body.as_bytes(),
            1 => head.as_bytes(),
            _ => b"",
        };
        client.write_all(sent).await.unwrap();
        clients.push(client);
        if i % BURST == 0 {
            // Connections are accepted in order: after this answer, all earlier connections have been accepted.
            let mut last = TcpStream::connect(address).await.unwrap();
            last.write_all(b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
            last.read_exact(&mut [0; 8]).await.unwrap();
        }
    }
    for _ in 0..50 {
        let answer = tokio::time::timeout(MAX_PREDICTION_TIME, admin.infer(request("titanic-rf"))).await;
        answer.expect("the connections block the pool").expect(200);
    }
    let still_open = |client: &TcpStream| matches!(client.try_read(&mut [0]), Err(error) if error.kind() == WouldBlock);
    assert!(clients.iter().all(still_open));
    let bytes = (memory(&system) - before) / count as f64;
    assert!(bytes < MAX_BYTES_PER_CONNECTION, "each of {count} connections takes {bytes} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_reloads_leave_the_memory_flat() {
    let system = start(&[]);
    let admin = system.client().admin().await;
    for seed in 0..2 {
        let mut job = quick_job("large");
        (job["params"], job["seed"]) = (json!({"n_trees": 500}), json!(seed));
        admin.trained(job).await;
    }
    let promote = async |reload: u32| {
        let version = json!(1 + reload % 2);
        admin.put("/models/large/aliases/production", json!({"version": version})).await.expect(200);
        admin.served(request("large"), &version).await;
    };
    // The first reloads fill buffers and start threads.
    for reload in 1..=50 {
        promote(reload).await;
    }
    let before = memory(&system);
    for reload in 51..=50 + RELOADS {
        promote(reload).await;
    }
    let growth = memory(&system) - before;
    assert!(growth < MAX_GROWTH_BYTES, "{RELOADS} reloads took {growth} bytes");
}
