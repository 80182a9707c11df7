//! Published models.

use axum::body::Body;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use trainyard_api::ApiConfig;
use trainyard_artifacts::Key;
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::spec::LearningOptions;
use trainyard_domain::{Algorithm, JobId, ModelName, Promotion, Training};
use trainyard_ml::train::{Observer, TrainRequest, train};
use trainyard_storage::NewVersion;

use crate::support::{Api, Caller, config};

/// Publishes a version as a worker does; returns the digest of the artifact.
pub async fn publish(api: &Api, admin: &Caller<'_>, name: &str) -> String {
    publish_with(api, admin, name, json!({}), |job_id| format!("artifact of {job_id}").into()).await
}

/// Publishes a version of a job with these `column_types`, with an artifact for the id of the job.
async fn publish_with(
    api: &Api,
    admin: &Caller<'_>,
    name: &str,
    column_types: Value,
    artifact: impl FnOnce(JobId) -> Bytes,
) -> String {
    let job = json!({
        "name": name, "algorithm": "random_forest", "features": ["sex", "age"], "column_types": column_types
    });
    let job_id = admin.post("/training", job).await.ok(202)["job_id"].as_str().unwrap().parse::<JobId>().unwrap();
    let key = Key::artifact(job_id, 1);
    let stored = api.state.store.put_bytes(&key, artifact(job_id)).await.unwrap();
    let mut tx = api.state.db.begin().await.unwrap();
    let (now, job) = (tx.now().await.unwrap(), tx.jobs().get(job_id).await.unwrap().unwrap());
    let training = job.spec.training().unwrap();
    let version = NewVersion {
        name: ModelName::parse(name).unwrap(),
        job_id,
        algorithm: Algorithm::RandomForest,
        features: training.features.clone(),
        target: training.target.clone(),
        metrics: json!({"accuracy": 0.8}),
        dataset_id: job.dataset_id,
        size: i64::try_from(stored.size).unwrap(),
        sha256: stored.sha256.clone(),
        artifact_key: key.as_str().to_owned(),
        traceparent: None,
        now,
        promotion: Promotion::FirstOnly,
    };
    tx.models().publish(&version).await.unwrap();
    tx.commit().await.unwrap();
    stored.sha256
}

#[tokio::test]
async fn a_version_names_its_job_and_dataset() {
    let api = Api::start().await;
    let (admin, user) = (api.admin().await, api.user("ada@example.com").await);
    let sha256 = publish(&api, &admin, "m").await;
    publish(&api, &admin, "m").await;
    let mut first = user.get("/models/m/versions/1").await.ok(200);
    let signature = first.as_object_mut().unwrap().remove("signature").unwrap();
    let sex = json!({"name": "sex", "dtype": "category", "values": ["male", "female"], "values_complete": true});
    let age = json!({
        "name": "age", "dtype": "number", "min": 0.1667, "max": 80.0, "values": [], "values_complete": false
    });
    assert_eq!(signature, json!([sex, age]), "the signature has what a form needs, without counts");
    assert_eq!((&first["dataset"], &first["dataset_version"]), (&json!("titanic"), &json!(1)));
    assert_eq!((&first["sha256"], &first["aliases"]), (&json!(sha256), &json!(["production"])));
    let model = user.get("/models/m?limit=1").await.ok(200);
    assert_eq!((&model["aliases"], &model["versions"][0]["version"]), (&json!({"production": 1}), &json!(2)));
    let cursor = model["next_cursor"].as_str().unwrap();
    let next = user.get(&format!("/models/m?limit=1&cursor={cursor}")).await.ok(200);
    assert_eq!((&next["versions"][0], &next["next_cursor"]), (&first, &json!(null)));
    let listed = user.get("/models").await.ok(200);
    assert_eq!((&listed["items"][0]["name"], &listed["items"][0]["latest"]["version"]), (&json!("m"), &json!(2)));
    for path in ["/models/none", "/models/No%20Name", "/models/m/versions/9", "/models/m/versions/x", "/models/%FF"] {
        user.get(path).await.problem(404);
    }
}

#[tokio::test]
async fn the_signature_has_the_types_of_the_job() {
    let api = Api::start().await;
    let admin = api.admin().await;
    publish_with(&api, &admin, "m", json!({"age": "category"}), |_| Bytes::from_static(b"artifact")).await;
    let version = admin.get("/models/m/versions/1").await.ok(200);
    let age = json!({"name": "age", "dtype": "category", "values": [], "values_complete": false});
    assert_eq!((&version["signature"][0]["dtype"], &version["signature"][1]), (&json!("category"), &age));
}

#[tokio::test]
async fn an_artifact_is_verified_before_the_download() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let sha256 = publish(&api, &admin, "m").await;
    let path = "/models/m/versions/1/artifact";
    let answer = admin.get(path).await;
    assert!(answer.bytes.starts_with(b"artifact of "), "{answer:?}");
    assert_eq!(
        (answer.header("x-artifact-sha256"), answer.header("etag")),
        (sha256.as_str(), &*format!("\"{sha256}\""))
    );
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"m-v1.tym\"");
    assert_eq!(answer.header("content-length"), answer.bytes.len().to_string());
    let request = admin.request(Method::GET, path).header("if-none-match", format!("\"{sha256}\""));
    assert_eq!(admin.send(request, Body::empty()).await.status, 304);
    assert_eq!(admin.get(&format!("{path}?format=tym")).await.bytes, answer.bytes);
    assert_eq!(admin.get(&format!("{path}?format=pickle")).await.refused(), ["format"]);
    assert_eq!(api.leftovers(), Vec::<String>::new());

    // An artifact with another digest is not sent.
    let key = api.state.db.read().await.unwrap().models().version(&ModelName::parse("m").unwrap(), 1).await.unwrap();
    let key = Key::parse(&key.unwrap().artifact_key).unwrap();
    api.state.store.put_bytes(&key, Bytes::from_static(b"something else")).await.unwrap();
    assert!(admin.get(path).await.status.is_server_error());
}

/// A model as a worker trains it.
fn trained_artifact() -> Bytes {
    struct Quiet;
    impl Observer for Quiet {
        fn progress(&self, _: &str, _: f64) {}
        fn cancelled(&self) -> bool {
            false
        }
    }
    let csv = include_str!("../../../datasets/titanic.csv");
    let Value::Object(params) = json!({"n_trees": 200}) else { unreachable!() };
    let spec = Training {
        algorithm: Algorithm::RandomForest,
        features: ["sex", "age"].map(String::from).to_vec(),
        target: "survived".into(),
        params,
        learning: LearningOptions::default(),
        warnings: vec![],
        auto_promote: None,
        seed: 1,
    };
    let profile = trainyard_csv::profile(csv.as_bytes(), &ReadOptions::default(), &Limits::default()).unwrap();
    let (schema, dataset_sha256) = (profile.schema(), "00".repeat(32));
    let request = TrainRequest { spec, schema, dataset_sha256, memory_limit: None, artifact_limit: None };
    train(csv.as_bytes(), &request, &Quiet).unwrap().artifact.into()
}

#[tokio::test]
async fn a_version_is_converted_to_onnx() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let sha256 = publish_with(&api, &admin, "m", json!({}), |_| trained_artifact()).await;
    let path = "/models/m/versions/1/artifact?format=onnx";
    let answer = admin.get(path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"m-v1.onnx\"");
    assert_eq!(answer.header("content-length"), answer.bytes.len().to_string());
    assert_eq!(answer.header("x-artifact-sha256"), sha256);
    // The inputs and the outputs of the graph. The content of the file is tested with onnxruntime.
    for name in ["sex", "age", "label", "probabilities", &sha256] {
        assert!(answer.bytes.windows(name.len()).any(|part| part == name.as_bytes()), "no {name}");
    }
    let unchanged = admin.get("/models/m/versions/1/artifact").await;
    assert_ne!(answer.header("etag"), unchanged.header("etag"));
    let request = admin.request(Method::GET, path).header("if-none-match", answer.header("etag"));
    assert_eq!(admin.send(request, Body::empty()).await.status, 304);
    assert_eq!(admin.get(path).await.bytes, answer.bytes, "the permit of the first conversion is free again");
    admin.get("/models/m/versions/2/artifact?format=onnx").await.problem(404);
    assert_eq!(api.leftovers(), Vec::<String>::new());

    // The content of this artifact is no model.
    publish(&api, &admin, "broken").await;
    admin.get("/models/broken/versions/1/artifact?format=onnx").await.problem(500);
    assert_eq!(api.leftovers(), Vec::<String>::new());
}

#[tokio::test]
async fn a_version_above_the_limit_is_not_converted() {
    let artifact = trained_artifact();
    // Below the size of the artifact, and between the sizes of the artifact and of the ONNX file.
    for max_onnx_bytes in [1, artifact.len() as u64] {
        let api = Api::with(ApiConfig { max_onnx_bytes, ..config() }).await;
        let admin = api.admin().await;
        publish_with(&api, &admin, "m", json!({}), |_| artifact.clone()).await;
        let refused = admin.get("/models/m/versions/1/artifact?format=onnx").await;
        let detail = refused.json["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(&format!("{max_onnx_bytes} bytes (api.max_onnx_bytes)")), "{detail}");
        assert_eq!(refused.refused(), ["format"]);
        assert_eq!(api.leftovers(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn aliases_move_and_protect_their_versions() {
    let api = Api::start().await;
    let admin = api.admin().await;
    publish(&api, &admin, "m").await;
    publish(&api, &admin, "m").await;
    let put = async |alias: &str, body| admin.json(Method::PUT, &format!("/models/m/aliases/{alias}"), body).await;
    let moved = put("production", json!({"version": 2})).await.ok(200);
    assert_eq!(moved, json!({"name": "m", "alias": "production", "version": 2}));
    assert_eq!(put("production", json!({"version": 9})).await.refused(), ["version"]);
    assert_eq!(put("production", json!({})).await.refused(), ["version"]);
    assert_eq!(put("3", json!({"version": 1})).await.refused(), ["alias"]);
    admin.json(Method::PUT, "/models/none/aliases/x", json!({"version": 1})).await.problem(404);

    let before = api.objects().await;
    admin.delete("/models/m/versions/2").await.problem(409);
    admin.delete("/models/m").await.problem(409);
    admin.delete("/models/m/versions/1").await.ok(204);
    admin.delete("/models/m/versions/2?force=true").await.ok(204);
    assert_eq!(api.objects().await, before - 2);
    admin.delete("/models/m/aliases/production").await.problem(404);
    assert_eq!(admin.delete("/models/m?force=perhaps").await.refused(), ["force"]);
    admin.delete("/models/m").await.ok(204);
    admin.get("/models/m").await.problem(404);
}
