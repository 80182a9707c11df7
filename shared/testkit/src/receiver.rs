//! A receiver of webhooks and spans: an HTTP server that stores requests and sends configured replies.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::wait::eventually;

/// A running receiver. The default reply is 204.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    received: Vec<Received>,
    replies: VecDeque<Reply>,
}

/// The reply to one request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// This status.
    Status(u16),
    /// This status and a header.
    Header(u16, &'static str, String),
    /// Status 200 and this body.
    Body(Vec<u8>),
    /// No reply: the request stays open until the client closes it.
    Hang,
}

/// A received request.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path.
    pub path: String,
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
    /// The body.
    pub bytes: Bytes,
}

impl Receiver {
    /// Starts a receiver on a free loopback port.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let state = receiver.state.clone();
        std::thread::spawn(move || serve(listener, &state));
        receiver
    }

    /// The URL with this path, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sets the replies to the next requests.
    pub fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().replies.extend(replies);
    }

    /// All received requests.
    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// Waits for at least `count` requests and returns all of them.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let what = format!("the receiver has received {count} requests");
        eventually(&what, Duration::from_secs(120), async || Some(self.received()).filter(|all| all.len() >= count))
            .await
    }
}

impl Received {
    /// The value of a header; empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Returns the body after verifying the signature with `secret` and the timestamp, by the rules of Standard
    /// Webhooks. Panics if they are invalid. Implements HMAC itself (RFC 2104), independently of the sender's code.
    pub fn verified(&self, secret: &str) -> Value {
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(timestamp.parse::<u64>().unwrap().abs_diff(now) < 300, "{self:?}");
        assert!(!id.is_empty() && self.header("content-type") == "application/json", "{self:?}");
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert!(key.len() <= 64, "a longer key would be hashed first");
        let pad = |byte: u8| (0..64).map(|i| key.get(i).unwrap_or(&0) ^ byte).collect::<Vec<u8>>();
        let signed = format!("{id}.{timestamp}.{}", self.body);
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(signed).finalize();
        let tag = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
        let expected = format!("v1,{}", STANDARD.encode(tag));
        let signatures = self.header("webhook-signature");
        assert!(signatures.split(' ').any(|signature| signature == expected), "{expected} is not in {self:?}");
        serde_json::from_str(&self.body).unwrap()
    }
}

fn serve(listener: std::net::TcpListener, state: &Arc<Mutex<State>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            let Ok((socket, _)) = listener.accept().await else { continue };
            let state = state.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| answer(request, state.clone()));
                let connection = Builder::new(TokioExecutor::new());
                let _ = connection.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
}

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // An incomplete request is not stored.
    let Ok(body) = body.collect().await else { return std::future::pending().await };
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    };
    let bytes = body.to_bytes();
    let received = Received {
        path: head.uri.path().to_owned(),
        headers: head.headers.iter().map(header).collect(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
        bytes,
    };
    let reply = {
        let mut state = state.lock().unwrap();
        state.received.push(received);
        state.replies.pop_front().unwrap_or(Reply::Status(204))
    };
    let response = Response::builder();
    let (response, body) = match reply {
        Reply::Status(status) => (response.status(status), Vec::new()),
        Reply::Header(status, name, value) => (response.status(status).header(name, value), Vec::new()),
        Reply::Body(body) => (response, body),
        Reply::Hang => std::future::pending().await,
    };
    Ok(response.body(body.into()).unwrap())
}
