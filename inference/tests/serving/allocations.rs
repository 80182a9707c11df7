//! The number of allocations of a request, from the socket to the answer, compared with a bare route on the same server.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use trainyard_http::ServerConfig;

use crate::environment::Environment;
use crate::models::{passengers, progression, survival};

/// The system's allocator, which also counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // While a thread ends, its count is already gone.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the rules of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Maximum number of allocations of a request in addition to those of the bare route.
const MAX_BEYOND_BARE: u64 = 40;

/// The smallest number of allocations of one of many equal requests on one connection. The server runs on the thread of the
/// test, and the client allocates nothing.
async fn fewest_allocations(url: &str, token: &str, body: &Value) -> u64 {
    let address = url.strip_prefix("http://").unwrap();
    let body = body.to_string();
    let request = format!(
        "POST /inference HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
        content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut received = [0; 4096];
    let mut fewest = u64::MAX;
    for _ in 0..100 {
        let before = ALLOCATIONS.get();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut length = 0;
        while !received[..length].ends_with(b"}") {
            length += stream.read(&mut received[length..]).await.unwrap();
        }
        fewest = fewest.min(ALLOCATIONS.get() - before);
        assert!(received.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&received[..length]));
    }
    fewest
}

/// Serves a route that reads the body and answers with a constant.
async fn bare_route(stop: CancellationToken) -> String {
    let router = Router::new().route("/inference", post(|_: Bytes| async { r#"{"prob":0.5}"# }));
    let server: ServerConfig = trainyard_testkit::default_settings("server");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(trainyard_http::serve::serve(listener, router, stop, Duration::ZERO, server.connections()));
    url
}

#[tokio::test]
async fn a_request_allocates_little_more_than_a_bare_route() {
    let environment = Environment::new().await;
    environment.publish("m", survival(1)).await;
    environment.publish("n", progression()).await;
    let role = environment.serve().await;
    let stop = CancellationToken::new();
    let bare_url = bare_route(stop.clone()).await;
    let row = json!({"model": "m", "features": {"sex": "female", "age": 29, "pclass": 1}});
    let bare = fewest_allocations(&bare_url, &role.token, &row).await;
    let one = fewest_allocations(&role.url, &role.token, &row).await;
    let numbers = json!({"model": "n", "features": {"bmi": 0.06, "bp": 0.02, "s5": 0.01}});
    let of_numbers = fewest_allocations(&role.url, &role.token, &numbers).await;
    assert_eq!(one, of_numbers, "texts and numbers are read without allocations");
    assert!(bare > 0 && one <= bare + MAX_BEYOND_BARE, "{one} allocations; the bare route has {bare}");
    // The path for all other requests allocates for each row.
    let many = json!({"model": "m", "instances": passengers()[..20]});
    assert!(fewest_allocations(&role.url, &role.token, &many).await > one + 40);
    stop.cancel();
}
