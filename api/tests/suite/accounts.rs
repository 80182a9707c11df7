//! Sessions and accounts.

use http::Method;
use serde_json::{Value, json};

use crate::support::Api;

fn ada() -> Value {
    json!({"email": "ada@example.com", "password": "long enough"})
}

#[tokio::test]
async fn a_new_account_can_sign_in_and_its_address_is_taken() {
    let api = Api::start().await;
    let account = api.anon().post("/signup", ada()).await.ok(201);
    assert_eq!((&account["email"], &account["role"]), (&json!("ada@example.com"), &json!("user")));
    let taken = api.anon().post("/signup", json!({"email": "ADA@example.com", "password": "long enough"})).await;
    taken.problem(409);
    let session = api.anon().post("/login", ada()).await.ok(200);
    assert_eq!((&session["token_type"], &session["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(session["user"], account);
    let mut me = api.caller(&session).get("/me").await.ok(200);
    assert_eq!(me.as_object_mut().unwrap().remove("may_read"), Some(json!([])));
    assert_eq!(me, account);
}

#[tokio::test]
async fn a_sign_up_lists_every_invalid_field() {
    let api = Api::start().await;
    let signup = async |body: Value| api.anon().post("/signup", body).await.refused();
    assert_eq!(signup(json!({"email": "nobody", "password": "short"})).await, ["email", "password"]);
    assert_eq!(signup(json!({"email": "a@example.com", "password": "x".repeat(73)})).await, ["password"]);
    assert_eq!(signup(json!({"email": "a@example.com", "password": "long enough", "role": "admin"})).await, ["role"]);
}

#[tokio::test]
async fn every_refused_sign_in_has_the_same_response() {
    let api = Api::start().await;
    let account = api.user("ada@example.com").await.get("/me").await.ok(200);
    let admin = api.admin().await;
    let login = async |email: &str, password: &str| {
        let mut problem = api.anon().post("/login", json!({"email": email, "password": password})).await.problem(401);
        problem["request_id"] = Value::Null;
        problem
    };
    let wrong = login("ada@example.com", "not that one").await;
    assert_eq!(wrong["code"], "invalid_credentials");
    assert_eq!(wrong, login("eve@example.com", "not that one").await);
    assert_eq!(wrong, login("no address at all", "x").await);
    let id = account["id"].as_str().unwrap();
    admin.json(Method::PATCH, &format!("/admin/users/{id}"), json!({"disabled": true})).await.ok(200);
    assert_eq!(wrong, login("ada@example.com", "long enough").await);
}

#[tokio::test]
async fn a_refresh_token_works_once_and_a_reuse_ends_the_session() {
    let api = Api::start().await;
    api.anon().post("/signup", ada()).await.ok(201);
    let refresh = async |token: &Value| api.anon().post("/refresh", json!({"refresh_token": token})).await;
    let first = api.anon().post("/login", ada()).await.ok(200)["refresh_token"].take();
    let other = api.anon().post("/login", ada()).await.ok(200)["refresh_token"].take();

    let mut second = refresh(&first).await.ok(200);
    api.caller(&second).get("/me").await.ok(200);
    let second = second["refresh_token"].take();
    api.clock.advance(chrono::Duration::seconds(10));
    refresh(&first).await.problem(401);
    // The session is revoked for the thief and for the owner. Another session of the account stays valid.
    refresh(&second).await.problem(401);
    refresh(&other).await.ok(200);
    let audit = api.admin().await.get("/admin/audit").await.ok(200);
    assert!(audit["items"].as_array().unwrap().iter().any(|entry| entry["action"] == "session.reuse_detected"));
}

#[tokio::test]
async fn sessions_end_by_expiry_and_by_sign_out() {
    let api = Api::start().await;
    api.anon().post("/signup", ada()).await.ok(201);
    let session = api.anon().post("/login", ada()).await.ok(200);
    let logout = async || {
        api.anon().post("/logout", json!({"refresh_token": session["refresh_token"]})).await.ok(204);
    };
    logout().await;
    logout().await;
    api.anon().post("/refresh", json!({"refresh_token": session["refresh_token"]})).await.problem(401);

    let session = api.anon().post("/login", ada()).await.ok(200);
    api.clock.advance(chrono::Duration::hours(2));
    assert_eq!(api.caller(&session).get("/me").await.problem(401)["code"], "token_expired");
    api.clock.advance(chrono::Duration::days(40));
    api.anon().post("/refresh", json!({"refresh_token": session["refresh_token"]})).await.problem(401);
}

#[tokio::test]
async fn the_last_active_administrator_can_not_be_demoted_or_disabled() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let me = admin.get("/me").await.ok(200);
    let patch = async |id: &Value, body: Value| {
        admin.json(Method::PATCH, &format!("/admin/users/{}", id.as_str().unwrap()), body).await
    };
    patch(&me["id"], json!({"role": "user"})).await.problem(409);
    patch(&me["id"], json!({"disabled": true})).await.problem(409);
    assert_eq!(admin.get("/me").await.ok(200), me, "a refused change has no effect");

    let user = api.user("ada@example.com").await;
    let id = user.get("/me").await.ok(200)["id"].take();
    let promoted = patch(&id, json!({"role": "admin"})).await.ok(200);
    assert_eq!((&promoted["role"], &promoted["disabled"]), (&json!("admin"), &json!(false)));
    user.get("/admin/users").await.ok(200);
    patch(&me["id"], json!({"role": "user"})).await.ok(200);
    admin.get("/admin/users").await.problem(403);
}

#[tokio::test]
async fn the_audit_trail_names_actor_subject_and_request() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let me = admin.get("/me").await.ok(200);
    let user = api.user("ada@example.com").await.get("/me").await.ok(200);
    let path = format!("/admin/users/{}", user["id"].as_str().unwrap());
    let changed = admin.json(Method::PATCH, &path, json!({"disabled": true})).await;
    let request_id = changed.header("x-request-id").to_owned();
    let trail = admin.get("/admin/audit?limit=1").await.ok(200);
    let entry = &trail["items"][0];
    assert_eq!((&entry["actor"], &entry["action"]), (&me["id"], &json!("account.update")));
    assert_eq!(entry["subject"], format!("user:{}", user["id"].as_str().unwrap()));
    assert_eq!(entry["request_id"], request_id);
    let cursor = trail["next_cursor"].as_str().unwrap();
    let next = admin.get(&format!("/admin/audit?limit=1&cursor={cursor}")).await.ok(200);
    assert_eq!(next["items"][0]["action"], "account.create");
}
