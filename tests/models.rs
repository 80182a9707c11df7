//! Versions, aliases and artifacts.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use trainyard_testkit::{System, eventually, unique};

use crate::support::{on_both_stacks, quick_job};

on_both_stacks!(
    versions_count_up_and_the_first_gets_the_alias_production,
    moving_an_alias_changes_the_served_version,
    a_downloaded_artifact_has_the_published_digest,
    a_model_card_has_the_figures_of_a_version,
    deleting_removes_rows_and_artifacts_but_no_version_with_an_alias,
);

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
    eventually("the alias is gone", std::time::Duration::from_secs(10), async || {
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
    eventually("the pool lets go of it", std::time::Duration::from_secs(10), async || {
        let answer = admin.infer(json!({"model": name, "features": {}})).await;
        (answer.status == 404).then_some(())
    })
    .await;
}
