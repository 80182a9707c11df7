//! Graceful shutdown and refused uploads, over a socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use trainyard_http::serve::{ServeLimits, serve};

use crate::support::{app, settings};

const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<std::io::Result<()>>,
}

async fn start(router: Router, deadline: Duration) -> Running {
    start_with(router, deadline, settings().connections()).await
}

pub(crate) async fn start_with(router: Router, deadline: Duration, limits: ServeLimits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let ended = tokio::spawn(serve(listener, router, stop.clone(), deadline, limits));
    Running { address, stop, ended }
}

/// A handler that notifies at its start and waits for a notification to finish.
fn blocked() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, outside) = (entered.clone(), release.clone());
    let handler = move || async move {
        inside.notify_one();
        outside.notified().await;
        "finished"
    };
    (Router::new().route("/", get(handler)), entered, release)
}

pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset also ends the stream.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_shutdown_waits_for_the_active_request() {
    let (router, entered, release) = blocked();
    let server = start(router, Duration::from_secs(30)).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    entered.notified().await;

    server.stop.cancel();
    let closed = timeout(LONG, read_all(&mut idle)).await.expect("the idle connection is still open");
    assert_eq!(closed, "");
    assert!(!server.ended.is_finished());

    release.notify_one();
    let answer = read_all(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"), "{answer}");
    timeout(LONG, server.ended).await.expect("the server still runs").unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "the listener is closed");
}

#[tokio::test]
async fn a_shutdown_ends_at_its_deadline() {
    let (router, entered, _release) = blocked();
    let server = start(router, Duration::from_millis(20)).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    entered.notified().await;
    server.stop.cancel();
    timeout(LONG, server.ended).await.expect("the server still runs").unwrap().unwrap();
    assert_eq!(read_all(&mut client).await, "");
}

#[tokio::test]
async fn a_refused_upload_is_answered_while_the_client_still_sends() {
    let server = start(app(), Duration::from_secs(1)).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let bytes = 6 * 1024 * 1024;
    let head = format!("POST /uploads HTTP/1.1\r\nhost: t\r\ncontent-length: {bytes}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    // Simple clients send the whole body before they read the response.
    client.write_all(&vec![b'x'; bytes]).await.unwrap();
    client.write_all(b"GET /numbers?limit=1 HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").await.unwrap();
    let answers = read_all(&mut client).await;
    assert!(answers.starts_with("HTTP/1.1 401"), "{answers}");
    assert!(answers.contains("HTTP/1.1 200"), "the connection stays open: {answers}");
}
