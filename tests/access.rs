//! The access of every route: `docs/security.md` against the running system.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;
use trainyard_testkit::{Answer, System};

use crate::support::on_both_stacks;

on_both_stacks!(every_route_requires_the_documented_role);

/// The route table in `docs/security.md`: method, path, access, and the section of `auth.users_may_read`.
fn contract() -> Vec<(String, String, String, String)> {
    let page = include_str!("../docs/security.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|line| line.split_once("` | "));
    let routes = rows.filter_map(|(route, rest)| {
        let (method, path) = route.split_once(' ')?;
        let (who, opened_by) = rest.split_once(" |")?;
        let opened_by = opened_by.trim_matches([' ', '|', '`']);
        path.starts_with('/').then(|| (method.to_owned(), path.to_owned(), who.to_owned(), opened_by.to_owned()))
    });
    routes.collect()
}

/// The possible sections in `auth.users_may_read`.
const SECTIONS: [&str; 5] = ["training", "datasets", "schedules", "webhooks", "queue"];

/// The operations of the published document by method and path.
fn published(document: &Value) -> BTreeMap<(String, String), Value> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.insert((method.to_uppercase(), path.clone()), operation.clone());
        }
    }
    operations
}

/// Checks the error: a problem document, or the error object of the Open Inference Protocol.
fn refused(answer: Answer, status: u16, is_v2: bool) {
    if is_v2 {
        assert!(answer.body["error"].is_string(), "{}: {}", answer.request, answer.body);
        answer.expect(status);
    } else {
        answer.problem(status);
    }
}

async fn every_route_requires_the_documented_role(system: &System) {
    let anon = system.client();
    let (user, admin) = (anon.user().await, anon.admin().await);
    let document = anon.get("/openapi.json").await.expect(200);
    let published = published(&document);
    let shape = |path: &str| {
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
    };
    let contract = contract();
    assert!(contract.len() > 50, "the table of docs/security.md was not read: {contract:?}");
    for (method, path) in published.keys() {
        let known = contract.iter().any(|(m, p, ..)| m == method && shape(p) == shape(path));
        assert!(known, "{method} {path} is published, but docs/security.md does not say who may call it");
    }
    for (method, path, access, opened_by) in &contract {
        let section = path.split('/').nth(1).filter(|section| SECTIONS.contains(section) && method == "GET");
        assert_eq!(opened_by, section.unwrap_or_default(), "{method} {path}: what opens it");
        let in_document = published.iter().find(|((m, p), _)| m == method && shape(p) == shape(path));
        let documented = in_document.map(|(_, operation)| operation);
        if !path.starts_with("/docs") && !path.starts_with("/openapi") {
            let operation = documented.unwrap_or_else(|| panic!("{method} {path} is not in the OpenAPI document"));
            let secured = operation["security"].as_array().is_some_and(|security| !security.is_empty());
            assert_eq!(secured, access != "anon", "{method} {path}: security in the OpenAPI document");
        }
        // The id does not exist and the body is empty: an authorized caller gets another error than 401 or 403.
        let id = "00000000-0000-7000-8000-000000000000";
        let concrete =
            path.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect::<Vec<_>>().join("/");
        let method: Method = method.parse().unwrap();
        for (role, client) in [("anon", &anon), ("user", &user), ("admin", &admin)] {
            let is_v2 = path.starts_with("/v2");
            let url = if is_v2 || path.starts_with("/inference") { client.inference_url() } else { client.api_url() };
            let request = reqwest::Client::new().request(method.clone(), format!("{url}{concrete}"));
            let request = if client.token().is_empty() { request } else { request.bearer_auth(client.token()) };
            let answer = client.send(request).await;
            let name = format!("{method} {path} as {role}");
            match (access.as_str(), role) {
                ("user" | "owner" | "admin", "anon") => {
                    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{name}: {answer:?}");
                    refused(answer, 401, is_v2);
                }
                // A job that does not exist has no owner.
                ("admin" | "owner", "user") => refused(answer, 403, is_v2),
                // `/login` and `/refresh` refuse an empty body with another status than 401.
                _ => assert!(!matches!(answer.status, 401 | 403 | 500), "{name}: {answer:?}"),
            }
        }
    }
    // The loop has paused the queue.
    admin.post("/queue/resume", Value::Null).await;
}
