//! Versions, aliases and artifacts.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;
use trainyard_testkit::{System, eventually, unique};

use crate::support::{on_both_stacks, quick_job};

on_both_stacks!(
    versions_count_up_and_the_first_gets_the_alias_production,
    moving_an_alias_changes_the_served_version,
    a_downloaded_artifact_has_the_published_digest,
    a_model_in_onnxruntime_answers_as_the_service,
    a_model_card_has_the_figures_of_a_version,
    deleting_removes_rows_and_artifacts_but_no_version_with_an_alias,
);

/// The time limit of the check in Python.
const TIME_LIMIT: Duration = Duration::from_secs(60);

async fn versions_count_up_and_the_first_gets_the_alias_production(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("versions");
    for expected in 1..=2 {
        assert_eq!(admin.trained(quick_job(&name)).await["model"]["version"], expected);
    }
    let model = admin.get(&format!("/models/{name}")).await.expect(200);
    assert_eq!(model["name"], name.as_str());
    let first = admin.get(&format!("/models/{name}/versions/1")).await.expect(200);
    assert_eq!(first["aliases"], json!(["production"]));
    assert_eq!(first["algorithm"], "random_forest");
    assert_eq!(first["features"], json!(["sex", "age", "pclass"]));
    assert!(first["metrics"]["accuracy"].is_f64());
    let second = admin.get(&format!("/models/{name}/versions/2")).await.expect(200);
    assert_eq!(second["aliases"], json!([]));
    let listed = admin.get("/models?limit=100").await.expect(200);
    assert!(listed["items"].as_array().unwrap().iter().any(|model| model["name"] == name.as_str()));
    for missing in
        ["/models/nothing-here", &format!("/models/{name}/versions/9"), &format!("/models/{name}/versions/x")]
    {
        admin.get(missing).await.problem(404);
    }
}

async fn moving_an_alias_changes_the_served_version(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("alias");
    for _ in 1..=2 {
        admin.trained(quick_job(&name)).await;
    }
    let row = json!({"sex": "male", "age": 40, "pclass": 3});
    let plain = json!({"model": name, "features": row});
    admin.served(plain.clone(), &json!(1)).await;
    admin.put(&format!("/models/{name}/aliases/production"), json!({"version": 2})).await.expect(200);
    admin.served(plain, &json!(2)).await;
    admin.put(&format!("/models/{name}/aliases/shadow"), json!({"version": 1})).await.expect(200);
    admin.served(json!({"model": name, "alias": "shadow", "features": row}), &json!(1)).await;
    admin.put(&format!("/models/{name}/aliases/shadow"), json!({"version": 9})).await.refused(&["version"]);
    admin.put(&format!("/models/{name}/aliases/3"), json!({"version": 1})).await.refused(&["alias"]);
    admin.delete(&format!("/models/{name}/aliases/shadow")).await.expect(204);
    eventually("the alias is gone", Duration::from_secs(10), async || {
        let answer = admin.infer(json!({"model": name, "alias": "shadow", "features": row})).await;
        (answer.status == 404).then_some(())
    })
    .await;
}

async fn a_downloaded_artifact_has_the_published_digest(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("artifact");
    admin.trained(quick_job(&name)).await;
    let path = format!("/models/{name}/versions/1");
    let version = admin.get(&path).await.expect(200);
    let answer = admin.request(reqwest::Method::GET, &format!("{path}/artifact")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(bytes.len(), version["size"].as_u64().unwrap() as usize);
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(version["sha256"], digest);
    system.client().user().await.get(&format!("{path}/artifact")).await.problem(403);
}

async fn a_model_in_onnxruntime_answers_as_the_service(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("onnx");
    admin.trained(quick_job(&name)).await;
    admin.served(json!({"model": name, "features": {"sex": "male"}}), &json!(1)).await;
    let rows = json!([
        {"sex": "female", "age": 29, "pclass": 1}, {"sex": "männlich", "age": 40.5, "pclass": 3}, {"pclass": 2},
    ]);
    let answer = admin.infer(json!({"model": name, "instances": rows})).await.expect(200);
    let predictions = answer["predictions"].as_array().unwrap();
    let labels: Vec<_> = predictions.iter().map(|row| u8::from(row["survived"] == json!(true))).collect();
    let probs = predictions.iter().map(|row| row["prob"].as_f64().unwrap());
    let path = format!("/models/{name}/versions/1/artifact?format=onnx");
    let answer = admin.request(reqwest::Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let sha256 = answer.headers()["x-artifact-sha256"].to_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.onnx"), answer.bytes().await.unwrap()).unwrap();
    let numbers = |values: Value| json!({"type": "double", "values": values});
    let case = json!({
        "name": name, "file": "model.onnx", "rows": 3, "order": ["sex", "age", "pclass"],
        "inputs": {
            "sex": {"type": "string", "values": ["female", "männlich", ""]},
            "age": numbers(json!([29, 40.5, null])),
            "pclass": numbers(json!([1, 3, 2])),
        },
        "outputs": ["label", "probabilities"],
        "expected": {"label": labels, "probabilities": probs.map(|prob| [1.0 - prob, prob]).collect::<Vec<_>>()},
        "metadata": {"model": name, "version": "1", "artifact_sha256": sha256, "classes": "[0,1]"},
    });
    std::fs::write(folder.path().join("cases.json"), json!([case]).to_string()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = root.join("target/tools/onnxruntime/bin/python");
    assert!(python.exists(), "onnxruntime is not installed: run scripts/ensure onnxruntime");
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(root.join("tests/onnxruntime/check.py")).arg(folder.path());
    let run = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(TIME_LIMIT, run).await.expect("the check ends within its time").unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    system.client().user().await.get(&path).await.problem(403);
}

async fn a_model_card_has_the_figures_of_a_version(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("card");
    let mut job = quick_job(&name);
    job["params"]["cv"] = json!(3);
    let trained = admin.trained(job).await;
    let user = system.client().user().await;
    let answer = user.get(&format!("/models/{name}/versions/1/card")).await;
    assert_eq!(answer.header("content-type"), "text/markdown; charset=utf-8");
    let card = answer.expect(200);
    let card = card.as_str().unwrap();
    assert!(card.starts_with(&format!("# {name} version 1\n")), "{card}");
    assert!(card.contains("| Dataset | titanic version 1, 1309 rows |"), "{card}");
    assert!(card.contains("## Cross-validation") && card.contains("| n\\_trees | 10 |"), "{card}");
    assert!(card.contains(trained["job_id"].as_str().unwrap()), "{card}");
    user.get(&format!("/models/{name}/versions/2/card")).await.problem(404);
}

async fn deleting_removes_rows_and_artifacts_but_no_version_with_an_alias(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("deleted");
    for _ in 1..=2 {
        admin.trained(quick_job(&name)).await;
    }
    admin.delete(&format!("/models/{name}/versions/1")).await.problem(409);
    admin.delete(&format!("/models/{name}/versions/2")).await.expect(204);
    admin.get(&format!("/models/{name}/versions/2")).await.problem(404);
    let third = admin.trained(quick_job(&name)).await;
    assert_eq!(third["model"]["version"], 3, "a version number is never reused");
    admin.delete(&format!("/models/{name}")).await.problem(409);
    admin.delete(&format!("/models/{name}?force=true")).await.expect(204);
    admin.get(&format!("/models/{name}")).await.problem(404);
    let job: Value = admin.get(&format!("/training/{}", third["job_id"].as_str().unwrap())).await.expect(200);
    assert_eq!(job["status"], "succeeded", "the job stays");
    eventually("the pool lets go of it", Duration::from_secs(10), async || {
        let answer = admin.infer(json!({"model": name, "features": {}})).await;
        (answer.status == 404).then_some(())
    })
    .await;
}
