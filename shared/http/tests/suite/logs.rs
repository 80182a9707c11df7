//! The log lines of a request.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use axum::body::Body;
use http::header::AUTHORIZATION;
use serde_json::Value;
use trainyard_domain::Role;
use uuid::Uuid;

use crate::support::{app, request, send, token};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One log for the test process, since callsites cache the first subscriber. Tests select lines by request id.
static LOG: LazyLock<Sink> = LazyLock::new(|| {
    let sink = Sink::default();
    let writer = sink.clone();
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(tracing::Level::DEBUG);
    tracing::subscriber::set_global_default(lines.with_writer(move || writer.clone()).finish()).unwrap();
    sink
});

/// The lines logged while `path` is called by an admin.
async fn lines_of(path: &str) -> Vec<Value> {
    let log = &*LOG;
    let id = Uuid::now_v7().to_string();
    let call = request("GET", path)
        .header(AUTHORIZATION, format!("Bearer {}", token(Role::Admin)))
        .header("x-request-id", &id)
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    send(app(), call.body(Body::empty()).unwrap()).await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["span"]["request_id"] == id).collect()
}

#[tokio::test]
async fn each_request_has_one_access_log_line() {
    let lines = lines_of("/me?token=secret").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!((&line["level"], &line["status"], &line["route"]), (&"INFO".into(), &200.into(), &"/me".into()));
    assert_eq!(line["span"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(Uuid::parse_str(line["span"]["user_id"].as_str().unwrap()).is_ok());
    assert!(line["duration_ms"].is_f64());
    assert!(!line.to_string().contains("secret"), "the log contains no query string");
}

#[tokio::test]
async fn a_failure_of_the_server_is_logged_once_with_its_cause() {
    let lines = lines_of("/broken").await;
    let failed: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(failed.len(), 1, "{lines:?}");
    assert!(failed[0].to_string().contains("SELECT * FROM users failed"));
}

#[tokio::test]
async fn a_client_error_is_not_logged_as_a_failure() {
    let lines = lines_of("/things/none").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["level"], "INFO");
}
