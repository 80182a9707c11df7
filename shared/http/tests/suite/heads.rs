//! Invalid request heads over a socket.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::sockets::{Running, read_all, start_with};
use crate::support::{app, settings};

const LONG: Duration = Duration::from_secs(20);

async fn server() -> Running {
    start_with(app(), Duration::ZERO, settings().connections()).await
}

/// The response of `server` to these bytes, up to the end of the connection.
async fn exchange(server: &Running, bytes: &[u8]) -> String {
    let mut client = TcpStream::connect(server.address).await.unwrap();
    // The server may respond and close the connection before it has read everything.
    let _ = client.write_all(bytes).await;
    timeout(LONG, read_all(&mut client)).await.expect("the connection is still open")
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[tokio::test]
async fn a_request_needs_exactly_one_valid_host() {
    let server = server().await;
    let get = |head: &str| format!("GET /numbers?limit=1 {head}connection: close\r\n\r\n");
    for (head, expected) in [
        ("HTTP/1.1\r\n", "400"),
        ("HTTP/1.1\r\nhost: a.example\r\nhost: b.example\r\n", "400"),
        ("HTTP/1.1\r\nhost: a.example\r\nhost: a.example\r\n", "400"),
        ("HTTP/1.1\r\nhost: a.example/x\r\n", "400"),
        ("HTTP/1.1\r\nhost: me@a.example\r\n", "400"),
        ("HTTP/1.1\r\nhost: a.example\r\n", "200"),
        ("HTTP/1.1\r\nhost: [::1]:8080\r\n", "200"),
        ("HTTP/1.1\r\nhost:\r\n", "200"),
        ("HTTP/1.0\r\n", "200"),
    ] {
        let answer = exchange(&server, get(head).as_bytes()).await;
        assert_eq!(status(&answer), expected, "{head:?}: {answer}");
        if expected == "400" {
            assert!(answer.contains("application/problem+json") && answer.contains("x-request-id"), "{answer}");
            assert!(answer.contains("Host header"), "{answer}");
        }
    }
}

#[tokio::test]
async fn ambiguous_framing_never_reaches_a_second_request() {
    let server = server().await;
    let post = |head: &str, body: &str| {
        format!("POST /orders HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n{head}\r\n{body}")
    };
    let smuggled = "GET /numbers?limit=1 HTTP/1.1\r\nhost: t\r\n\r\n";
    for (head, body) in [
        ("content-length: 4\r\ncontent-length: 5\r\n", "{}"),
        ("content-length: 2\r\ntransfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked\r\ncontent-length: 2\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        ("transfer-encoding: gzip\r\n", "{}"),
        ("content-length: -1\r\n", "{}"),
        ("content-length: +2\r\n", "{}"),
        ("content-length: 99999999999999999999\r\n", "{}"),
        ("transfer-encoding: chunked\r\n", "zz\r\n{}\r\n"),
    ] {
        let answer = exchange(&server, (post(head, body) + smuggled).as_bytes()).await;
        assert!(!answer.contains("HTTP/1.1 200"), "{head:?}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4"), "{head:?}: {answer}");
    }
}

#[tokio::test]
async fn heads_are_bounded_in_fields_and_bytes() {
    let server = server().await;
    let many: String = (0..200).map(|i| format!("x-{i}: 1\r\n")).collect();
    let long = format!("x: {}\r\n", "x".repeat(100_000));
    for head in [many, long] {
        let answer = exchange(&server, format!("GET / HTTP/1.1\r\nhost: t\r\n{head}\r\n").as_bytes()).await;
        assert_eq!(status(&answer), "431", "{answer}");
    }
    let path = "p".repeat(100_000);
    let answer = exchange(&server, format!("GET /{path} HTTP/1.1\r\nhost: t\r\n\r\n").as_bytes()).await;
    assert!(["414", "431"].contains(&status(&answer)), "{answer}");
}

#[tokio::test]
async fn chunk_extensions_and_trailers_are_bounded() {
    let server = server().await;
    let head = "POST /orders HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    let extensions = format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(1 << 20));
    let trailers = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "x: 1\r\n".repeat(100_000));
    for body in [extensions, trailers] {
        let answer = exchange(&server, (head.to_owned() + &body).as_bytes()).await;
        assert!(!answer.contains("HTTP/1.1 200") && !answer.contains("HTTP/1.1 5"), "{answer}");
    }
}

#[tokio::test]
async fn head_options_and_trace_are_answered_safely() {
    let server = server().await;
    let call = |method: &str| {
        format!("{method} /numbers HTTP/1.1\r\nhost: t\r\nx-secret: hunter2\r\nconnection: close\r\n\r\n")
    };
    let head = exchange(&server, call("HEAD").as_bytes()).await;
    assert!(status(&head) == "200" && head.ends_with("\r\n\r\n") && head.contains("content-length"), "{head}");
    for method in ["OPTIONS", "TRACE", "PROPFIND"] {
        let answer = exchange(&server, call(method).as_bytes()).await;
        assert!(status(&answer) == "405" && answer.contains("allow: GET"), "{method}: {answer}");
        assert!(!answer.contains("hunter2"), "{answer}");
    }
    let connect = exchange(&server, b"CONNECT t:80 HTTP/1.1\r\nhost: t:80\r\nconnection: close\r\n\r\n").await;
    assert!(["404", "405"].contains(&status(&connect)), "{connect}");
}
