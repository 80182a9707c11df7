//! The OpenAPI document matches the route table and the middleware.

use serde_json::{Value, json};

use crate::support::routes;

fn document() -> Value {
    serde_json::to_value(routes().openapi()).unwrap()
}

#[test]
fn every_route_is_described_with_its_security() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for route in routes().table() {
        let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
        assert!(operation.is_object(), "{route:?}");
        let expected = match route.access {
            trainyard_domain::Access::Anon => json!([]),
            _ => json!([{"bearer": []}]),
        };
        assert_eq!(operation["security"], expected, "{route:?}");
    }
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn common_responses_follow_from_access_and_body() {
    let document = document();
    let answers = |path: &str, method: &str| {
        document["paths"][path][method]["responses"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(answers("/me", "get"), ["200", "400", "401", "405", "500", "503"]);
    assert_eq!(answers("/things/{id}", "delete"), ["204", "400", "401", "403", "404", "405", "422", "500", "503"]);
    assert_eq!(answers("/orders", "post"), ["200", "400", "405", "408", "409", "413", "415", "422", "500", "503"]);
}

#[test]
fn errors_are_problems_and_all_responses_have_the_request_id() {
    let document = document();
    let responses = &document["paths"]["/orders"]["post"]["responses"];
    for (status, response) in responses.as_object().unwrap() {
        assert!(response["headers"]["x-request-id"].is_object(), "{status}");
        if status.starts_with(['4', '5']) {
            let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{status}");
        }
    }
    for schema in ["Problem", "FieldError", "Code", "Order", "Params"] {
        assert!(document["components"]["schemas"][schema].is_object(), "{schema}");
    }
}

#[test]
fn the_schema_lists_all_problem_codes() {
    let document = document();
    let sent: Vec<_> = trainyard_http::Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(document["components"]["schemas"]["Code"]["enum"], json!(sent));
}

#[test]
fn headers_of_a_status_are_documented() {
    let document = document();
    let headers = |status: &str| {
        let response = &document["paths"]["/things/{id}"]["delete"]["responses"][status];
        response["headers"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(headers("204"), ["x-request-id"]);
    assert_eq!(headers("401"), ["WWW-Authenticate", "x-request-id"]);
    assert_eq!(headers("405"), ["Allow", "x-request-id"]);
    assert_eq!(headers("503"), ["Retry-After", "x-request-id"]);
}
