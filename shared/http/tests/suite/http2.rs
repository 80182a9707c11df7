//! HTTP/2 by raw frames: clients that misuse a connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{interval, timeout};
use trainyard_http::serve::ServeLimits;

use crate::sockets::start_with;
use crate::support::settings;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM_AND_HEADERS: u8 = 0b101;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The reply to a PING of the server. Without replies the keep-alive timeout would close every connection here.
fn ping_reply(head: [u8; 9], payload: &[u8]) -> Option<Vec<u8>> {
    (head[3] == PING && head[4] & ACK == 0).then(|| frame(PING, ACK, 0, payload))
}

/// `GET http://t/`, encoded with the static table of HPACK.
fn request(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM_AND_HEADERS, stream, b"\x82\x84\x86\x41\x01t")
}

fn short() -> ServeLimits {
    ServeLimits { head_timeout: 2 * SHORT, idle_timeout: SHORT, write_timeout: SHORT, ..settings().connections() }
}

fn large() -> Router {
    static MEGABYTE: [u8; 1 << 20] = [b'x'; 1 << 20];
    Router::new().route("/", get(|| async { "small" })).route("/large", get(|| async { Bytes::from_static(&MEGABYTE) }))
}

struct Client(TcpStream);

impl Client {
    async fn connect(limits: ServeLimits, settings: &[u8]) -> Self {
        Self::connect_to(start_with(large(), Duration::ZERO, limits).await.address, settings).await
    }

    async fn connect_to(server: SocketAddr, settings: &[u8]) -> Self {
        let mut stream = TcpStream::connect(server).await.unwrap();
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
        if let Some(reply) = ping_reply(head, &payload) {
            let _ = self.0.write_all(&reply).await;
        }
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

    /// Sends `bytes` at short intervals until the connection is closed, and returns the kinds of the received frames. The
    /// intervals leave the server time to read the replies to its pings.
    async fn repeat(self, bytes: &[u8]) -> Vec<u8> {
        let (mut reader, mut writer) = self.0.into_split();
        let replies = Mutex::new(Vec::new());
        let take_replies = || std::mem::take(&mut *replies.lock().unwrap());
        let mut ticks = interval(SHORT / 10);
        let send = async {
            while writer.write_all(&[take_replies().as_slice(), bytes].concat()).await.is_ok() {
                ticks.tick().await;
            }
        };
        let listen = async {
            let (mut kinds, mut head) = (Vec::new(), [0; 9]);
            while reader.read_exact(&mut head).await.is_ok() {
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                let mut payload = vec![0; length];
                if reader.read_exact(&mut payload).await.is_err() {
                    break;
                }
                if let Some(reply) = ping_reply(head, &payload) {
                    replies.lock().unwrap().extend(reply);
                }
                if kinds.last() != Some(&head[3]) {
                    kinds.push(head[3]);
                }
            }
            kinds
        };
        timeout(LONG, async { tokio::join!(send, listen).1 }).await.expect("the connection is still open")
    }
}

#[tokio::test]
async fn a_connection_preface_selects_http2() {
    let mut client = Client::connect(settings().connections(), &[]).await;
    assert_eq!(client.next().await.unwrap().0, SETTINGS, "the server answers with its own SETTINGS");
    client.send(&request(1)).await;
    assert_eq!(client.until(DATA).await.unwrap(), b"small");
}

#[tokio::test]
async fn a_connection_that_only_pings_is_closed() {
    let mut client = Client::connect(short(), &[]).await;
    client.send(&request(1)).await;
    assert!(client.until(DATA).await.is_some());
    let kinds = client.repeat(&frame(PING, 0, 0, &[7; 8])).await;
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
    client.repeat(&frame(SETTINGS, 0, 0, &[])).await;
}

#[tokio::test]
async fn a_closed_window_closes_the_connection() {
    // SETTINGS_INITIAL_WINDOW_SIZE = 0
    let mut client = Client::connect(short(), &[0, 4, 0, 0, 0, 0]).await;
    let large = b"\x82\x04\x06/large\x86\x41\x01t";
    client.send(&frame(HEADERS, END_STREAM_AND_HEADERS, 1, large)).await;
    assert!(client.until(HEADERS).await.is_some());
    client.repeat(&frame(PING, 0, 0, &[7; 8])).await;
}

#[tokio::test]
async fn a_response_that_was_read_completely_does_not_count_as_waiting() {
    let event = Arc::new(Notify::new());
    let source = event.clone();
    let wait = move || {
        let source = source.clone();
        async move {
            source.notified().await;
            "event"
        }
    };
    let server = start_with(large().route("/event", get(wait)), Duration::ZERO, short()).await;
    // SETTINGS_INITIAL_WINDOW_SIZE and the window of the connection: two megabytes.
    let mut client = Client::connect_to(server.address, &[0, 4, 0, 0x20, 0, 0]).await;
    client.send(&frame(WINDOW_UPDATE, 0, 0, &[0, 0x20, 0, 0])).await;
    client.send(&frame(HEADERS, END_STREAM_AND_HEADERS, 1, b"\x82\x04\x06/large\x86\x41\x01t")).await;
    let mut bytes = 0;
    while bytes < 1 << 20 {
        bytes += client.until(DATA).await.unwrap().len();
    }
    client.send(&frame(HEADERS, END_STREAM_AND_HEADERS, 3, b"\x82\x04\x06/event\x86\x41\x01t")).await;
    // A silent connection is closed after the head timeout, which is longer than the write timeout.
    let silent = async { TcpStream::connect(server.address).await.unwrap().read_to_end(&mut Vec::new()).await };
    let later = async {
        timeout(LONG, silent).await.expect("the silent connection is still open").unwrap();
        event.notify_one();
    };
    let (data, ()) = tokio::join!(client.until(DATA), later);
    assert_eq!(data.expect("the connection was closed"), b"event");
}

#[tokio::test]
async fn many_reset_requests_close_the_connection() {
    let mut client = Client::connect(settings().connections(), &[]).await;
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
    // No reply to a ping is allowed within a header block.
    let closed = timeout(LONG, client.0.read_to_end(&mut Vec::new())).await;
    assert!(closed.is_ok(), "the connection is still open");
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
