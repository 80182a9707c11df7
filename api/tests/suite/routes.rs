//! The route table, the OpenAPI document and the documentation page.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Api, accounts, config};

fn document() -> Value {
    serde_json::from_str(&trainyard_api::openapi(&config(), &accounts()).to_json().unwrap()).unwrap()
}

#[tokio::test]
async fn the_server_publishes_the_document_that_is_made_without_a_database() {
    let api = Api::start().await;
    let published = api.anon().get("/openapi.json").await.ok(200);
    assert_eq!(published, document());
    assert!(published["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn every_operation_and_field_is_described_and_every_reference_resolves() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            for key in ["summary", "operationId"] {
                assert!(operation[key].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {key}");
            }
            assert!(ids.insert(operation["operationId"].to_string()), "{name}: its operationId is taken");
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}");
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with('2')), "{name} can't succeed");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        let schema = &document["components"]["schemas"][reference];
        assert!(schema.is_object(), "{reference} is not described");
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            // The description of an optional reference is one level deeper.
            let described = property.get("$ref").is_some() || property.to_string().contains("\"description\"");
            assert!(described, "{name}.{field} has no description: {property}");
            // openapi-typescript makes a field with the keyword `default` required, in requests as well.
            assert!(property.get("default").is_none(), "{name}.{field}: say the default in the description");
        }
    }
}

#[tokio::test]
async fn the_documentation_page_is_embedded_in_the_binary() {
    let api = Api::start().await;
    let moved = api.anon().get("/docs").await;
    assert!(moved.status.is_redirection() && moved.header("location") == "/docs/", "{moved:?}");
    let page = api.anon().get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    let setup = api.anon().get("/docs/swagger-initializer.js").await;
    assert_eq!(setup.status, 200);
    api.anon().get("/docs/nothing").await.problem(404);
}

#[tokio::test]
async fn every_route_requires_its_role() {
    let api = Api::start().await;
    let (user, admin) = (api.user("ada@example.com").await, api.admin().await);
    let table = trainyard_api::routes(api.state.clone()).table();
    assert!(table.len() >= 30);
    for route in table {
        let path = route.path.split('/').map(|part| if part.starts_with('{') { "0" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        for (caller, role) in [
            (&api.anon(), None),
            (&user, Some(trainyard_domain::Role::User)),
            (&admin, Some(trainyard_domain::Role::Admin)),
        ] {
            let answer = caller.send(caller.request(route.method.clone(), &path), axum::body::Body::empty()).await;
            let name = format!("{} {path} as {role:?}: {answer:?}", route.method);
            match route.access.check(role) {
                Ok(()) => assert!(!matches!(answer.status.as_u16(), 401 | 403 | 500..), "{name}"),
                Err(trainyard_domain::access::Refusal::SignIn) => assert_eq!(answer.status, 401, "{name}"),
                Err(trainyard_domain::access::Refusal::RoleTooLow) => assert_eq!(answer.status, 403, "{name}"),
            }
        }
    }
}
