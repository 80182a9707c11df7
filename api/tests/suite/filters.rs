//! Filters, search, counts and bulk actions of jobs.

use std::time::Duration;

use serde_json::{Value, json};
use trainyard_testkit::eventually;

use crate::support::{Api, Caller, accounts, config};
use crate::training::with;

/// Submits jobs for these models; returns their ids, newest first.
async fn submit(admin: &Caller<'_>, names: &[&str]) -> Vec<Value> {
    let jobs: Vec<_> = names.iter().map(|name| with(json!({"name": name}))).collect();
    let accepted = admin.post("/training/bulk", json!({"jobs": jobs})).await.ok(202);
    let ids = accepted["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].clone());
    ids.rev().collect()
}

async fn names(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let list = caller.get(&format!("/training?{query}")).await.ok(200);
    let counted = caller.get(&format!("/training/count?{query}")).await.ok(200);
    let names: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(counted, json!({"count": names.len(), "more": false}), "{query}");
    names
}

async fn finished(admin: &Caller<'_>, accepted: &Value) -> Value {
    let url = accepted["status_url"].as_str().unwrap().to_owned();
    eventually("the action has finished", Duration::from_secs(30), async || {
        let action = admin.get(&url).await.ok(200);
        (action["status"] != "running").then_some(action)
    })
    .await
}

#[tokio::test]
async fn jobs_are_filtered_counted_and_searched() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let ids = submit(&admin, &["titanic-a", "titanic-b", "other"]).await;
    let cancelled = ids[0].as_str().unwrap();
    admin.post(&format!("/training/{cancelled}/cancel"), Value::Null).await.ok(202);
    for (query, expected) in [
        ("status=queued,cancelled", vec!["other", "titanic-b", "titanic-a"]),
        ("status=!queued", vec!["other"]),
        ("name=!titanic-a,other", vec!["titanic-b"]),
        ("dataset=titanic&search=oth", vec!["other"]),
        ("dataset=!titanic", vec![]),
        ("search=titanic-&status=queued", vec!["titanic-b", "titanic-a"]),
        ("search=admin@example", vec!["other", "titanic-b", "titanic-a"]),
        ("algorithm=!svm,decision_tree&error_code=!crashed&name=other", vec!["other"]),
        (&format!("search={cancelled}"), vec!["other"]),
    ] {
        assert_eq!(names(&admin, query).await, expected, "{query}");
    }
    for (query, field) in [
        ("status=queued,done", "status"),
        ("name=No", "name"),
        ("dataset=!", "dataset"),
        ("algorithm=", "algorithm"),
        ("created_by=me", "created_by"),
        ("error_code=bad_luck", "error_code"),
        ("search=a+b+c+d+e+f", "search"),
    ] {
        assert_eq!(admin.get(&format!("/training?{query}")).await.refused(), [field]);
        assert_eq!(admin.get(&format!("/training/count?{query}")).await.refused(), [field]);
    }
}

#[tokio::test]
async fn users_cannot_search_e_mail_addresses() {
    let read = trainyard_domain::access::ReadSection::Training;
    let accounts = trainyard_api::AccountsConfig { users_may_read: vec![read], ..accounts() };
    let api = Api::with_accounts(config(), accounts).await;
    let admin = api.admin().await;
    submit(&admin, &["a"]).await;
    let user = api.user("eve@example.com").await;
    assert_eq!(names(&admin, "search=admin@").await, ["a"]);
    assert!(names(&user, "search=admin@").await.is_empty());
    assert_eq!(names(&user, "search=titanic").await, ["a"]);
}

#[tokio::test]
async fn an_action_cancels_and_retries_the_jobs_that_match() {
    let api = Api::start().await;
    let admin = api.admin().await;
    submit(&admin, &["a", "a", "b"]).await;
    let wrong_count = json!({"action": "cancel", "filter": {"name": "a"}, "expect_count": 3});
    let detail = admin.post("/training/actions", wrong_count).await.problem(409)["detail"].clone();
    assert_eq!(detail, "2 jobs match, and expect_count is 3; count again");
    let cancel = json!({"action": "cancel", "filter": {"name": "a"}, "expect_count": 2});
    let answer = admin.post("/training/actions", cancel).await;
    assert_eq!(answer.header("location"), answer.json["status_url"].as_str().unwrap());
    let accepted = answer.ok(202);
    assert_eq!((&accepted["status"], &accepted["total"]), (&json!("running"), &json!(2)));
    let action = finished(&admin, &accepted).await;
    for (field, expected) in [
        ("action", json!("cancel")),
        ("filter", json!({"name": "a"})),
        ("status", json!("succeeded")),
        ("total", json!(2)),
        ("processed", json!(2)),
        ("changed", json!(2)),
        ("skipped", json!(0)),
        ("skipped_jobs", json!([])),
    ] {
        assert_eq!(action[field], expected, "{field}");
    }
    assert_eq!(names(&admin, "status=cancelled").await, ["a", "a"]);
    // The queued job is skipped.
    let accepted = admin.post("/training/actions", json!({"action": "retry", "filter": {}})).await.ok(202);
    let action = finished(&admin, &accepted).await;
    assert_eq!((&action["changed"], &action["skipped"]), (&json!(2), &json!(1)));
    assert_eq!(action["skipped_jobs"][0]["reason"], "only a failed or cancelled job can be retried");
    assert_eq!(names(&admin, "status=queued").await, ["b", "a", "a"]);
    let trail = admin.get("/admin/audit?limit=100").await.ok(200);
    let of_action = format!("action:{}", action["action_id"].as_str().unwrap());
    let entries: Vec<_> =
        trail["items"].as_array().unwrap().iter().filter(|entry| entry["subject"] == of_action).collect();
    assert_eq!(
        entries.iter().map(|entry| &entry["action"]).collect::<Vec<_>>(),
        ["training.retry_all", "training.action"]
    );
    assert_eq!(entries[0]["detail"]["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(entries[0]["actor"], entries[1]["actor"]);
}

#[tokio::test]
async fn an_invalid_action_is_refused() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let post = async |body: Value| admin.post("/training/actions", body).await;
    assert_eq!(post(json!({"action": "delete", "filter": {}})).await.refused(), ["action"]);
    assert_eq!(post(json!({"action": "cancel"})).await.refused(), ["filter"]);
    assert_eq!(post(json!({"action": "cancel", "filter": {"status": "done"}})).await.refused(), ["filter.status"]);
    assert_eq!(post(json!({"action": "cancel", "filter": {"limit": 1}})).await.refused(), ["filter.limit"]);
    assert_eq!(post(json!({"action": "cancel", "filter": {}, "expect_count": -1})).await.refused(), ["expect_count"]);
    admin.get("/training/actions/01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11").await.problem(404);
    let user = api.user("eve@example.com").await;
    user.post("/training/actions", json!({"action": "cancel", "filter": {}})).await.problem(403);
    let nothing =
        admin.post("/training/actions", json!({"action": "cancel", "filter": {}, "expect_count": 0})).await.ok(202);
    assert_eq!(finished(&admin, &nothing).await["status"], "succeeded");
}

#[tokio::test]
async fn the_history_of_the_queue_has_a_limit() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let mut tx = api.state.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    for minutes in [0, 59, 61] {
        tx.queue_history().sample(now - chrono::TimeDelta::minutes(minutes)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let points = async |query: &str| {
        let history = admin.get(&format!("/queue/history{query}")).await.ok(200);
        assert_eq!(history["interval_s"], 60);
        history["points"].as_array().unwrap().clone()
    };
    assert_eq!(points("?minutes=90").await.len(), 3);
    let hour = points("").await;
    assert!((1..=2).contains(&hour.len()), "{hour:?}");
    let newest = hour.last().unwrap();
    assert_eq!((&newest["queued"], &newest["oldest_age_s"]), (&json!(0), &Value::Null));
    for minutes in [0, 1_441] {
        assert_eq!(admin.get(&format!("/queue/history?minutes={minutes}")).await.refused(), ["minutes"]);
    }
    api.user("eve@example.com").await.get("/queue/history").await.problem(403);
}
