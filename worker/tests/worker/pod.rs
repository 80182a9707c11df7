//! The deletion cost of a worker's pod. A socket stands in for the API server of Kubernetes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use trainyard_domain::JobStatus;
use trainyard_testkit::eventually;
use trainyard_worker::WorkerConfig;

use crate::harness::{Harness, WAIT_THEN_TRAIN};

/// A request: request line, lower-case headers, and the cost in the body.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    headers: String,
    cost: String,
}

/// Answers the n-th request with `status(n)`, and records the requests.
async fn api_server(status: fn(usize) -> u16) -> (String, Arc<Mutex<Vec<Request>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            answer(stream, status, &log).await;
        }
    });
    (url, requests)
}

async fn answer(stream: TcpStream, status: fn(usize) -> u16, log: &Mutex<Vec<Request>>) {
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
        log.push(Request { line: line.trim().to_owned(), headers, cost: cost.to_owned() });
        status(log.len())
    };
    let text = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
    stream.write_all(text.as_bytes()).await.unwrap();
}

fn in_pod(harness: &Harness, url: String) -> WorkerConfig {
    let account = harness.folder.path().join("serviceaccount");
    std::fs::create_dir(&account).unwrap();
    std::fs::write(account.join("namespace"), "lab\n").unwrap();
    std::fs::write(account.join("token"), "first\n").unwrap();
    WorkerConfig {
        pod_name: "worker-7d9f-x2x".into(),
        pod_cost_lower_after_s: 0,
        kubernetes_url: url,
        kubernetes_account_dir: account,
        ..harness.config()
    }
}

async fn until_cost(requests: &Mutex<Vec<Request>>, cost: &str) -> Request {
    eventually(&format!("the cost is {cost}"), Duration::from_secs(60), async || {
        requests.lock().unwrap().last().filter(|requests| requests.cost == cost).cloned()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_worker_costs_more_to_delete_than_an_idle_one() {
    let harness = Harness::new().await;
    let (url, requests) = api_server(|_| 200).await;
    let config = in_pod(&harness, url);
    let token = config.kubernetes_account_dir.join("token");
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&harness.script("wait", WAIT_THEN_TRAIN), config));
    let idle = until_cost(&requests, "0").await;
    assert_eq!(idle.line, "PATCH /api/v1/namespaces/lab/pods/worker-7d9f-x2x HTTP/1.1");
    assert!(idle.headers.contains("content-type: application/merge-patch+json"), "{idle:?}");
    assert!(idle.headers.contains("authorization: bearer first"), "{idle:?}");
    let id = harness.submit_named("demo").await;
    until_cost(&requests, "100").await;
    // Kubernetes replaces tokens while the process runs.
    std::fs::write(token, "second").unwrap();
    harness.go();
    harness.until_status(id, JobStatus::Succeeded).await;
    let idle = until_cost(&requests, "0").await;
    assert!(idle.headers.contains("authorization: bearer second"), "{idle:?}");
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_is_retried_and_delays_no_job() {
    let harness = Harness::new().await;
    let (url, requests) = api_server(|request| if request < 3 { 403 } else { 200 }).await;
    let (sweep, worker) =
        (harness.sweep("s"), harness.worker(&harness.script("wait", WAIT_THEN_TRAIN), in_pod(&harness, url)));
    let id = harness.submit_named("demo").await;
    harness.written("waiting").await;
    until_cost(&requests, "100").await;
    harness.go();
    harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
}
