//! The request log: its content, its limits, and an object store that is unavailable.

use std::collections::BTreeMap;
use std::io::Read as _;

use chrono::{DateTime, Utc};
use flate2::read::GzDecoder;
use reqwest::Method;
use serde_json::{Value, json};
use trainyard_inference::InferenceConfig;
use trainyard_telemetry::catalogue::INFERENCE_REQUEST_LOG_ROWS_TOTAL;
use trainyard_testkit::eventually;

use crate::answer::RawAnswer;
use crate::environment::{Environment, RunningRole, TIMEOUT, config};
use crate::models;
use crate::v2_tensors::passengers;

macro_rules! on_both_stores {
    ($($test:ident),+ $(,)?) => {
        mod file {
            use crate::environment::Environment;

            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(Environment::new().await).await;
            })+
        }
        mod s3 {
            use crate::environment::Environment;

            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(Environment::on_s3().await).await;
            })+
        }
    };
}

on_both_stores!(
    the_log_has_exactly_the_answered_requests,
    objects_have_a_limited_size,
    without_a_store_requests_are_answered_and_rows_are_counted_as_lost,
);

/// All requests are logged, and written at the stop.
pub(crate) fn all_logged() -> InferenceConfig {
    InferenceConfig { request_log_share: 1.0, request_log_flush_s: 3_600, ..config() }
}

/// The text of every object of the log.
async fn objects(environment: &Environment) -> Vec<String> {
    let mut texts = Vec::new();
    for (key, ..) in environment.store.list("requests").await.unwrap() {
        let today = Utc::now().format("requests/%Y/%m/").to_string();
        assert!(key.as_str().starts_with(&today) && key.as_str().ends_with(".jsonl.gz"), "{key}");
        let bytes = environment.store.head(&key, 1 << 22).await.unwrap();
        let mut text = String::new();
        GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        texts.push(text);
    }
    texts
}

/// The lines of the log by request id, in the order of the rows.
pub(crate) async fn lines(environment: &Environment) -> BTreeMap<String, Vec<Value>> {
    let mut lines: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in objects(environment).await.iter().flat_map(|text| text.lines()) {
        let line: Value = serde_json::from_str(line).unwrap();
        lines.entry(line["request_id"].as_str().unwrap().to_owned()).or_default().push(line);
    }
    for rows in lines.values_mut() {
        rows.sort_by_key(|line| line["row"].as_u64());
    }
    lines
}

/// Sends a body as a request with this id.
async fn send(role: &RunningRole, path: &str, id: &str, body: &Value) -> RawAnswer {
    let headers = [("content-type", "application/json"), ("x-request-id", id)];
    role.call(Method::POST, path, &headers, body.to_string().into_bytes()).await
}

async fn the_log_has_exactly_the_answered_requests(environment: Environment) {
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve_with(all_logged()).await;
    let began = Utc::now();
    let one =
        send(&role, "/inference", "one", &json!({"model": "m", "features": {"sex": "female", "age": null}})).await;
    let rows = json!([{"sex": "male", "age": 40.5, "pclass": 3}, {"sex": "female", "age": 2}]);
    let many = send(&role, "/inference", "many", &json!({"model": "m", "instances": rows, "explain": true})).await;
    // The answer names one output, and the log has the whole prediction.
    let tensors = json!({"inputs": passengers(), "outputs": [{"name": "predict"}]});
    let v2 = send(&role, "/v2/models/m/infer", "tensors", &tensors).await;
    let refused = send(&role, "/inference", "refused", &json!({"model": "m", "features": {"age": "old"}})).await;
    let missing = send(&role, "/inference", "missing", &json!({"model": "nothing", "features": {}})).await;
    assert_eq!([&one, &many, &v2, &refused, &missing].map(|answer| answer.status), [200, 200, 200, 422, 404]);
    let tensor_rows: Vec<Value> =
        role.predict(json!({"model": "m", "instances": crate::v2_tensors::passenger_rows()})).await.body["predictions"]
            .as_array()
            .unwrap()
            .clone();
    assert_eq!(objects(&environment).await, Vec::<String>::new(), "nothing is due before the stop");
    let (token, user) = (role.token.clone(), environment.user.clone());
    role.stop().await;

    let all = objects(&environment).await.concat();
    for secret in [token.as_str(), user.email.as_str(), &user.id.to_string(), "Bearer", "authorization"] {
        assert!(!all.contains(secret), "the log contains {secret}");
    }
    let mut lines = lines(&environment).await;
    let of = |lines: &mut BTreeMap<String, Vec<Value>>, id: &str| lines.remove(id).unwrap_or_default();
    let of_one = of(&mut lines, "one");
    assert_eq!(of_one.len(), 1);
    let line = &of_one[0];
    let mut answer = one.json();
    let source = ["model", "version"].map(|name| answer.as_object_mut().unwrap().remove(name).unwrap());
    assert_eq!([&line["model"], &line["version"]], [&source[0], &source[1]]);
    assert_eq!((&line["prediction"], &line["features"]), (&answer, &json!({"sex": "female", "age": null})));
    assert_eq!((&line["row"], &line["rows"]), (&json!(0), &json!(1)));
    let time: DateTime<Utc> = line["time"].as_str().unwrap().parse().unwrap();
    assert!(time >= began - chrono::Duration::seconds(1) && time <= Utc::now(), "{time}");
    assert!(line["latency_ms"].as_f64().unwrap() > 0.0, "{line}");
    let of_many = of(&mut lines, "many");
    for (row, line) in of_many.iter().enumerate() {
        assert_eq!((&line["features"], &line["row"], &line["rows"]), (&rows[row], &json!(row), &json!(2)));
        assert_eq!(line["prediction"], many.json()["predictions"][row]);
    }
    let of_tensors = of(&mut lines, "tensors");
    assert_eq!((of_many.len(), of_tensors.len()), (2, 3));
    for ((line, predicted), row) in of_tensors.iter().zip(&tensor_rows).zip(0..) {
        assert_eq!(&line["prediction"], predicted, "tensors have the predictions of rows");
        let expected = crate::v2_tensors::passenger_rows()[row].clone();
        for feature in ["sex", "age", "pclass"] {
            let (found, expected) = (&line["features"][feature], &expected[feature]);
            // Tensors have the number 29.0 for 29.
            let is_same = if expected.is_number() { found.as_f64() == expected.as_f64() } else { found == expected };
            assert!(is_same, "{feature}: {line}");
        }
    }
    // The rows of `predict` above.
    assert_eq!(lines.into_values().map(|rows| rows.len()).collect::<Vec<_>>(), [3], "no other request is logged");
}

async fn objects_have_a_limited_size(environment: Environment) {
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve_with(InferenceConfig { request_log_object_bytes: 2_000, ..all_logged() }).await;
    let lost = || environment.counter_value(INFERENCE_REQUEST_LOG_ROWS_TOTAL, "too_large");
    let before = lost();
    let rows: Vec<_> = (0..100).map(|age| json!({"sex": "male", "age": age})).collect();
    assert_eq!(role.predict(json!({"instances": rows})).await.status, 200);
    assert_eq!(role.predict(json!({"features": {"sex": "x".repeat(5_000)}})).await.status, 200);
    role.stop().await;
    let objects = objects(&environment).await;
    assert!(
        objects.iter().all(|text| text.len() <= 2_000),
        "{:?}",
        objects.iter().map(String::len).collect::<Vec<_>>()
    );
    let mut ages: Vec<_> =
        lines(&environment).await.into_values().flatten().map(|line| line["features"]["age"].clone()).collect();
    ages.sort_by_key(Value::as_u64);
    assert_eq!(ages, (0..100).map(|age| json!(age)).collect::<Vec<_>>());
    assert!(lost() >= before + 1.0, "the long row is counted");
}

async fn without_a_store_requests_are_answered_and_rows_are_counted_as_lost(environment: Environment) {
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve_with(InferenceConfig { request_log_flush_s: 1, ..all_logged() }).await;
    role.wait_until_serving("m", 1).await;
    std::fs::remove_dir_all(&environment.objects).unwrap();
    // The file store creates a missing folder. A file can't contain objects.
    let is_file_store = environment.objects.starts_with(environment.folder.path());
    if is_file_store {
        std::fs::write(&environment.objects, "").unwrap();
    }
    let lost = || environment.counter_value(INFERENCE_REQUEST_LOG_ROWS_TOTAL, "store_failed");
    let before = lost();
    for _ in 0..20 {
        assert_eq!(role.predict(json!({"instances": [{"sex": "male"}, {}]})).await.status, 200);
    }
    eventually("the lost rows are counted", TIMEOUT * 3, async || (lost() >= before + 40.0).then_some(())).await;
    assert_eq!(role.predict(json!({"features": {}})).await.status, 200);
    // With the store the log goes on.
    if is_file_store {
        std::fs::remove_file(&environment.objects).unwrap();
    }
    // The S3 server may have created its folder again.
    std::fs::create_dir_all(&environment.objects).unwrap();
    assert_eq!(role.predict(json!({"features": {"age": 77}})).await.status, 200);
    role.stop().await;
    let ages: Vec<_> =
        lines(&environment).await.into_values().flatten().map(|line| line["features"]["age"].clone()).collect();
    assert!(ages.contains(&json!(77)), "{ages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_fit_into_the_queue_is_answered_and_counted() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve_with(InferenceConfig { request_log_buffer_bytes: 4_000, ..all_logged() }).await;
    let lost = || environment.counter_value(INFERENCE_REQUEST_LOG_ROWS_TOTAL, "queue_full");
    let before = lost();
    let rows: Vec<_> = (0..200).map(|age| json!({"sex": "male", "age": age})).collect();
    assert_eq!(role.predict(json!({"instances": rows})).await.status, 200);
    assert_eq!(lost(), before + 200.0);
    assert_eq!(role.predict(json!({"features": {"age": 5}})).await.status, 200);
    role.stop().await;
    let lines: Vec<_> = lines(&environment).await.into_values().flatten().collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["features"], json!({"age": 5}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_the_requests_is_logged_and_none_by_default() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let share = async |request_log_share: f64| {
        let role = environment.serve_with(InferenceConfig { request_log_share, ..all_logged() }).await;
        for age in 0..400 {
            assert_eq!(role.predict(json!({"features": {"age": age}})).await.status, 200);
        }
        role.stop().await;
        lines(&environment).await.len()
    };
    assert_eq!(config().request_log_share, 0.0);
    assert_eq!(share(0.0).await, 0);
    // 100 requests are expected, with a standard deviation of 9.
    let logged = share(0.25).await;
    assert!((40..160).contains(&logged), "{logged} of 400 requests");
}
