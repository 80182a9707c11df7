//! Read access: administrators may read everything, users their own jobs and the sections in `auth.users_may_read`.

use http::Method;
use serde_json::{Value, json};
use trainyard_api::AccountsConfig;
use trainyard_domain::access::ReadSection;

use crate::support::{Api, accounts, config};

const NO_JOB: &str = "/training/00000000-0000-7000-8000-000000000000";

fn job(more: Value) -> Value {
    let mut job = json!({"name": "m", "algorithm": "svm", "features": ["sex"], "run_at": "2999-01-01T00:00:00Z"});
    job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    job
}

#[tokio::test]
async fn a_user_may_read_models_and_the_configured_sections() {
    let closed = ["/training", "/datasets", "/datasets/titanic", "/schedules", "/webhooks/deliveries", "/queue"];
    let api = Api::start().await;
    let user = api.user("ada@example.com").await;
    for path in closed {
        user.get(path).await.problem(403);
    }
    for path in ["/models", "/algorithms", "/me"] {
        user.get(path).await.ok(200);
    }
    assert_eq!(user.get("/me").await.ok(200)["may_read"], json!([]));
    let all = api.admin().await.get("/me").await.ok(200);
    assert_eq!(all["may_read"], json!(["training", "datasets", "schedules", "webhooks", "queue"]));
    for section in ReadSection::ALL {
        let accounts = AccountsConfig { users_may_read: vec![section], ..accounts() };
        let api = Api::with_accounts(config(), accounts).await;
        let user = api.user("ada@example.com").await;
        assert_eq!(user.get("/me").await.ok(200)["may_read"], json!([section.as_str()]));
        for path in closed {
            let opened = path.starts_with(&format!("/{}", section.as_str()));
            assert_eq!(user.get(path).await.status, if opened { 200 } else { 403 }, "{path} with {section:?}");
        }
        user.post("/queue/pause", Value::Null).await.problem(403);
    }
}

#[tokio::test]
async fn a_submitter_may_read_the_own_jobs_only() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let ada = api.user("ada@example.com").await;
    let id = ada.get("/me").await.ok(200)["id"].as_str().unwrap().to_owned();
    let promote = async |role: &str| {
        admin.json(Method::PATCH, &format!("/admin/users/{id}"), json!({"role": role})).await.ok(200);
    };
    promote("admin").await;
    let own = ada.post("/training", job(json!({"webhook_url": "https://example.com/a?token=s3cret"}))).await.ok(202);
    let other = admin.post("/training", job(json!({}))).await.ok(202);
    promote("user").await;

    let own = own["status_url"].as_str().unwrap();
    let shown = ada.get(own).await.ok(200);
    assert_eq!(shown["spec"]["webhook_url"], "https://example.com/a?***", "masked, for the owner");
    let events = ada.request(Method::GET, &format!("{own}/events?follow=false"));
    assert_eq!(ada.send(events, "").await.status, 200);
    let other = other["status_url"].as_str().unwrap();
    for path in [other, NO_JOB, &format!("{other}/events"), &format!("{NO_JOB}/events")] {
        ada.get(path).await.problem(403);
    }
    admin.get(NO_JOB).await.problem(404);
}

#[tokio::test]
async fn a_webhook_url_is_masked_and_only_for_its_owner_and_administrators() {
    let accounts = AccountsConfig { users_may_read: ReadSection::ALL.to_vec(), ..accounts() };
    let api = Api::with_accounts(config(), accounts).await;
    let (admin, user) = (api.admin().await, api.user("ada@example.com").await);
    let hook = json!({"webhook_url": "https://example.com/hook?token=s3cret"});
    let submitted = admin.post("/training", job(hook.clone())).await.ok(202);
    let path = submitted["status_url"].as_str().unwrap();
    let mut spec = job(hook);
    spec.as_object_mut().unwrap().remove("run_at");
    let schedule = admin.post("/schedules", json!({"name": "s", "cron": "@yearly", "spec": spec})).await.ok(201);
    admin.post(&format!("{path}/cancel"), Value::Null).await.ok(202);
    let delivery = admin.get("/webhooks/deliveries").await.ok(200)["items"][0].take();
    let delivery_path = format!("/webhooks/deliveries/{}", delivery["id"].as_str().unwrap());
    let replayed = admin.post(&format!("{delivery_path}/replay"), Value::Null).await.ok(202);

    let masked = json!("https://example.com/hook?***");
    assert_eq!((&delivery["url"], &replayed["url"]), (&masked, &masked));
    assert_eq!(admin.get(path).await.ok(200)["spec"]["webhook_url"], masked);
    assert_eq!(schedule["spec"]["webhook_url"], masked);
    let schedule_path = format!("/schedules/{}", schedule["id"].as_str().unwrap());
    let paths = [path, "/training", &schedule_path, "/schedules", &delivery_path, "/webhooks/deliveries"];
    for path in paths {
        let seen = user.get(path).await.ok(200).to_string();
        assert!(!seen.contains("example.com/hook"), "{path}: {seen}");
        let seen = admin.get(path).await.ok(200).to_string();
        assert!(seen.contains("example.com/hook") && !seen.contains("s3cret"), "{path}: {seen}");
    }
    // The submitter may read the URL without the role `admin`.
    let id = user.get("/me").await.ok(200)["id"].as_str().unwrap().to_owned();
    let set_role = async |role: &str| {
        admin.json(Method::PATCH, &format!("/admin/users/{id}"), json!({"role": role})).await.ok(200);
    };
    set_role("admin").await;
    let own = user.post("/training", job(json!({"webhook_url": "https://example.com/own?x"}))).await.ok(202);
    user.post(&format!("{}/cancel", own["status_url"].as_str().unwrap()), Value::Null).await.ok(202);
    set_role("user").await;
    let deliveries = user.get("/webhooks/deliveries").await.ok(200);
    assert_eq!(deliveries["items"][0]["url"], "https://example.com/own?***", "{deliveries}");
    assert_eq!(deliveries["items"][1]["url"], Value::Null, "{deliveries}");
    let trail = admin.get("/admin/audit").await.ok(200).to_string();
    assert!(trail.contains("webhook.replay") && !trail.contains("s3cret"), "{trail}");
}
