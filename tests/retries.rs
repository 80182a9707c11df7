//! Dead letters: failed jobs are listed with their reason and retried by filter.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use trainyard_testkit::{Client, Stack, System, eventually, unique};

use crate::support::{BINARY, long_job, on_both_stacks, quick_job};

on_both_stacks!(failed_jobs_of_a_filter_run_again, jobs_that_can_not_be_retried_are_skipped_and_listed,);

/// A dataset called `name` whose rows with a target have no feature, which only training finds out, and a job on it.
async fn hopeless(admin: &Client, name: &str) -> Value {
    admin.upload(name, "x,y\n,a\n,b\n,a\n,b\n1,\n2,\n").await.expect(201);
    json!({"name": name, "algorithm": "random_forest", "dataset": name, "target": "y", "features": ["x"]})
}

async fn failed(admin: &Client, job: &Value) -> String {
    let id = admin.submit(job.clone()).await;
    let view = admin.finished(&id).await;
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("bad_data")), "{view}");
    id
}

async fn failed_jobs_of_a_filter_run_again(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("dead");
    let job = hopeless(&admin, &name).await;
    let ids = [failed(&admin, &job).await, failed(&admin, &job).await];
    let letters = admin.get(&format!("/training?status=failed&name={name}")).await.expect(200);
    let letters = letters["items"].as_array().unwrap();
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|job| job["error"]["code"] == "bad_data"), "with the reason: {letters:?}");

    let retry = async |filter: Value| admin.post("/training/retry", filter).await.expect(202);
    let none = json!({"retried": 0, "skipped_total": 0, "skipped": [], "more": false});
    assert_eq!(retry(json!({"name": name, "error_code": "crashed"})).await, none);
    assert_eq!(retry(json!({"name": name, "status": "cancelled"})).await, none);
    let one = retry(json!({"name": name, "limit": 1})).await;
    assert_eq!((&one["retried"], &one["more"]), (&json!(1), &json!(true)), "{one}");
    let again = admin.finished(&ids[1]).await;
    assert_eq!((&again["status"], &again["error"]["code"]), (&json!("failed"), &json!("bad_data")), "the newest ran");

    let both = retry(json!({"name": name, "error_code": "bad_data", "algorithm": "random_forest"})).await;
    assert_eq!((&both["retried"], &both["more"]), (&json!(2), &json!(false)), "{both}");
    for id in &ids {
        admin.finished(id).await;
    }
    let mut waits = quick_job(&name);
    waits["run_at"] = json!("2100-01-01T00:00:00Z");
    let stopped = admin.submit(waits).await;
    admin.post(&format!("/training/{stopped}/cancel"), Value::Null).await.expect(202);
    let cancelled = retry(json!({"name": name, "status": "cancelled"})).await;
    assert_eq!(cancelled["retried"], 1, "{cancelled}");
    assert_eq!(admin.finished(&stopped).await["status"], "succeeded");
    admin.post("/training/retry", json!({"status": "succeeded"})).await.refused(&["status"]);
    admin.post("/training/retry", json!({"error_code": "bad_luck"})).await.refused(&["error_code"]);
    admin.post("/training/retry", json!({"name": "No", "limit": 0})).await.refused(&["name", "limit"]);
    system.client().user().await.post("/training/retry", json!({})).await.problem(403);
}

async fn jobs_that_can_not_be_retried_are_skipped_and_listed(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("orphan");
    let job = hopeless(&admin, &name).await;
    let id = failed(&admin, &job).await;
    admin.delete(&format!("/datasets/{name}")).await.expect(204);
    let answer = admin.post("/training/retry", json!({"name": name})).await.expect(202);
    assert_eq!((&answer["retried"], &answer["skipped_total"]), (&json!(0), &json!(1)), "{answer}");
    assert_eq!(answer["skipped"][0]["job_id"], id.as_str());
    assert!(answer["skipped"][0]["reason"].as_str().unwrap().contains("dataset"), "{answer}");
}

/// Training processes of the system with the data folder `folder`.
fn training(folder: &Path) -> Vec<i32> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let process = entry.ok()?.path();
        let command = std::fs::read_to_string(process.join("cmdline")).ok()?;
        let is_ours = std::fs::read_link(process.join("cwd")).ok()?.starts_with(folder);
        let pid = process.file_name()?.to_str()?.parse().ok()?;
        (is_ours && command.contains("train-task")).then_some(pid)
    });
    processes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_job_is_a_dead_letter_and_can_be_retried() {
    let system = tokio::task::spawn_blocking(|| System::start(BINARY, Stack::Embedded)).await.unwrap();
    let admin = system.client().admin().await;
    let name = unique("poison");
    let id = admin.submit(long_job(&admin, &name, 500).await).await;
    let view = eventually("three deaths are poison", Duration::from_secs(120), async || {
        // Listed before the job is read, so that no process of a later attempt is among them.
        let processes = training(system.folder());
        let view = admin.get(&format!("/training/{id}")).await.expect(200);
        // The training has begun. A crash before the first report could be a lack of memory.
        let trains = view["status"] == "running" && view["phase"].is_string();
        for pid in processes.into_iter().filter(|_| trains) {
            std::process::Command::new("kill").args(["-SEGV", &pid.to_string()]).status().unwrap();
        }
        assert_ne!(view["status"], "succeeded", "it was faster than the murderer");
        (view["status"] == "failed").then_some(view)
    })
    .await;
    assert_eq!(view["error"]["code"], "crashed", "{view}");
    let letters = admin.get("/training?status=failed").await.expect(200);
    assert_eq!(letters["items"][0]["job_id"], id.as_str());
    let answer = admin.post("/training/retry", json!({"error_code": "crashed"})).await.expect(202);
    assert_eq!(answer["retried"], 1, "{answer}");
    let view = admin.finished(&id).await;
    assert_eq!((&view["status"], &view["attempt"]), (&json!("succeeded"), &json!(1)), "a fresh start: {view}");
}
