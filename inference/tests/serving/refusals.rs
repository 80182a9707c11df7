//! Responses to invalid requests.

use serde_json::json;
use trainyard_inference::InferenceConfig;
use trainyard_testkit::eventually;

use crate::environment::{Environment, TIMEOUT, config};
use crate::models;

#[tokio::test(flavor = "multi_thread")]
async fn each_invalid_field_is_named() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    for (body, fields) in [
        (json!({}), vec!["features"]),
        (json!({"features": {}, "instances": []}), vec!["instances"]),
        (json!({"instances": []}), vec!["instances"]),
        (json!({"features": {"agee": 1, "age": 3}}), vec!["features.agee"]),
        (json!({"features": {"age": "old"}}), vec!["features.age"]),
        (json!({"features": {"age": [1]}}), vec!["features.age"]),
        (json!({"instances": [{"age": 1}, {"age": "old", "x": 1}]}), vec!["instances[1].age", "instances[1].x"]),
        (json!({"features": {}, "explain": "yes"}), vec!["explain"]),
        (json!({"features": {}, "version": 1, "alias": "production"}), vec!["alias"]),
        (json!({"features": {}, "version": "1"}), vec!["version"]),
        (json!({"features": {}, "version": 0}), vec!["version"]),
        (json!({"features": {}, "version": 1e30}), vec!["version"]),
        (json!({"features": {}, "rows": 1}), vec!["rows"]),
        (json!({"features": [1, 2]}), vec!["features"]),
        (json!({"instances": {}}), vec!["instances"]),
        (json!({"instances": [{}, 3]}), vec!["instances[1]"]),
    ] {
        let answer = role.predict(body.clone()).await;
        assert_eq!(answer.refused(), (422, fields), "{body} was answered {answer:?}");
    }
    assert_eq!(role.send("{\"features\": ".into(), Some(&role.token)).await.status, 400);
    assert_eq!(role.send("[{}]".into(), Some(&role.token)).await.status, 422);
    assert_eq!(role.send(String::new(), Some(&role.token)).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_bytes_are_limited() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let config = InferenceConfig { max_instances: 3, max_explained_instances: 2, max_body_bytes: 20_000, ..config() };
    let role = environment.start(config, environment.db.clone(), environment.store.clone()).await;
    role.wait_until_serving("m", 1).await;
    let four = role.predict(json!({"instances": [{}, {}, {}, {}]})).await;
    assert_eq!(four.refused(), (422, vec!["instances"]));
    let explained = role.predict(json!({"instances": [{}, {}, {}], "explain": true})).await;
    assert_eq!(explained.refused(), (422, vec!["explain"]), "at most two");
    let large = role.predict(json!({"features": {"sex": "x".repeat(20_001)}})).await;
    assert_eq!(large.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_404_names_the_field_with_the_unknown_name() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.publish("n", models::survival(1)).await;
    let role = environment.serve().await;
    for (pick, field) in [
        (json!({"model": "nope", "features": {}}), "model"),
        (json!({"model": "m", "version": 7, "features": {}}), "version"),
        (json!({"model": "nope", "version": 1, "features": {}}), "version"),
        (json!({"model": "m", "alias": "canary", "features": {}}), "alias"),
    ] {
        let answer = role.predict(pick.clone()).await;
        assert_eq!(answer.refused(), (404, vec![field]), "{pick} was answered {answer:?}");
    }
    let unnamed = role.predict(json!({"features": {}})).await;
    assert_eq!(unnamed.refused(), (422, vec!["model"]), "two models and no default");
    assert!(unnamed.body["detail"].as_str().unwrap().contains("m, n"), "{unnamed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_model_answers_when_none_is_named() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.publish("n", models::survival(1)).await;
    let config = InferenceConfig { default_model: "n".into(), ..config() };
    let role = environment.start(config, environment.db.clone(), environment.store.clone()).await;
    role.wait_until_serving("n", 1).await;
    assert_eq!(role.predict(json!({"features": {}})).await.body["model"], "n");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_model_every_request_is_404() {
    let environment = Environment::new().await;
    let role = environment.serve().await;
    let answer = role.predict(json!({"features": {}})).await;
    assert!(answer.body["detail"].as_str().unwrap().contains("no model has been published yet"), "{answer:?}");
    assert_eq!(answer.refused(), (404, vec!["model"]));
    assert_eq!(role.predict(json!({"model": "m", "features": {}})).await.refused(), (404, vec!["model"]));
    environment.publish("m", models::survival(0)).await;
    role.wait_until_serving("m", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_active_accounts_are_served() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let body = json!({"features": {}}).to_string();
    assert_eq!(role.send(body.clone(), None).await.status, 401);
    assert_eq!(role.send(body.clone(), Some("not.a.token")).await.status, 401);
    assert_eq!(role.send(body.clone(), Some(&role.token)).await.status, 200);
    environment.disable_user().await;
    eventually("the disabled account is refused", TIMEOUT, async || {
        (role.send(body.clone(), Some(&role.token)).await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn error_responses_are_small_for_every_request() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    role.wait_until_serving("m", 1).await;
    let unknown: serde_json::Map<_, _> = (0..10_000).map(|i| (format!("x{i}"), json!(1))).collect();
    let answer = role.predict(json!({"model": "m", "features": unknown})).await;
    assert_eq!((answer.status, answer.body["errors_omitted"].as_u64()), (422, Some(9_900)));
    assert_eq!(answer.body["detail"], "10000 fields are not valid");
    assert!(answer.body.to_string().len() < 32 * 1024);
    let long = "x".repeat(500_000);
    for body in [
        json!({"model": "m", "features": {&long: 1}}),
        json!({"model": &long, "features": {}}),
        json!({"model": "m", "alias": &long, "features": {}}),
        json!({"model": "m", &long: 1, "features": {}}),
    ] {
        let answer = role.predict(body).await;
        assert!([404, 422].contains(&answer.status), "{}", answer.status);
        assert!(answer.body.to_string().len() < 2_000, "{}", answer.body.to_string().len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_support_vector_machine_is_not_explained() {
    let environment = Environment::new().await;
    environment.publish("m", models::support_vectors()).await;
    let role = environment.serve().await;
    let explained = role.predict(json!({"features": {"age": 30}, "explain": true})).await;
    assert_eq!(explained.refused(), (422, vec!["explain"]));
    assert_eq!(explained.body["errors"][0]["message"], "is not possible for the algorithm svm");
    assert_eq!(role.predict(json!({"features": {"age": 30}})).await.status, 200);
}
