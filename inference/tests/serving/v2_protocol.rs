//! The sentences of the Open Inference Protocol V2 (REST) and of its extensions, each with a request and the expected answer.

mod inference;

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::RawAnswer;
use crate::environment::{Environment, RunningRole};
use crate::models;

/// What a sentence demands of a field.
enum Demand {
    /// A string.
    Text,
    /// An object, list or number with this value.
    Is(Value),
    /// A list of strings.
    Texts,
    /// A list with this many entries.
    Length(usize),
    /// A whole number of 0 or more.
    Count,
    /// Absent.
    Absent,
}
use Demand::{Absent, Count, Is, Length, Text, Texts};

/// A sentence, its request, the status, and the demands by JSON pointer.
struct Check(&'static str, Method, &'static str, Value, u16, Vec<(&'static str, Demand)>);

impl Demand {
    fn is_met(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Absent, found) => found.is_none(),
            (_, None) => false,
            (Text, Some(found)) => found.is_string(),
            (Is(expected), Some(found)) => found == expected,
            (Texts, Some(found)) => found.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            (Length(length), Some(found)) => found.as_array().is_some_and(|list| list.len() == *length),
            (Count, Some(found)) => found.is_u64(),
        }
    }
}

async fn send(role: &RunningRole, method: &Method, path: &str, body: &Value) -> RawAnswer {
    let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
    role.call(method.clone(), path, &[("content-type", "application/json")], body).await
}

async fn hold(checks: Vec<Check>) -> usize {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.publish("progression", models::progression()).await;
    let role = environment.serve().await;
    let count = checks.len();
    for Check(sentence, method, path, body, status, demands) in checks {
        let answer = send(&role, &method, path, &body).await;
        let found = answer.json();
        assert_eq!(answer.status, status, "{sentence}: {method} {path} answered {found}");
        assert!(answer.header("content-type").starts_with("application/json"), "{sentence}");
        for (pointer, demand) in demands {
            assert!(demand.is_met(found.pointer(pointer)), "{sentence}: {pointer} of {method} {path}: {found}");
        }
    }
    count
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const INFER: &str = "/v2/models/m/infer";

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metadata_follow_the_text() {
    let nothing = Value::Null;
    let checks = vec![
        Check(
            "server live: 200 and `live`",
            GET,
            "/v2/health/live",
            nothing.clone(),
            200,
            vec![("/live", Is(json!(true)))],
        ),
        Check(
            "server ready: 200 and `ready`",
            GET,
            "/v2/health/ready",
            nothing.clone(),
            200,
            vec![("/ready", Is(json!(true)))],
        ),
        Check(
            "server metadata: a descriptive name",
            GET,
            "/v2",
            nothing.clone(),
            200,
            vec![("/name", Is(json!("trainyard")))],
        ),
        Check("server metadata: the version as a string", GET, "/v2", nothing.clone(), 200, vec![("/version", Text)]),
        Check(
            "server metadata: the supported extensions",
            GET,
            "/v2",
            nothing.clone(),
            200,
            vec![("/extensions", Is(json!(["binary_tensor_data", "model_repository", "statistics"])))],
        ),
        Check(
            "model ready: name and `ready`",
            GET,
            "/v2/models/m/ready",
            nothing.clone(),
            200,
            vec![("", Is(json!({"name": "m", "ready": true})))],
        ),
        Check(
            "model ready: the version is part of the path",
            GET,
            "/v2/models/m/versions/1/ready",
            nothing.clone(),
            200,
            vec![("/ready", Is(json!(true)))],
        ),
        Check(
            "model ready: errors have an object with `error`",
            GET,
            "/v2/models/x/ready",
            nothing.clone(),
            404,
            vec![("/error", Text)],
        ),
        Check(
            "model metadata: the name of the model",
            GET,
            "/v2/models/m",
            nothing.clone(),
            200,
            vec![("/name", Is(json!("m")))],
        ),
        Check(
            "model metadata: versions are strings",
            GET,
            "/v2/models/m",
            nothing.clone(),
            200,
            vec![("/versions", Is(json!(["1"]))), ("/versions", Texts)],
        ),
        Check(
            "model metadata: the platform is <project>_<format>",
            GET,
            "/v2/models/m",
            nothing.clone(),
            200,
            vec![("/platform", Is(json!("trainyard_random_forest")))],
        ),
        Check(
            "model metadata: inputs have name, datatype and shape",
            GET,
            "/v2/models/m",
            nothing.clone(),
            200,
            vec![
                ("/inputs", Length(3)),
                ("/inputs/0", Is(json!({"name": "sex", "datatype": "BYTES", "shape": [-1]}))),
                ("/inputs/1", Is(json!({"name": "age", "datatype": "FP64", "shape": [-1]}))),
            ],
        ),
        Check(
            "model metadata: outputs have name, datatype and shape",
            GET,
            "/v2/models/m",
            nothing.clone(),
            200,
            vec![
                ("/outputs/0", Is(json!({"name": "predict", "datatype": "BOOL", "shape": [-1]}))),
                ("/outputs/1", Is(json!({"name": "predict_proba", "datatype": "FP32", "shape": [-1, 2]}))),
            ],
        ),
        Check(
            "model metadata: parameters",
            GET,
            "/v2/models/m",
            nothing.clone(),
            200,
            vec![("/parameters", Is(json!({"classes": [false, true]})))],
        ),
        Check(
            "model metadata: a model of numbers takes a matrix",
            GET,
            "/v2/models/progression",
            nothing.clone(),
            200,
            vec![("/parameters", Is(json!({"matrix_input": "input"}))), ("/outputs", Length(1))],
        ),
        Check(
            "model metadata: of a version",
            GET,
            "/v2/models/m/versions/1",
            nothing.clone(),
            200,
            vec![("/name", Is(json!("m")))],
        ),
        Check(
            "model metadata: an unknown model is an error",
            GET,
            "/v2/models/x",
            nothing.clone(),
            404,
            vec![("/error", Text)],
        ),
        Check(
            "model metadata: an unknown version is an error",
            GET,
            "/v2/models/m/versions/2",
            nothing,
            404,
            vec![("/error", Text)],
        ),
    ];
    assert_eq!(hold(checks).await, 18);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extensions_follow_their_text() {
    let nothing = Value::Null;
    let index = "/v2/repository/index";
    let stats = "/v2/models/m/stats";
    let checks = vec![
        Check(
            "index: name, version, state and reason",
            POST,
            index,
            json!({}),
            200,
            vec![("/0", Is(json!({"name": "m", "version": "1", "state": "READY", "reason": ""}))), ("", Length(2))],
        ),
        Check("index: only ready models", POST, index, json!({"ready": true}), 200, vec![("", Length(2))]),
        Check("index: an error has `error`", POST, index, json!({"ready": "yes"}), 400, vec![("/error", Text)]),
        Check(
            "statistics: of all models",
            GET,
            "/v2/models/stats",
            nothing.clone(),
            200,
            vec![("/model_stats", Length(2))],
        ),
        Check(
            "statistics: of a model",
            GET,
            stats,
            nothing.clone(),
            200,
            vec![
                ("/model_stats", Length(1)),
                ("/model_stats/0/name", Is(json!("m"))),
                ("/model_stats/0/version", Is(json!("1"))),
            ],
        ),
        Check(
            "statistics: of a version",
            GET,
            "/v2/models/m/versions/1/stats",
            nothing.clone(),
            200,
            vec![
                ("/model_stats/0/inference_count", Count),
                ("/model_stats/0/execution_count", Count),
                ("/model_stats/0/last_inference", Count),
                ("/model_stats/0/batch_stats", Length(0)),
            ],
        ),
        Check(
            "statistics: durations are counts and nanoseconds",
            GET,
            stats,
            nothing.clone(),
            200,
            vec![
                ("/model_stats/0/inference_stats/success/count", Count),
                ("/model_stats/0/inference_stats/success/ns", Count),
                ("/model_stats/0/inference_stats/fail/ns", Count),
                ("/model_stats/0/inference_stats/queue/ns", Count),
                ("/model_stats/0/inference_stats/compute_input/ns", Count),
                ("/model_stats/0/inference_stats/compute_infer/ns", Count),
                ("/model_stats/0/inference_stats/compute_output/ns", Count),
                ("/model_stats/0/inference_stats/cache_hit/ns", Count),
            ],
        ),
        Check(
            "statistics: an unknown model is an error",
            GET,
            "/v2/models/x/stats",
            nothing,
            404,
            vec![("/error", Text)],
        ),
    ];
    assert_eq!(hold(checks).await, 8);
}
