//! Endpoints for operators: health, metrics, OpenAPI document, request ids.

use std::time::Duration;

use serde_json::{Value, json};
use trainyard_testkit::{System, eventually, unique};

use crate::support::on_both_stacks;

on_both_stacks!(
    every_role_reports_its_health,
    every_role_exposes_catalogued_metrics,
    the_published_document_is_the_committed_one,
    the_documentation_page_needs_nothing_from_outside,
    a_request_has_an_id,
    the_queue_status_is_readable,
);

async fn every_role_reports_its_health(system: &System) {
    let client = system.client();
    for (role, url) in system.urls() {
        let get = async |path: &str| client.send(reqwest::Client::new().get(format!("{url}{path}"))).await;
        assert_eq!(get("/health").await.expect(200), json!({"status": "ok"}), "{role}");
        let ready = get("/health/ready").await.expect(200);
        assert_eq!(ready["status"], "ok", "{role}: {ready}");
        let checks = ready["checks"].as_object().unwrap();
        for check in ["database", "queue", "object_store"] {
            assert_eq!(checks[check]["status"], "ok", "{role}: {ready}");
            assert!(
                checks[check]["critical"].is_boolean() && checks[check]["latency_ms"].is_number(),
                "{role}: {ready}"
            );
        }
        assert_eq!(checks["ai"]["status"], "not_configured", "{role}");
    }
}

async fn every_role_exposes_catalogued_metrics(system: &System) {
    let client = system.client();
    let catalogue = std::fs::read_to_string("../docs/metrics.md").unwrap();
    client.get("/me").await.problem(401);
    for (role, url) in system.urls() {
        let answer = client.send(reqwest::Client::new().get(format!("{url}/metrics"))).await;
        assert!(answer.header("content-type").starts_with("text/plain"), "{answer:?}");
        let text = answer.expect(200);
        let names = text.as_str().unwrap().lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let names: Vec<_> = names.filter_map(|line| line.split(' ').next()).collect();
        assert!(names.contains(&"trainyard_http_requests_total"), "{role}: {names:?}");
        for name in names {
            assert!(catalogue.contains(&format!("`{name}`")), "{role}: {name} is not in docs/metrics.md");
        }
    }
}

async fn the_published_document_is_the_committed_one(system: &System) {
    let document = system.client().get("/openapi.json").await.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let committed: Value = serde_json::from_str(&std::fs::read_to_string("../docs/openapi.json").unwrap()).unwrap();
    assert_eq!(document, committed, "run `make generate`");
}

async fn the_documentation_page_needs_nothing_from_outside(system: &System) {
    let page = system.client().get("/docs/").await;
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    // This client does not decompress responses, so it sees the bytes that were sent.
    assert_eq!(page.header("content-encoding"), "");
    let html = page.expect(200);
    let html = html.as_str().unwrap();
    assert!(html.contains("<title>Swagger UI</title>"), "{html}");
    assert!(!html.contains("https://") && !html.contains("\"//"), "{html}");
    let script = system.client().get("/docs/swagger-ui-bundle.js").await;
    assert!(script.header("content-type").contains("javascript"), "{:?}", script.headers);
    script.expect(200);
}

async fn a_request_has_an_id(system: &System) {
    let client = system.client();
    let with =
        async |id: &str| client.send(client.request(reqwest::Method::GET, "/me").header("x-request-id", id)).await;
    let id = unique("request");
    let answer = with(&id).await;
    assert_eq!(answer.header("x-request-id"), id);
    assert_eq!(answer.problem(401)["request_id"], id.as_str());
    let replaced = with("not a valid id\t").await.header("x-request-id");
    assert!(!replaced.is_empty() && !replaced.contains(' '), "{replaced}");
    assert_ne!(with(&"x".repeat(500)).await.header("x-request-id").len(), 500);
    let line = eventually("the request is in the log", Duration::from_secs(20), async || {
        let logs = (0..system.urls().len()).map(|role| system.log(role));
        logs.flat_map(|log| log.lines().map(str::to_owned).collect::<Vec<_>>()).find(|line| line.contains(&id))
    })
    .await;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["request_id"], id.as_str(), "{line}");
}

async fn the_queue_status_is_readable(system: &System) {
    let admin = system.client().admin().await;
    let queue = admin.get("/queue").await.expect(200);
    let workers = queue["workers"].as_array().unwrap();
    assert_eq!(workers.len(), system.workers().len(), "{queue}");
    assert!(workers[0]["capacity"].as_i64().unwrap() >= 1);
    assert!(queue["by_status"].is_object() && queue["depth"].is_number());
    assert_eq!(queue["paused"], false);
}
