//! Bulk actions whose process is killed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use trainyard_testkit::{Client, System, distributed_settings, eventually, unique};

use crate::support::{BINARY, later_job};

/// Enough jobs for more than a second.
const JOBS: usize = 10_000;
const LIMIT: Duration = Duration::from_secs(60);

async fn submit(admin: &Client, name: &str, jobs: usize) {
    for _ in 0..jobs / 1_000 {
        let body = json!({"jobs": vec![later_job(name); 1_000]});
        admin.post("/training/bulk", body).await.expect(202);
    }
}

async fn count(admin: &Client, query: &str) -> i64 {
    admin.get(&format!("/training/count?{query}")).await.expect(200)["count"].as_i64().unwrap()
}

/// How often each job is named in the audit entries of an action.
async fn changes(admin: &Client, subject: &str) -> BTreeMap<String, usize> {
    let (mut changes, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = admin.get(&format!("/admin/audit?limit=100{cursor}")).await.expect(200);
        for entry in page["items"].as_array().unwrap().iter().filter(|entry| entry["subject"] == subject) {
            for job in entry["detail"]["jobs"].as_array().into_iter().flatten() {
                *changes.entry(job.as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return changes,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_survives_its_process() {
    let start = || {
        let mut settings = distributed_settings();
        settings.push(("TRAINYARD__API__ACTION_LEASE_S".into(), "1".into()));
        settings.push(("TRAINYARD__API__ACTION_POLL_MS".into(), "100".into()));
        settings.push(("TRAINYARD__API__MAX_JOBS_PER_USER".into(), "20000".into()));
        System::start_roles(BINARY, &["api", "api"], settings)
    };
    let mut system = tokio::task::spawn_blocking(start).await.unwrap();
    let (one, two) = (system.client_of(0).admin().await, system.client_of(1).admin().await);
    let name = unique("bulk");
    submit(&one, &name, JOBS).await;
    for action in ["cancel", "retry"] {
        let body = json!({"action": action, "filter": {"name": name}, "expect_count": JOBS});
        let accepted = one.post("/training/actions", body).await.expect(202);
        let url = accepted["status_url"].as_str().unwrap().to_owned();
        let processed = async || two.get(&url).await.expect(200)["processed"].as_u64().unwrap();
        eventually("the action has begun", LIMIT, async || (processed().await > 0).then_some(())).await;
        // Whichever process carries out the action: first one dies, then the other.
        system.kill(0);
        let half_way = processed().await;
        assert!(half_way < JOBS as u64, "the processes are killed in the middle");
        eventually("the action goes on", LIMIT, async || (processed().await > half_way).then_some(())).await;
        system = tokio::task::spawn_blocking(move || {
            system.resume(0);
            system.wait_ready(0);
            system
        })
        .await
        .unwrap();
        let finished = eventually("the action has finished", LIMIT, async || {
            let action = one.get(&url).await.expect(200);
            (action["status"] != "running").then_some(action)
        })
        .await;
        let numbers = ["status", "total", "processed", "changed", "skipped"].map(|field| finished[field].clone());
        let expected = [json!("succeeded"), json!(JOBS), json!(JOBS), json!(JOBS), json!(0)];
        assert_eq!(numbers, expected);
        let subject = format!("action:{}", accepted["action_id"].as_str().unwrap());
        let changes = changes(&one, &subject).await;
        assert!(changes.len() == JOBS && changes.values().all(|times| *times == 1), "each job is changed once");
        let status = if action == "cancel" { "cancelled" } else { "queued" };
        assert_eq!(count(&one, &format!("name={name}&status={status}")).await, JOBS as i64);
    }
}
