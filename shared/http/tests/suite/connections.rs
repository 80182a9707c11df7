//! Connections that are idle, slow or too many, and clients that do not read responses.

use std::io::ErrorKind::WouldBlock;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures::future::join_all;
use futures::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::time::{interval, timeout};
use trainyard_http::serve::{Exempt, ServeLimits};

use crate::sockets::{read_all, start_with};
use crate::support::{app, settings};

const SHORT: Duration = Duration::from_millis(300);
/// Much longer than every limit here, for slow machines.
const LONG: Duration = Duration::from_secs(20);
const GET: &[u8] = b"GET /numbers?limit=1 HTTP/1.1\r\nhost: t\r\n\r\n";

fn short() -> ServeLimits {
    ServeLimits { head_timeout: SHORT, idle_timeout: SHORT, write_timeout: SHORT, ..settings().connections() }
}

/// Waits until the server has closed `client`.
async fn closed(mut client: TcpStream) -> String {
    timeout(LONG, read_all(&mut client)).await.expect("the connection is still open")
}

async fn connect_from(local: &str, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(local.parse().unwrap(), 0)).unwrap();
    socket.connect(server).await.unwrap()
}

/// Whether the server answers on `client`.
async fn answers(client: &mut TcpStream) -> bool {
    let mut status = [0; 12];
    client.write_all(GET).await.is_ok() && client.read_exact(&mut status).await.is_ok() && &status[9..] == b"200"
}

#[tokio::test]
async fn two_thousand_silent_connections_and_half_prefaces_are_closed() {
    allow_open_files(5_000);
    let limits = ServeLimits { max_connections_per_address: 3_000, head_timeout: Duration::from_secs(1), ..short() };
    let server = start_with(app(), Duration::ZERO, limits).await;
    let mut clients = Vec::new();
    for i in 0..2_000 {
        let mut client = TcpStream::connect(server.address).await.unwrap();
        let sent: &[u8] = [b"".as_slice(), b"P", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\nx: "][i % 4];
        client.write_all(sent).await.unwrap();
        clients.push(client);
    }
    for answer in join_all(clients.into_iter().map(closed)).await {
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_is_answered_while_six_hundred_slow_ones_are_connected() {
    allow_open_files(5_000);
    let server = start_with(app(), Duration::ZERO, settings().connections()).await;
    let body = b"POST /orders HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{";
    let mut slow = Vec::new();
    for i in 0..600 {
        let mut client = TcpStream::connect(server.address).await.unwrap();
        let sent: &[u8] = [b"".as_slice(), b"GET /numbers HTTP/1.1\r\nx: ", body.as_slice()][i % 3];
        client.write_all(sent).await.unwrap();
        slow.push(client);
    }
    let mut client = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..20 {
        client.write_all(GET).await.unwrap();
        let answer = timeout(LONG, read_answer(&mut client)).await.expect("the slow clients block the server");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    // The limits for slow clients are longer than this test, so that all of them were still connected.
    let still_open = |client: &TcpStream| matches!(client.try_read(&mut [0]), Err(error) if error.kind() == WouldBlock);
    assert!(slow.iter().all(still_open));
}

/// One response with its body, whose length is declared.
async fn read_answer(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if let (Some(end), Some(length)) = (text.find("\r\n\r\n"), length)
            && answer.len() >= end + 4 + length
        {
            return text;
        }
        let mut part = vec![0; 4_096];
        let read = client.read(&mut part).await.unwrap();
        assert!(read > 0, "the connection is closed: {text}");
        answer.extend_from_slice(&part[..read]);
    }
}

fn allow_open_files(count: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.current.map(|current| current.max(count).min(limit.maximum.unwrap_or(u64::MAX)));
    setrlimit(Resource::Nofile, limit).unwrap();
}

#[tokio::test]
async fn a_client_that_sends_a_head_byte_by_byte_is_disconnected() {
    let server = start_with(app(), Duration::ZERO, short()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let (mut reader, mut writer) = client.split();
    let drip = async {
        let mut ticks = interval(SHORT / 10);
        let _ = writer.write_all(b"GET /numbers HTTP/1.1\r\nx: ").await;
        while writer.write_all(b"x").await.is_ok() {
            ticks.tick().await;
        }
    };
    let mut bytes = Vec::new();
    let ended = async { reader.read_to_end(&mut bytes).await };
    tokio::select! {
        () = drip => {}
        ended = timeout(LONG, ended) => assert!(ended.is_ok(), "the connection is still open"),
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_last_response() {
    let server = start_with(app(), Duration::ZERO, short()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(GET).await.unwrap();
    assert!(closed(client).await.starts_with("HTTP/1.1 200"));
}

/// Responses of one megabyte.
fn large() -> Router {
    static MEGABYTE: [u8; 1 << 20] = [b'x'; 1 << 20];
    Router::new().route("/", get(|| async { Bytes::from_static(&MEGABYTE) }))
}

#[tokio::test]
async fn a_client_that_does_not_read_responses_is_disconnected() {
    let server = start_with(large(), Duration::ZERO, short()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    // The server does not read while its writes wait, so the socket buffers fill up.
    let send = async { while client.write_all(b"GET / HTTP/1.1\r\nhost: t\r\n\r\n").await.is_ok() {} };
    timeout(LONG, send).await.expect("the server still waits for its client to read");
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_the_whole_response() {
    let server = start_with(large(), Duration::ZERO, short()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").await.unwrap();
    let (mut total, mut part, mut ticks) = (0, vec![0; 64 * 1024], interval(SHORT / 6));
    loop {
        ticks.tick().await;
        match client.read(&mut part).await.unwrap() {
            0 => break,
            read => total += read,
        }
    }
    assert!(total > 1 << 20, "{total}");
}

#[tokio::test]
async fn an_event_stream_without_events_stays_open() {
    let event = Arc::new(Notify::new());
    let source = event.clone();
    let events = move || {
        let source = source.clone();
        let later = async move {
            source.notified().await;
            Ok::<_, std::io::Error>("event")
        };
        async { Body::from_stream(stream::once(later)) }
    };
    let router = Router::new().route("/", get(events)).route("/numbers", get(|| async { "none" }));
    let server = start_with(router, Duration::ZERO, short()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    // Each of these connections is closed after the idle timeout, so every limit passes several times.
    for _ in 0..4 {
        let mut idle = TcpStream::connect(server.address).await.unwrap();
        idle.write_all(GET).await.unwrap();
        assert!(closed(idle).await.starts_with("HTTP/1.1 200"));
    }
    event.notify_one();
    let answer = closed(client).await;
    assert!(answer.contains("event"), "{answer}");
}

#[tokio::test]
async fn an_address_at_its_limit_does_not_block_another_one() {
    let limits = ServeLimits { max_connections_per_address: 2, ..settings().connections() };
    let server = start_with(app(), Duration::ZERO, limits).await;
    let mut first = connect_from("127.0.0.1", server.address).await;
    let mut second = connect_from("127.0.0.1", server.address).await;
    assert!(answers(&mut first).await && answers(&mut second).await);
    assert_eq!(closed(connect_from("127.0.0.1", server.address).await).await, "", "the third connection is closed");
    assert!(answers(&mut connect_from("127.0.0.2", server.address).await).await);
    drop(first);
    let admitted_again = async { while !answers(&mut connect_from("127.0.0.1", server.address).await).await {} };
    timeout(LONG, admitted_again).await.unwrap();
}

#[tokio::test]
async fn only_the_total_limits_a_proxy() {
    let exempt = Exempt::when(|address| address == std::net::Ipv4Addr::LOCALHOST);
    let limits = ServeLimits { max_connections_per_address: 1, max_connections: 3, exempt, ..settings().connections() };
    let server = start_with(app(), Duration::ZERO, limits).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut client = connect_from("127.0.0.1", server.address).await;
        assert!(answers(&mut client).await);
        open.push(client);
    }
    assert_eq!(closed(connect_from("127.0.0.2", server.address).await).await, "");
}
