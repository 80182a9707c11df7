//! Slow bodies, and bodies in an unsupported encoding.

use std::time::Duration;

use axum::body::Body;
use futures::{StreamExt, stream};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use trainyard_http::body::Pace;
use trainyard_http::routes::Limits;

use crate::sockets::{read_all, start_with};
use crate::support::{Answer, app, app_with, request, send, settings};

const LONG: Duration = Duration::from_secs(20);

fn pace(pause_ms: u64, min_bytes_per_s: u64) -> Limits {
    Limits { pace: Pace { pause: Duration::from_millis(pause_ms), min_bytes_per_s }, ..settings().requests() }
}

async fn order(limits: Limits, body: Body) -> Answer {
    let request = request("POST", "/orders").header(CONTENT_TYPE, "application/json").body(body).unwrap();
    timeout(LONG, send(app_with(limits), request)).await.expect("the server still waits for the body")
}

/// Spaces, one every 20 ms of the paused clock, and then a JSON object.
fn drip(count: usize) -> Body {
    let ticks = interval(Duration::from_millis(20));
    let spaces = stream::unfold(ticks, |mut ticks| async {
        ticks.tick().await;
        Some((Ok::<_, std::io::Error>(" "), ticks))
    });
    Body::from_stream(spaces.take(count).chain(stream::iter([Ok(r#"{"name":"n"}"#)])))
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_is_408() {
    let stopped = stream::iter([Ok::<_, std::io::Error>("{")]).chain(stream::pending());
    let answer = order(pace(50, 0), Body::from_stream(stopped)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "request_timeout"));
    assert_eq!(answer.header("connection"), "close");
}

#[tokio::test(start_paused = true)]
async fn a_body_below_the_minimum_rate_is_408_and_a_slow_one_above_it_is_accepted() {
    let trickle = order(pace(200, 500), drip(1_000)).await;
    assert_eq!((trickle.status, trickle.problem().as_str()), (408, "request_timeout"));
    assert_eq!(order(pace(200, 0), drip(20)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_incomplete_at_the_time_limit_is_408() {
    let limits = Limits { timeout_s: 1, ..pace(20_000, 0) };
    let answer = order(limits, drip(1_000)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "request_timeout"));
}

#[tokio::test]
async fn a_slow_body_over_a_socket_is_answered_and_the_connection_closed() {
    let server = start_with(app_with(pace(100, 0)), Duration::ZERO, settings().connections()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /orders HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{";
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = timeout(LONG, read_all(&mut client)).await.expect("the connection is still open");
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"), "{answer}");
}

#[tokio::test]
async fn an_encoded_body_is_415_with_the_supported_encodings() {
    for encoding in ["gzip", "br", "gzip, identity", &"x".repeat(10_000)] {
        let request = request("POST", "/orders").header(CONTENT_TYPE, "application/json");
        let answer = send(app(), request.header(CONTENT_ENCODING, encoding).body(Body::from("{}")).unwrap()).await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "unsupported_media_type"), "{encoding}");
        assert_eq!(answer.header(ACCEPT_ENCODING.as_str()), "identity");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("Content-Encoding") && detail.contains("identity") && detail.len() < 300, "{detail}");
    }
    let plain =
        request("POST", "/orders").header(CONTENT_TYPE, "application/json").header(CONTENT_ENCODING, "Identity");
    assert_eq!(send(app(), plain.body(Body::from(r#"{"name":"n"}"#)).unwrap()).await.status, 200);
}
