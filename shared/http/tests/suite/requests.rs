//! Request ids, traces, and failures of handlers.

use axum::body::Body;
use trainyard_telemetry::Metrics;

use crate::support::{app, get, request, send};

async fn with_header(name: &str, value: &str) -> crate::support::Answer {
    send(app(), request("GET", "/nowhere").header(name, value).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_valid_request_id_is_kept() {
    for id in ["a", "req-1.2_3", &"x".repeat(128)] {
        let answer = with_header("x-request-id", id).await;
        assert_eq!(answer.header("x-request-id"), id);
        assert_eq!(answer.json()["request_id"], id);
    }
}

#[tokio::test]
async fn an_invalid_request_id_is_replaced() {
    for id in ["", "two words", "ümlaut", "a/b", "<script>", &"x".repeat(129)] {
        let kept = with_header("x-request-id", id).await.header("x-request-id").to_owned();
        let made = uuid::Uuid::parse_str(&kept).unwrap_or_else(|_| panic!("{id} became {kept}"));
        assert_eq!(made.get_version_num(), 7);
    }
    assert_ne!(get("/numbers").await.header("x-request-id"), get("/numbers").await.header("x-request-id"));
}

#[tokio::test]
async fn a_trace_continues_with_a_new_span() {
    let sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = with_header("traceparent", sent).await;
    let echoed = answer.header("traceparent");
    assert!(echoed.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && echoed.ends_with("-01"), "{echoed}");
    assert_ne!(echoed, sent, "the span is new");
    let fresh = with_header("traceparent", "00-nonsense-01").await;
    assert_eq!(fresh.header("traceparent").len(), 55);
}

#[tokio::test]
async fn a_panic_is_a_500_without_its_message() {
    let answer = get("/panic").await;
    assert_eq!((answer.status, answer.problem().as_str()), (500, "internal"));
    assert!(!answer.text.contains("hunter2"));
}

#[tokio::test]
async fn the_cause_of_a_failure_is_not_sent() {
    let broken = get("/broken").await;
    assert_eq!((broken.status, broken.problem().as_str()), (500, "internal"));
    assert!(!broken.text.contains("SELECT"));
    let away = get("/away").await;
    assert_eq!((away.status, away.problem().as_str()), (503, "unavailable"));
    assert!(!away.text.contains("10.0.0.7") && away.text.contains("the database"));
    assert!(away.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_503() {
    let answer = get("/stuck").await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "unavailable"));
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn responses_forbid_content_sniffing() {
    assert_eq!(get("/numbers").await.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn responses_are_not_cached() {
    for path in ["/numbers", "/me", "/broken", "/nowhere"] {
        assert_eq!(get(path).await.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_path_template() {
    let metrics = Metrics::install().unwrap();
    let id = "0199c0de-1111-7000-8000-000000000000";
    get(&format!("/things/{id}")).await;
    get(&format!("/no/such/{id}")).await;
    send(app(), request("BREW", &format!("/things/{id}")).body(Body::empty()).unwrap()).await;
    let text = metrics.render();
    let counted = |labels: &str| text.contains(&format!("trainyard_http_requests_total{{{labels}}}"));
    assert!(counted(r#"method="GET",route="/things/{id}",status="200""#), "{text}");
    assert!(counted(r#"method="GET",route="unmatched",status="404""#), "{text}");
    assert!(counted(r#"method="other",route="/things/{id}",status="405""#), "{text}");
    assert!(!text.contains(id));
}

#[tokio::test]
async fn repeated_requests_add_up_in_one_series() {
    let metrics = Metrics::install().unwrap();
    let series = r#"trainyard_http_requests_total{method="PATCH",route="/numbers",status="405"} "#;
    let counted = || -> u64 {
        let text = metrics.render();
        text.lines().find_map(|line| line.strip_prefix(series)?.parse().ok()).unwrap_or(0)
    };
    for expected in 1..=3 {
        send(app(), request("PATCH", "/numbers").body(Body::empty()).unwrap()).await;
        assert_eq!(counted(), expected);
    }
}
