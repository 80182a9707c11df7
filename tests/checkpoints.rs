//! Training jobs whose worker is killed or drained continue from their last checkpoint, to the bytes of an unbroken run.

use std::time::Duration;

use serde_json::{Value, json};
use trainyard_testkit::{Client, Stack, System, eventually, unique};

use crate::support::{BINARY, metric};

const LIMIT: Duration = Duration::from_secs(120);

/// A dead worker is noticed within two seconds, a drained one gives its job back at once. Checkpoints are frequent, and jobs are
/// long on one thread.
const QUICK: &[(&str, &str)] = &[
    ("TRAINYARD__WORKER__CHECKPOINT_INTERVAL_S", "1"),
    ("TRAINYARD__WORKER__CHILD_THREADS", "1"),
    ("TRAINYARD__WORKER__GRACE_S", "0"),
    ("TRAINYARD__WORKER__LEASE_S", "3"),
    ("TRAINYARD__WORKER__RENEW_EVERY_S", "1"),
    ("TRAINYARD__SWEEP__WORKER_DEAD_AFTER_S", "2"),
];

async fn start(stack: Stack) -> System {
    tokio::task::spawn_blocking(move || System::start_with(BINARY, stack, 1, QUICK)).await.unwrap()
}

/// Uploads a table on which a forest of small trees grows for many seconds.
async fn long_forest(admin: &Client, name: &str) -> Value {
    let cell = |row: u64, column: u64| ((row * 7_919 + column * 104_729).wrapping_mul(2_654_435_761) >> 9) & 1_023;
    let row = |row: u64| {
        let cells: Vec<u64> = (0..8).map(|column| cell(row, column)).collect();
        let class = u8::from(cells[0] + cells[1] / 2 + cell(row, 9) / 4 > 900);
        format!("{},{class}\n", cells.iter().map(u64::to_string).collect::<Vec<_>>().join(","))
    };
    let csv: String = std::iter::once("a,b,c,d,e,f,g,h,y\n".to_owned()).chain((0..60_000).map(row)).collect();
    admin.upload(name, csv).await.expect(201);
    json!({
        "name": name, "algorithm": "random_forest", "dataset": name, "target": "y", "features": ["*"],
        "params": {"n_trees": 2_000, "max_depth": 6, "max_features": "all"}
    })
}

/// A search of the built-in dataset that ends after a number of trials, whatever its time is.
fn search(name: &str) -> Value {
    json!({
        "name": name, "algorithm": "auto",
        "features": ["pclass", "sex", "age", "sibsp", "parch", "fare", "embarked"],
        "params": {"budget_s": 1_800, "max_trials": 30}
    })
}

/// Waits until the process that trains has stored a checkpoint since its start.
async fn until_checkpoint(system: &System, worker: usize) {
    let url = format!("{}/metrics", system.urls()[worker].1);
    eventually("a checkpoint is stored", LIMIT, async || {
        let text = reqwest::get(&url).await.ok()?.text().await.ok()?;
        metric(&text, r#"trainyard_training_checkpoints_total{result="stored"}"#).filter(|count| *count > 0.0)
    })
    .await;
}

async fn sha256(admin: &Client, name: &str, view: &Value) -> String {
    assert_eq!(view["status"], "succeeded", "{view}");
    let version = admin.get(&format!("/models/{name}/versions/{}", view["model"]["version"])).await.expect(200);
    version["sha256"].as_str().unwrap().to_owned()
}

/// The log lines of a job that continued.
async fn resumed(admin: &Client, id: &str) -> Vec<String> {
    let events = admin.events(id, None).await.rest().await;
    let log = events.iter().filter_map(|event| event.data["message"].as_str());
    log.filter(|message| message.starts_with("resumed from checkpoint: ")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_and_a_drained_worker_change_no_byte_of_a_forest() {
    let mut system = start(Stack::Distributed).await;
    let admin = system.client().admin().await;
    let (name, worker) = (unique("forest"), system.workers()[0]);
    let job = long_forest(&admin, &name).await;
    let id = admin.submit(job.clone()).await;
    until_checkpoint(&system, worker).await;
    tokio::task::block_in_place(|| {
        system.kill(worker);
        system.resume(worker);
        system.wait_ready(worker);
    });
    until_checkpoint(&system, worker).await;
    tokio::task::block_in_place(|| {
        assert!(system.terminate(worker).success());
        system.resume(worker);
        system.wait_ready(worker);
    });
    let view = admin.finished(&id).await;
    let interrupted = sha256(&admin, &name, &view).await;
    let lines = resumed(&admin, &id).await;
    let trees = |line: &String| line.split(' ').nth(3).unwrap().parse::<u32>().unwrap();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.ends_with(" of 2000 trees")), "{lines:?}");
    assert!(0 < trees(&lines[0]) && trees(&lines[0]) < trees(&lines[1]), "{lines:?}");
    assert_eq!(interrupted, sha256(&admin, &name, &admin.trained(job).await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_changes_no_byte_of_a_search() {
    let mut system = start(Stack::Embedded).await;
    let admin = system.client().admin().await;
    let (name, worker) = (unique("search"), system.workers()[0]);
    let id = admin.submit(search(&name)).await;
    until_checkpoint(&system, worker).await;
    tokio::task::block_in_place(|| {
        system.kill(worker);
        system.resume(worker);
        system.wait_ready(worker);
    });
    let view = admin.finished(&id).await;
    let interrupted = sha256(&admin, &name, &view).await;
    let lines = resumed(&admin, &id).await;
    assert!(lines.len() == 1 && lines[0].contains(" of the budget"), "{lines:?}");
    assert_eq!(view["metrics"]["search"]["trials"], 30);
    assert_eq!(interrupted, sha256(&admin, &name, &admin.trained(search(&name)).await).await);
}
