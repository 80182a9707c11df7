//! Invalid requests get the documented errors.

use axum::body::{Body, Bytes};
use futures::stream;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use trainyard_domain::Role;
use trainyard_http::json::{UniqueMap, unique_map};

use crate::support::{UPLOAD_BYTES, app, get, post_json, request, send, token};

#[tokio::test]
async fn a_valid_body_is_accepted() {
    let body = r#"{"name":"n","params":{"n_trees":3,"kind":"small"},"run_at":"2026-01-31T12:00:00Z"}"#;
    let answer = post_json(body).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.json()["params"]["n_trees"], 3);
}

#[tokio::test]
async fn a_wrong_field_is_named_with_the_expected_value() {
    let time = "must be an RFC 3339 time, such as 2026-01-31T12:00:00Z";
    let rows = [
        (r#"{"name":"n","nmae":1}"#, "nmae: is not a known field; known are name, params, features, run_at"),
        (
            r#"{"name":"n","params":{"n_trees":1,"x`y":1}}"#,
            "params.x`y: is not a known field; known are n_trees, ratio, kind",
        ),
        (r#"{"params":null}"#, "name: is required"),
        (r#"{"name":"n","params":{}}"#, "params.n_trees: is required"),
        (r#"{"name":1}"#, "name: must be text"),
        (r#"{"name":null}"#, "name: must be text"),
        (r#"{"name":"n","params":{"n_trees":"many"}}"#, "params.n_trees: must be a whole number"),
        (r#"{"name":"n","params":{"n_trees":1.5}}"#, "params.n_trees: must be a whole number"),
        (r#"{"name":"n","params":{"n_trees":300}}"#, "params.n_trees: must be a whole number from 0 to 255"),
        (r#"{"name":"n","params":{"n_trees":-1}}"#, "params.n_trees: must be a whole number from 0 to 255"),
        (r#"{"name":"n","params":{"n_trees":1,"ratio":"x"}}"#, "params.ratio: must be a number"),
        (r#"{"name":"n","params":{"n_trees":1,"kind":"huge"}}"#, "params.kind: must be one of small, large"),
        (r#"{"name":"n","params":{"n_trees":1,"kind":7}}"#, "params.kind: must be text"),
        (r#"{"name":"n","params":{"n_trees":1,"ratio":1e999}}"#, "params.ratio: is too large a number"),
        (r#"{"name":"n","params":7}"#, "params: must be an object"),
        (r#"{"name":"n","features":"sex"}"#, "features: must be a list"),
        (r#"{"name":"n","features":["sex",3]}"#, "features[1]: must be text"),
        (r#"{"name":"n","run_at":"tomorrow"}"#, &format!("run_at: {time}")),
        (r#"{"name":"n","run_at":5}"#, &format!("run_at: {time}")),
        (r#"{"name":"n","name":"m"}"#, "name: is given twice"),
        (r#"["n"]"#, "body: must be an object"),
        (r#""n""#, "body: must be an object"),
        ("null", "body: must be an object"),
    ];
    for (body, expected) in rows {
        let answer = post_json(body).await;
        assert_eq!(answer.refused(), [expected], "{body}");
    }
}

#[tokio::test]
async fn every_wrong_field_of_a_body_is_named_at_once() {
    let body = r#"{
        "name": 1, "nmae": "n", "features": ["sex", 3, null], "run_at": "tomorrow",
        "params": {"ratio": "x", "kind": "huge", "kind": 7, "n": {}}
    }"#;
    let expected = [
        "params.kind: is given twice",
        "name: must be text",
        "nmae: is not a known field; known are name, params, features, run_at",
        "features[1]: must be text",
        "features[2]: must be text",
        "run_at: must be an RFC 3339 time, such as 2026-01-31T12:00:00Z",
        "params.ratio: must be a number",
        "params.kind: must be one of small, large",
        "params.n: is not a known field; known are n_trees, ratio, kind",
        "params.n_trees: is required",
    ];
    assert_eq!(post_json(body).await.refused(), expected);
    let answer = post_json(r#"{"name":[],"name":{},"params":[]}"#).await;
    assert_eq!(answer.refused(), ["name: is given twice", "name: must be text", "params: must be an object"]);
    assert_eq!(post_json(r#"{"n":1,"n":2}"#).await.refused().len(), 3, "twice, unknown, and the name is missing");
}

#[tokio::test]
async fn errors_of_one_body_are_bounded_in_number_and_in_work() {
    let many: String = (0..500).map(|n| format!("\"f{n}\":{n},")).collect();
    let answer = post_json(format!("{{{many}\"name\":\"n\"}}")).await;
    assert_eq!(answer.refused().len(), 100);
    let items = vec!["1"; 30_000].join(",");
    let answer = post_json(format!("{{\"name\":\"n\",\"features\":[{items}]}}")).await;
    assert!(!answer.refused().is_empty());
}

#[tokio::test]
async fn a_name_that_is_given_twice_is_refused_at_every_depth() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Free {
        values: UniqueMap,
        #[serde(default, deserialize_with = "unique_map")]
        more: serde_json::Map<String, serde_json::Value>,
    }
    let read = |text: &str| trainyard_http::json::parse::<Free>(text.as_bytes());
    let good = read(r#"{"values":{"a":[1,-2,0.5,"x",true,null,{"b":{}}]},"more":{"c":{"a":1}}}"#).unwrap();
    assert_eq!(
        serde_json::Value::from(good.values.0),
        serde_json::json!({"a": [1, -2, 0.5, "x", true, null, {"b": {}}]})
    );
    assert_eq!(good.more["c"]["a"], 1);
    for (text, expected) in [
        (r#"{"values":{"a":1,"a":2}}"#, &["values.a"][..]),
        (r#"{"values":{"a":{"b":1,"b":2}}}"#, &["values.a.b"]),
        (r#"{"values":{"a":[{"b":1,"b":2}]},"more":{"c":1,"\u0063":2}}"#, &["values.a[0].b", "more.c"]),
    ] {
        let problem = read(text).unwrap_err();
        let fields: Vec<_> = problem.errors().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, expected, "{text}");
        assert!(problem.errors().iter().all(|error| error.message == "is given twice"), "{text}");
    }
}

#[tokio::test]
async fn invalid_json_is_400_with_its_line() {
    let depth = 50_000;
    let bomb = format!("{{\"name\":{}", "[".repeat(depth));
    let nested = format!("{{\"name\":\"n\",\"features\":{}{}}}", "[".repeat(500), "]".repeat(500));
    let bodies = [
        "{\"name\":\n oops}",
        "{\"name\":\"n\"",
        "{\"name\":\"n\"} trailing",
        // The wrong type precedes the syntax error. The syntax error is reported.
        "{\"name\":1, oops",
        "[1, oops",
        "{\"name\":\"n\",\"features\":[\"\\ud800\"]}",
        &bomb,
        &nested,
    ];
    for body in bodies {
        let answer = post_json(body.to_owned()).await;
        let shown = &body[..body.len().min(40)];
        if body == nested {
            // serde refuses the type of the first level before the parser reaches the depth limit.
            assert!([400, 422].contains(&answer.status), "{shown}");
            continue;
        }
        assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed_json"), "{shown}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("line "), "{shown}");
    }
}

#[tokio::test]
async fn invalid_utf8_and_empty_bodies_are_400() {
    let invalid = post_json(Bytes::from_static(b"{\"name\":\"\xff\xfe\"}")).await;
    assert_eq!((invalid.status, invalid.problem().as_str()), (400, "malformed_json"));
    for body in ["", " \n"] {
        let answer = post_json(body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed_json"));
        assert!(answer.json()["detail"].as_str().unwrap().contains("empty"));
    }
    let untyped = send(app(), request("POST", "/orders").body(Body::empty()).unwrap()).await;
    assert_eq!(untyped.status, 400);
}

#[tokio::test]
async fn only_json_content_types_are_accepted() {
    let order = |kind: Option<&str>| {
        let mut builder = request("POST", "/orders");
        if let Some(kind) = kind {
            builder = builder.header(CONTENT_TYPE, kind);
        }
        send(app(), builder.body(Body::from(r#"{"name":"n"}"#)).unwrap())
    };
    for kind in ["text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonp"] {
        let answer = order(Some(kind)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "unsupported_media_type"), "{kind}");
    }
    assert_eq!(order(None).await.status, 415);
    for kind in ["application/json; charset=utf-16", "application/json;charset=\"iso-8859-1\""] {
        let answer = order(Some(kind)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "unsupported_media_type"), "{kind}");
    }
    for kind in [
        "application/json; charset=utf-8",
        "application/json;CHARSET=\"UTF-8\"",
        "Application/JSON",
        "application/merge-patch+json",
    ] {
        assert_eq!(order(Some(kind)).await.status, 200, "{kind}");
    }
}

#[tokio::test]
async fn bodies_over_the_limit_are_413_with_and_without_a_declared_length() {
    let big = format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * 1024));
    let announced = send(
        app(),
        request("POST", "/orders")
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, big.len())
            .body(Body::from(big.clone()))
            .unwrap(),
    )
    .await;
    assert_eq!((announced.status, announced.problem().as_str()), (413, "payload_too_large"));
    let chunks = stream::iter([big.clone(), big].map(Ok::<_, std::io::Error>));
    let streamed = post_json(Body::from_stream(chunks)).await;
    assert_eq!((streamed.status, streamed.problem().as_str()), (413, "payload_too_large"));
}

#[tokio::test]
async fn a_route_can_set_its_own_limit() {
    let upload = |bytes: usize| {
        let bearer = format!("Bearer {}", token(Role::Admin));
        send(
            app(),
            request("POST", "/uploads").header(AUTHORIZATION, bearer).body(Body::from("x".repeat(bytes))).unwrap(),
        )
    };
    assert_eq!(upload(UPLOAD_BYTES).await.status, 200);
    assert_eq!(upload(UPLOAD_BYTES + 1).await.problem(), "payload_too_large");
}

#[tokio::test]
async fn an_incomplete_body_is_400() {
    let broken = stream::iter([Ok("{\"na"), Err(std::io::Error::other("gone"))]);
    let answer = post_json(Body::from_stream(broken)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (400, "bad_request"));
}

#[tokio::test]
async fn invalid_ids_are_not_found() {
    for id in ["7", "not-a-uuid", "0199c0de-0000-7000-8000-00000000000g", "%FF%FE"] {
        let answer = get(&format!("/things/{id}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not_found"), "{id}");
    }
    assert_eq!(get("/things/0199c0de-0000-7000-8000-000000000000").await.status, 200);
}

#[tokio::test]
async fn query_parameters_are_strict() {
    let good = get("/watch?kind=large&wait_s=60").await;
    assert_eq!(good.json(), serde_json::json!({"kind": "large", "wait_s": 60}));
    let rows = [
        ("colour=red", "colour: is not a known parameter; known are kind, wait_s"),
        ("kind=huge", "kind: must be one of small, large"),
        ("wait_s=soon", "wait_s: must be a whole number from 0 to 255"),
        ("wait_s=300", "wait_s: must be a whole number from 0 to 255"),
        ("wait_s=1&wait_s=2", "wait_s: is given twice"),
    ];
    for (query, expected) in rows {
        assert_eq!(get(&format!("/watch?{query}")).await.refused(), [expected], "{query}");
    }
    let all = get("/watch?wait_s=soon&kind=huge&colour=red&colour=blue&kind=small&wait_s=300").await.refused();
    assert_eq!(all, [rows[2].1, rows[1].1, rows[0].1], "every parameter once");
    let many = (0..500).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    assert_eq!(get(&format!("/watch?{many}")).await.refused().len(), 100);
}

#[tokio::test]
async fn a_route_that_changes_state_refuses_unknown_parameters() {
    let unknown = |name: &str| format!("{name}: is not a known parameter; there are none here");
    let order = request("POST", "/orders?dry_run=1&x").header(CONTENT_TYPE, "application/json");
    let answer = send(app(), order.body(Body::from(r#"{"name":"n"}"#)).unwrap()).await;
    assert_eq!(answer.refused(), [unknown("dry_run"), unknown("x")]);
    let bearer = format!("Bearer {}", token(Role::User));
    let me = request("GET", "/me?cache=0").header(AUTHORIZATION, bearer).body(Body::empty()).unwrap();
    assert_eq!(send(app(), me).await.status, 200);
}
