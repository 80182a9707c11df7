//! A worker in Kubernetes marks its pod while it is busy. The API server here is a socket that answers as one would.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use trainyard_domain::JobStatus;
use trainyard_testkit::eventually;
use trainyard_worker::WorkerConfig;

use crate::yard::{WAIT_THEN_TRAIN, Yard};

/// What the server was asked: request line, headers in small letters, body.
#[derive(Clone, Debug)]
struct Asked {
    line: String,
    headers: String,
    cost: String,
}

/// Answers every request with the status that `status` gives for its number, and keeps what was asked.
async fn api_server(status: fn(usize) -> u16) -> (String, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            answer(stream, status, &log).await;
        }
    });
    (url, asked)
}

async fn answer(stream: TcpStream, status: fn(usize) -> u16, log: &Mutex<Vec<Asked>>) {
    let mut stream = BufReader::new(stream);
    let (mut line, mut headers) = (String::new(), String::new());
    stream.read_line(&mut line).await.unwrap();
    while !headers.ends_with("\r\n\r\n") {
        stream.read_line(&mut headers).await.unwrap();
    }
    let headers = headers.to_lowercase();
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let cost = body["metadata"]["annotations"]["controller.kubernetes.io/pod-deletion-cost"].as_str().unwrap();
    let status = {
        let mut log = log.lock().unwrap();
        log.push(Asked { line: line.trim().to_owned(), headers, cost: cost.to_owned() });
        status(log.len())
    };
    let text = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
    stream.write_all(text.as_bytes()).await.unwrap();
}

fn in_pod(yard: &Yard, url: String) -> WorkerConfig {
    let account = yard.folder.path().join("serviceaccount");
    std::fs::create_dir(&account).unwrap();
    std::fs::write(account.join("namespace"), "lab\n").unwrap();
    std::fs::write(account.join("token"), "first\n").unwrap();
    WorkerConfig {
        pod_name: "worker-7d9f-x2x".into(),
        pod_cost_lower_after_s: 0,
        kubernetes_url: url,
        kubernetes_account_dir: account,
        ..yard.config()
    }
}

async fn until_cost(asked: &Mutex<Vec<Asked>>, cost: &str) -> Asked {
    eventually(&format!("the cost is {cost}"), Duration::from_secs(60), async || {
        asked.lock().unwrap().last().filter(|asked| asked.cost == cost).cloned()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_worker_costs_more_to_delete_than_an_idle_one() {
    let yard = Yard::new().await;
    let (url, asked) = api_server(|_| 200).await;
    let config = in_pod(&yard, url);
    let token = config.kubernetes_account_dir.join("token");
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&yard.script("wait", WAIT_THEN_TRAIN), config));
    let idle = until_cost(&asked, "0").await;
    assert_eq!(idle.line, "PATCH /api/v1/namespaces/lab/pods/worker-7d9f-x2x HTTP/1.1");
    assert!(idle.headers.contains("content-type: application/merge-patch+json"), "{idle:?}");
    assert!(idle.headers.contains("authorization: bearer first"), "{idle:?}");
    let id = yard.submit_named("demo").await;
    until_cost(&asked, "100").await;
    // Kubernetes replaces tokens while the process runs.
    std::fs::write(token, "second").unwrap();
    yard.go();
    yard.until_status(id, JobStatus::Succeeded).await;
    let idle = until_cost(&asked, "0").await;
    assert!(idle.headers.contains("authorization: bearer second"), "{idle:?}");
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_refuses_is_asked_again_and_holds_up_nothing() {
    let yard = Yard::new().await;
    let (url, asked) = api_server(|request| if request < 3 { 403 } else { 200 }).await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&yard.script("wait", WAIT_THEN_TRAIN), in_pod(&yard, url)));
    let id = yard.submit_named("demo").await;
    yard.written("waiting").await;
    until_cost(&asked, "100").await;
    yard.go();
    yard.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
}
