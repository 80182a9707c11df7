//! HTTP/2 by raw frames: clients that misuse a connection.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use trainyard_http::serve::ServeLimits;

use crate::sockets::start_with;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const END_STREAM_AND_HEADERS: u8 = 0b101;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET http://t/`, encoded with the static table of HPACK.
fn request(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM_AND_HEADERS, stream, b"\x82\x84\x86\x41\x01t")
}

fn short() -> ServeLimits {
    ServeLimits { head_timeout: 2 * SHORT, idle_timeout: SHORT, write_timeout: SHORT, ..ServeLimits::default() }
}

fn large() -> Router {
    static MEGABYTE: [u8; 1 << 20] = [b'x'; 1 << 20];
    Router::new().route("/", get(|| async { "small" })).route("/large", get(|| async { Bytes::from_static(&MEGABYTE) }))
}

struct Client(TcpStream);

impl Client {
    async fn connect(limits: ServeLimits, settings: &[u8]) -> Self {
        let server = start_with(large(), Duration::ZERO, limits).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()).await.unwrap();
        Self(stream)
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The kind and the payload of the next frame; `None` once the connection is closed.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((head[3], payload))
    }

    async fn until(&mut self, kind: u8) -> Option<Vec<u8>> {
        loop {
            match self.next().await? {
                (found, payload) if found == kind => return Some(payload),
                _ => {}
            }
        }
    }

    /// Sends `bytes` repeatedly until the connection is closed, and returns the kinds of the received frames.
    async fn flood(self, bytes: &[u8]) -> Vec<u8> {
        let (mut reader, mut writer) = self.0.into_split();
        let flood = async { while writer.write_all(bytes).await.is_ok() {} };
        let listen = async {
            let (mut kinds, mut head) = (Vec::new(), [0; 9]);
            while reader.read_exact(&mut head).await.is_ok() {
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                let mut payload = vec![0; length];
                if reader.read_exact(&mut payload).await.is_err() {
                    break;
                }
                if kinds.last() != Some(&head[3]) {
                    kinds.push(head[3]);
                }
            }
            kinds
        };
        timeout(LONG, async { tokio::join!(flood, listen).1 }).await.expect("the connection is still open")
    }
}

#[tokio::test]
async fn a_connection_preface_selects_http2() {
    let mut client = Client::connect(ServeLimits::default(), &[]).await;
    assert_eq!(client.next().await.unwrap().0, SETTINGS, "the server answers with its own SETTINGS");
    client.send(&request(1)).await;
    assert_eq!(client.until(DATA).await.unwrap(), b"small");
}

#[tokio::test]
async fn a_connection_that_only_pings_is_closed() {
    let mut client = Client::connect(short(), &[]).await;
    client.send(&request(1)).await;
    assert!(client.until(DATA).await.is_some());
    let kinds = client.flood(&frame(PING, 0, 0, &[7; 8])).await;
    assert!(kinds.contains(&PING), "{kinds:?}");
}

#[tokio::test]
async fn an_idle_connection_gets_goaway() {
    let mut client = Client::connect(short(), &[]).await;
    client.send(&request(1)).await;
    let goaway = timeout(LONG, client.until(GOAWAY)).await.unwrap().expect("a GOAWAY frame");
    assert_eq!(goaway[7], 0, "NO_ERROR");
}

#[tokio::test]
async fn a_connection_that_only_sends_settings_is_closed() {
    let client = Client::connect(short(), &[]).await;
    client.flood(&frame(SETTINGS, 0, 0, &[])).await;
}

#[tokio::test]
async fn a_closed_window_closes_the_connection() {
    // SETTINGS_INITIAL_WINDOW_SIZE = 0
    let mut client = Client::connect(short(), &[0, 4, 0, 0, 0, 0]).await;
    let large = b"\x82\x04\x06/large\x86\x41\x01t";
    client.send(&frame(HEADERS, END_STREAM_AND_HEADERS, 1, large)).await;
    assert!(client.until(HEADERS).await.is_some());
    client.flood(&frame(PING, 0, 0, &[7; 8])).await;
}

#[tokio::test]
async fn many_reset_requests_close_the_connection() {
    let mut client = Client::connect(ServeLimits::default(), &[]).await;
    let cancel = 8_u32.to_be_bytes();
    let resets = (0..2_000).flat_map(|i| [request(2 * i + 1), frame(RST_STREAM, 0, 2 * i + 1, &cancel)].concat());
    let resets: Vec<_> = resets.collect();
    // The server may close the connection before it has read all frames.
    let _ = client.0.write_all(&resets).await;
    let goaway = timeout(LONG, client.until(GOAWAY)).await.unwrap().expect("a GOAWAY frame");
    assert_eq!(goaway[7], 0xb, "ENHANCE_YOUR_CALM");
}

#[tokio::test]
async fn an_endless_header_block_closes_the_connection() {
    let mut client = Client::connect(short(), &[]).await;
    client.send(&frame(HEADERS, 0, 1, b"\x82\x84")).await;
    let closed = async { while client.next().await.is_some() {} };
    timeout(LONG, closed).await.expect("the connection is still open");
}

#[tokio::test]
async fn large_concurrent_responses_arrive_completely() {
    let server = start_with(large(), Duration::ZERO, short()).await;
    trainyard_tls::install_provider();
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}/large", server.address);
    let get = || async { client.get(&url).send().await.unwrap().bytes().await.unwrap().len() };
    assert_eq!(tokio::join!(get(), get(), get()), (1 << 20, 1 << 20, 1 << 20));
}
