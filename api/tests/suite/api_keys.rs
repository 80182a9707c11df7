//! API keys: created, listed and deleted by their account.

use chrono::Duration;
use http::Method;
use serde_json::{Value, json};
use trainyard_api::AccountsConfig;

use crate::support::{Api, Caller, accounts, config};

async fn create(caller: &Caller<'_>, body: Value) -> Value {
    caller.post("/api-keys", body).await.ok(201)
}

/// A caller with this key.
fn with_key<'a>(api: &'a Api, created: &Value) -> Caller<'a> {
    api.caller(&json!({"access_token": created["key"]}))
}

#[tokio::test]
async fn a_key_is_shown_once_and_used_like_an_access_token() {
    let api = Api::start().await;
    let ada = api.user("ada@example.com").await;
    let answer = ada.post("/api-keys", json!({"name": " shop "})).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let created = answer.ok(201);
    let key = created["key"].as_str().unwrap();
    assert!(key.starts_with("ty_") && key.starts_with(created["prefix"].as_str().unwrap()), "{created}");
    assert_eq!((&created["name"], &created["role"]), (&json!("shop"), &json!("user")));
    assert_eq!((&created["expires_at"], &created["last_used_at"]), (&Value::Null, &Value::Null));

    let me = with_key(&api, &created).get("/me").await.ok(200);
    assert_eq!((&me["email"], &me["role"]), (&json!("ada@example.com"), &json!("user")));
    let list = ada.get("/api-keys").await.ok(200);
    assert_eq!(list["items"][0]["id"], created["id"]);
    let trail = api.admin().await.get("/admin/audit").await.ok(200);
    assert!(trail.to_string().contains("api_key.create"), "{trail}");
    for text in [list.to_string(), trail.to_string()] {
        assert!(!text.contains(key), "the key is shown only once: {text}");
    }
}

#[tokio::test]
async fn the_request_for_a_key_names_every_invalid_field() {
    let api = Api::start().await;
    let (ada, admin) = (api.user("ada@example.com").await, api.admin().await);
    let refused = async |body| ada.post("/api-keys", body).await.refused();
    let past = (api.clock.now() - Duration::seconds(1)).to_rfc3339();
    let all = json!({"name": " ", "role": "admin", "expires_at": past});
    assert_eq!(refused(all).await, ["name", "role", "expires_at"]);
    assert_eq!(refused(json!({"name": "x", "role": "owner"})).await, ["role"]);
    assert_eq!(refused(json!({"name": "x", "expires_at": "tomorrow"})).await, ["expires_at"]);
    assert_eq!(refused(json!({"name": "x", "scope": "all"})).await, ["scope"]);
    create(&admin, json!({"name": "x", "role": "admin"})).await;
}

#[tokio::test]
async fn a_key_expires_and_its_account_can_have_a_limited_number() {
    let api = Api::with_accounts(config(), AccountsConfig { max_api_keys_per_user: 2, ..accounts() }).await;
    let ada = api.user("ada@example.com").await;
    let until = (api.clock.now() + Duration::hours(1)).to_rfc3339();
    let key = create(&ada, json!({"name": "one", "expires_at": until})).await;
    let caller = with_key(&api, &key);
    caller.get("/me").await.ok(200);
    create(&ada, json!({"name": "two"})).await;
    let refused = ada.post("/api-keys", json!({"name": "three"})).await.problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("auth.max_api_keys_per_user"), "{refused}");
    create(&api.user("bob@example.com").await, json!({"name": "one"})).await;

    api.clock.advance(Duration::minutes(59));
    caller.get("/me").await.ok(200);
    api.clock.advance(Duration::minutes(1));
    let expired = caller.get("/me").await;
    assert!(expired.header("www-authenticate").starts_with("Bearer"));
    let expired = expired.problem(401);
    assert!(expired["detail"].as_str().unwrap().contains("expired"), "{expired}");
    assert_eq!(expired["code"], "unauthenticated", "a client can't refresh a key");
}

#[tokio::test]
async fn only_the_account_deletes_its_keys() {
    let api = Api::start().await;
    let (ada, bob, admin) = (api.user("ada@example.com").await, api.user("bob@example.com").await, api.admin().await);
    let key = create(&ada, json!({"name": "one"})).await;
    let path = format!("/api-keys/{}", key["id"].as_str().unwrap());
    assert_eq!(bob.get("/api-keys").await.ok(200)["items"], json!([]));
    bob.delete(&path).await.problem(404);
    admin.delete(&path).await.problem(404);
    ada.delete(&path).await.ok(204);
    ada.delete(&path).await.problem(404);
    with_key(&api, &key).get("/me").await.problem(401);
    let trail = admin.get("/admin/audit?action=api_key.delete").await.ok(200);
    assert_eq!(trail["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_has_its_own_role_and_cannot_create_credentials() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let user_key = with_key(&api, &create(&admin, json!({"name": "user"})).await);
    assert_eq!(user_key.get("/me").await.ok(200)["role"], "user");
    user_key.get("/admin/users").await.problem(403);

    let created = create(&admin, json!({"name": "admin", "role": "admin"})).await;
    let key = with_key(&api, &created);
    key.get("/admin/users").await.ok(200);
    assert_eq!(key.get("/api-keys").await.ok(200)["items"].as_array().unwrap().len(), 2);
    let own = admin.get("/me").await.ok(200)["id"].as_str().unwrap().to_owned();
    let own_key = created["id"].as_str().unwrap();
    let password = json!({"current_password": "x", "new_password": "long enough"});
    for (method, path, body) in [
        (Method::POST, "/api-keys".to_owned(), json!({"name": "more"})),
        (Method::DELETE, format!("/api-keys/{own_key}"), Value::Null),
        (Method::PUT, "/me/password".to_owned(), password),
        (Method::POST, "/admin/users".to_owned(), json!({"email": "eve@example.com"})),
        (Method::PATCH, format!("/admin/users/{own}"), json!({"disabled": false})),
        (Method::DELETE, format!("/admin/users/{own}"), Value::Null),
        (Method::POST, format!("/admin/users/{own}/reset-password"), Value::Null),
    ] {
        let refused = key.json(method.clone(), &path, body).await.problem(403);
        assert!(refused["detail"].as_str().unwrap().contains("API key"), "{method} {path}: {refused}");
    }
    // The audit trail names the key that was used.
    key.post("/queue/pause", Value::Null).await;
    let trail = admin.get("/admin/audit?action=queue.pause").await.ok(200);
    assert_eq!(trail["items"][0]["detail"]["api_key"], created["id"], "{trail}");
}
