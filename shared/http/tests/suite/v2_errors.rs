//! Errors under `/v2` have the form of the Open Inference Protocol.

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use trainyard_domain::Role;

use crate::support::{Answer, app, get, request, routes, send, token};

const ORDER: &str = "/v2/orders/0199c0de-0000-7000-8000-000000000000";

async fn post(path: &str, role: Role, content_type: &str, body: &str) -> Answer {
    let request = request("POST", path).header(CONTENT_TYPE, content_type);
    let request = request.header(AUTHORIZATION, format!("Bearer {}", token(role)));
    send(app(), request.body(Body::from(body.to_owned())).unwrap()).await
}

/// The status and the message, after checking the form.
fn error(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("content-length"), answer.text.len().to_string());
    assert!(!answer.header("x-request-id").is_empty());
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["error"]);
    (answer.status, body["error"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_error_is_an_object_with_a_sentence() {
    let admin = Role::Admin;
    let valid = r#"{"name": "a"}"#;
    for (answer, status, part) in [
        (get("/v2").await, 404, "no route has this path"),
        (get("/v2/nothing").await, 404, "no route has this path"),
        (get(ORDER).await, 405, "GET"),
        (send(app(), request("POST", ORDER).body(Body::empty()).unwrap()).await, 401, "access token"),
        (post(ORDER, Role::User, "application/json", valid).await, 403, "admin"),
        (post("/v2/orders/7", admin, "application/json", valid).await, 404, "id or name"),
        (post(ORDER, admin, "text/csv", valid).await, 400, "application/json"),
        (post(ORDER, admin, "application/json", "{").await, 400, "not valid JSON"),
        (
            post(ORDER, admin, "application/json", r#"{"name": 3, "x": 1}"#).await,
            400,
            "name must be text; x is not a known field",
        ),
        (post(&format!("{ORDER}?x=1"), admin, "application/json", valid).await, 400, "x is not a known parameter"),
    ] {
        let (found, message) = error(&answer);
        assert!(found == status && message.contains(part), "{found} {message}, expected {status} {part}");
    }
    assert_eq!(post(ORDER, admin, "application/json", valid).await.status, 200);
    assert_eq!(get("/v20").await.problem(), "not_found", "other paths have problem documents");
}

#[test]
fn the_document_describes_these_errors() {
    let document = serde_json::to_value(routes().openapi()).unwrap();
    let responses = &document["paths"]["/v2/orders/{id}"]["post"]["responses"];
    let statuses: Vec<_> = responses.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(statuses, ["200", "400", "401", "403", "404", "405", "408", "413", "500", "503"]);
    for status in &statuses[1..] {
        let content: &Value = &responses[status]["content"];
        assert_eq!(content["application/json"]["schema"]["$ref"], "#/components/schemas/V2Error", "{status}");
        assert_eq!(content.as_object().unwrap().len(), 1, "{status}");
    }
    assert_eq!(document["components"]["schemas"]["V2Error"]["required"], json!(["error"]));
}
