//! Roles on every route: what the contract says, walked against the running system.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;
use trainyard_testkit::System;

use crate::support::on_both_stacks;

on_both_stacks!(every_route_asks_for_the_role_that_the_contract_names);

/// The contract: every route that must exist, with who may call it.
const CONTRACT: &[(&str, &str, &str)] = &[
    ("POST", "/signup", "anon"),
    ("POST", "/login", "anon"),
    ("POST", "/refresh", "anon"),
    ("POST", "/logout", "anon"),
    ("GET", "/me", "user"),
    ("GET", "/admin/users", "admin"),
    ("PATCH", "/admin/users/{id}", "admin"),
    ("GET", "/admin/audit", "admin"),
    ("POST", "/datasets", "admin"),
    ("GET", "/datasets", "user"),
    ("GET", "/datasets/{name}", "user"),
    ("GET", "/datasets/{name}/preview", "user"),
    ("DELETE", "/datasets/{name}", "admin"),
    ("GET", "/algorithms", "user"),
    ("POST", "/training", "admin"),
    ("GET", "/training", "user"),
    ("GET", "/training/{job_id}", "user"),
    ("GET", "/training/{job_id}/events", "user"),
    ("POST", "/training/{job_id}/cancel", "admin"),
    ("POST", "/training/{job_id}/retry", "admin"),
    ("POST", "/training/retry", "admin"),
    ("POST", "/training/bulk", "admin"),
    ("POST", "/schedules", "admin"),
    ("GET", "/schedules", "user"),
    ("GET", "/schedules/{id}", "user"),
    ("PATCH", "/schedules/{id}", "admin"),
    ("DELETE", "/schedules/{id}", "admin"),
    ("GET", "/schedules/{id}/runs", "user"),
    ("POST", "/schedules/{id}/trigger", "admin"),
    ("GET", "/queue", "user"),
    ("POST", "/queue/pause", "admin"),
    ("POST", "/queue/resume", "admin"),
    ("GET", "/webhooks/deliveries", "user"),
    ("GET", "/webhooks/deliveries/{id}", "user"),
    ("POST", "/webhooks/deliveries/{id}/replay", "admin"),
    ("GET", "/models", "user"),
    ("GET", "/models/{name}", "user"),
    ("GET", "/models/{name}/versions/{version}", "user"),
    ("GET", "/models/{name}/versions/{version}/artifact", "admin"),
    ("PUT", "/models/{name}/aliases/{alias}", "admin"),
    ("DELETE", "/models/{name}/aliases/{alias}", "admin"),
    ("DELETE", "/models/{name}", "admin"),
    ("DELETE", "/models/{name}/versions/{version}", "admin"),
    ("POST", "/inference", "user"),
    ("GET", "/health", "anon"),
    ("GET", "/health/ready", "anon"),
    ("GET", "/metrics", "anon"),
    ("GET", "/openapi.json", "anon"),
    ("GET", "/docs", "anon"),
];

/// The published document's operations as `(method, path) → operation`, parameter names as the server spells them.
fn published(document: &Value) -> BTreeMap<(String, String), Value> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.insert((method.to_uppercase(), path.clone()), operation.clone());
        }
    }
    operations
}

async fn every_route_asks_for_the_role_that_the_contract_names(system: &System) {
    let anon = system.client();
    let (user, admin) = (anon.user().await, anon.admin().await);
    let document = anon.get("/openapi.json").await.expect(200);
    let published = published(&document);
    let shape = |path: &str| {
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
    };
    for (method, path) in published.keys() {
        let known = CONTRACT.iter().any(|(m, p, _)| m == method && shape(p) == shape(path));
        assert!(known, "{method} {path} is published, but this table does not say who may call it");
    }
    for (method, path, access) in CONTRACT {
        let in_document = published.iter().find(|((m, p), _)| m == method && shape(p) == shape(path));
        let documented = in_document.map(|(_, operation)| operation);
        if !path.starts_with("/docs") && !path.starts_with("/openapi") {
            let operation = documented.unwrap_or_else(|| panic!("{method} {path} is not in the OpenAPI document"));
            let secured = operation["security"].as_array().is_some_and(|security| !security.is_empty());
            assert_eq!(secured, *access != "anon", "{method} {path}: security in the OpenAPI document");
        }
        // No such thing exists, and no body is sent: whoever passes the door gets some other answer than 401 and 403.
        let concrete =
            path.split('/').map(|part| if part.starts_with('{') { "0" } else { part }).collect::<Vec<_>>().join("/");
        let method: Method = method.parse().unwrap();
        for (role, client) in [("anon", &anon), ("user", &user), ("admin", &admin)] {
            let url = if *path == "/inference" { client.inference_url() } else { client.api_url() };
            let request = reqwest::Client::new().request(method.clone(), format!("{url}{concrete}"));
            let request = if client.token().is_empty() { request } else { request.bearer_auth(client.token()) };
            let answer = client.send(request).await;
            let name = format!("{method} {path} as {role}");
            match (*access, role) {
                ("user" | "admin", "anon") => {
                    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{name}: {answer:?}");
                    answer.problem(401);
                }
                ("admin", "user") => drop(answer.problem(403)),
                // A wrong login and a wrong refresh token are 401 of their own kind, but not for an empty body.
                _ => assert!(!matches!(answer.status, 401 | 403 | 500), "{name}: {answer:?}"),
            }
        }
    }
    // Undo what the walk did on its way.
    admin.post("/queue/resume", Value::Null).await;
}
