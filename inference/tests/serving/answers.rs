//! Responses to valid requests: the predictor's values with the right field names.

use serde_json::{Value, json};
use trainyard_ml::predict::{Outcome, Predictor};

use crate::environment::Environment;
use crate::models;

const ROWS: usize = 40;

fn rows() -> Vec<Value> {
    let row =
        |i: usize| json!({"sex": if i.is_multiple_of(2) { "female" } else { "male" }, "age": i, "pclass": i % 3 + 1});
    (0..ROWS).map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_contain_the_values_of_the_predictor() {
    let environment = Environment::new().await;
    environment.publish("titanic-rf", models::survival(0)).await;
    let role = environment.serve().await;
    let predictor = Predictor::load(models::survival(0)).unwrap();

    let rows = rows();
    let many = role.predict(json!({"model": "titanic-rf", "instances": rows})).await;
    assert_eq!((many.status, &many.body["model"], &many.body["version"]), (200, &json!("titanic-rf"), &json!(1)));
    for (i, row) in rows.iter().enumerate() {
        let expected = predictor.predict_one(row.as_object().unwrap()).unwrap();
        let Outcome::Binary { prob, positive, .. } = expected.outcome else { panic!("{expected:?}") };
        let answer = role.predict(json!({"features": row})).await.body;
        let expected = json!({"prob": prob, "survived": positive, "model": "titanic-rf", "version": 1});
        assert_eq!(answer, expected, "one row, the only model");
        assert_eq!(many.body["predictions"][i], json!({"prob": prob, "survived": positive}), "row {i} of many");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_unknown_values_cause_warnings() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let answer = role.predict(json!({"features": {"sex": "unheard-of", "pclass": 1, "age": null}})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let warnings = answer.body["warnings"].as_array().unwrap();
    let warned = |name: &str| warnings.iter().any(|warning| warning.as_str().unwrap().contains(name));
    assert!(warnings.len() == 2 && warned("age") && warned("sex"), "{warnings:?}");

    let many =
        role.predict(json!({"instances": [{"sex": "male", "age": 3, "pclass": 2}, {"sex": "male", "age": 3}]})).await;
    assert!(many.body["predictions"][0].get("warnings").is_none(), "{many:?}");
    assert!(many.body["predictions"][1]["warnings"][0].as_str().unwrap().contains("pclass"), "{many:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_targets_get_labels_and_probabilities_or_numbers() {
    let environment = Environment::new().await;
    for (name, artifact) in [
        ("sex", models::sex()),
        ("port", models::port()),
        ("progression", models::progression()),
        ("shadowing", models::shadowing()),
    ] {
        environment.publish(name, artifact).await;
    }
    let role = environment.serve().await;

    let sex = role.predict(json!({"model": "sex", "features": {"age": 20, "pclass": 1, "survived": true}})).await.body;
    // Fewer passengers were women, so `female` is the positive class.
    let (prob, male) = (sex["prob"].as_f64().unwrap(), sex["probabilities"]["male"].as_f64().unwrap());
    assert!((prob + male - 1.0).abs() < 1e-12 && sex["probabilities"]["female"] == prob, "{sex}");
    assert_eq!(sex["sex"], if prob >= 0.5 { "female" } else { "male" });

    let row = json!({"sex": "male", "fare": 7.75, "pclass": 3});
    let port = role.predict(json!({"model": "port", "features": row})).await.body;
    let shares: Vec<f64> = ["C", "Q", "S"].iter().map(|class| port["probabilities"][class].as_f64().unwrap()).collect();
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-6 && port.get("prob").is_none(), "{port}");
    let best = port["embarked"].as_str().unwrap();
    assert!(shares.iter().all(|share| *share <= port["probabilities"][best].as_f64().unwrap()), "{port}");

    let number = role.predict(json!({"model": "progression", "features": {"bmi": 30, "bp": 90, "s5": 4.8}})).await.body;
    assert!(number["target"].as_f64().unwrap() > 25.0 && number.get("prob").is_none(), "{number}");

    let shadowing = role.predict(json!({"model": "shadowing", "features": {"sex": "male", "age": 3}})).await.body;
    assert!(shadowing["prediction"].is_boolean() && shadowing["version"] == 1, "{shadowing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_aliases_can_be_pinned() {
    let environment = Environment::new().await;
    for seed in 0..3 {
        environment.publish_as("m", models::survival(seed), models::survival(seed), seed == 1).await;
    }
    let role = environment.serve().await;
    let row = json!({"sex": "female", "age": 29, "pclass": 1});
    let ask = async |pick: Value| {
        let mut body = json!({"model": "m", "features": row});
        body.as_object_mut().unwrap().extend(pick.as_object().unwrap().clone());
        role.predict(body).await
    };
    assert_eq!(ask(json!({})).await.body["version"], 2, "what production points at");
    // No alias points at the versions 1 and 3, so the requests load them.
    for version in [1, 3, 1] {
        let answer = ask(json!({"version": version})).await;
        let predictor = Predictor::load(models::survival(version - 1)).unwrap();
        let expected = predictor.predict_one(row.as_object().unwrap()).unwrap();
        let Outcome::Binary { prob, .. } = expected.outcome else { panic!("{expected:?}") };
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(version)), "{answer:?}");
        assert_eq!(answer.body["prob"], prob);
    }
    let mut tx = environment.db.begin().await.unwrap();
    let name = trainyard_domain::ModelName::parse("m").unwrap();
    let cause = trainyard_domain::MoveCause::new(trainyard_domain::MoveReason::User, chrono::Utc::now());
    assert!(tx.models().set_alias(&name, "canary", 3, &cause).await.unwrap());
    tx.commit().await.unwrap();
    environment.queue.announce_models().await.unwrap();
    trainyard_testkit::eventually("the alias is served", crate::environment::TIMEOUT, async || {
        (ask(json!({"alias": "canary"})).await.body["version"] == 3).then_some(())
    })
    .await;
    assert_eq!(ask(json!({})).await.body["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_batches_are_answered_in_order() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let rows: Vec<Value> = rows().into_iter().cycle().take(5_000).collect();
    let answer = role.predict(json!({"instances": rows})).await;
    let predictions = answer.body["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 5_000);
    assert!(predictions.iter().enumerate().all(|(i, one)| *one == predictions[i % ROWS]));
}

#[tokio::test(flavor = "multi_thread")]
async fn explanations_add_up_to_the_prediction() {
    let environment = Environment::new().await;
    environment.publish("titanic-rf", models::survival(0)).await;
    environment.publish("port", models::port()).await;
    let role = environment.serve().await;
    let sum = |answer: &Value| {
        let explanation = &answer["explanation"];
        let contributions = explanation["contributions"].as_object().unwrap();
        explanation["baseline"].as_f64().unwrap() + contributions.values().filter_map(Value::as_f64).sum::<f64>()
    };
    let rows = rows();
    let many = role.predict(json!({"model": "titanic-rf", "instances": rows, "explain": true})).await;
    assert_eq!(many.status, 200, "{many:?}");
    for (row, answer) in rows.iter().zip(many.body["predictions"].as_array().unwrap()) {
        let prob = answer["prob"].as_f64().unwrap();
        assert!((sum(answer) - prob).abs() < 1e-6, "{row}: {answer}");
        assert_eq!(answer["explanation"]["scale"], "probability");
        let by_sex = answer["explanation"]["contributions"]["sex"].as_f64().unwrap();
        assert_eq!(by_sex > 0.0, row["sex"] == "female", "{row}: {answer}");
    }
    let one = role.predict(json!({"model": "titanic-rf", "features": rows[3], "explain": true})).await;
    assert_eq!(one.body["explanation"], many.body["predictions"][3]["explanation"]);
    let plain = role.predict(json!({"model": "titanic-rf", "features": rows[3], "explain": false})).await;
    assert!(plain.body.get("explanation").is_none(), "{plain:?}");
    assert_eq!(plain.body["prob"], one.body["prob"]);

    // Several classes: the probability of the predicted class.
    let port = role.predict(json!({"model": "port", "features": {}, "explain": true})).await.body;
    let predicted = port["embarked"].as_str().unwrap();
    assert!((sum(&port) - port["probabilities"][predicted].as_f64().unwrap()).abs() < 1e-6, "{port}");
}
