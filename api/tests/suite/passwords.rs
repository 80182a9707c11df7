//! Password changes, password resets, invitations and deleted accounts.

use chrono::Duration;
use http::Method;
use serde_json::{Value, json};

use crate::support::{ADMIN, Answer, Api, Caller};

async fn login(api: &Api, email: &str, password: &str) -> Answer {
    api.anon().post("/login", json!({"email": email, "password": password})).await
}

async fn change(caller: &Caller<'_>, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new});
    caller.json(Method::PUT, "/me/password", body).await
}

#[tokio::test]
async fn a_password_change_ends_all_other_sessions() {
    let api = Api::start().await;
    api.user("ada@example.com").await;
    let one = login(&api, "ada@example.com", "long enough").await.ok(200);
    let other = login(&api, "ada@example.com", "long enough").await.ok(200);
    api.clock.advance(Duration::seconds(1));
    let caller = api.caller(&one);
    change(&caller, "long enough", "another one").await.ok(204);

    caller.get("/me").await.ok(200);
    let refresh =
        async |session: &Value| api.anon().post("/refresh", json!({"refresh_token": session["refresh_token"]})).await;
    refresh(&one).await.ok(200);
    refresh(&other).await.problem(401);
    api.caller(&other).get("/me").await.problem(401);
    login(&api, "ada@example.com", "long enough").await.problem(401);
    let later = login(&api, "ada@example.com", "another one").await.ok(200);
    api.caller(&later).get("/me").await.ok(200);
    let trail = api.admin().await.get("/admin/audit").await.ok(200);
    assert!(trail.to_string().contains("account.change_password"), "{trail}");
}

#[tokio::test]
async fn a_password_change_needs_the_current_and_a_valid_new_password() {
    let api = Api::start().await;
    let ada = api.user("ada@example.com").await;
    change(&ada, "not that one", "another one").await.problem(401);
    assert_eq!(change(&ada, "long enough", "short").await.refused(), ["new_password"]);
    assert_eq!(change(&ada, "long enough", "long enough").await.refused(), ["new_password"]);
    change(&api.anon(), "long enough", "another one").await.problem(401);
    for _ in 0..60 {
        change(&ada, "not that one", "another one").await;
    }
    change(&ada, "not that one", "another one").await.problem(429);
    login(&api, "ada@example.com", "long enough").await.problem(429);
}

#[tokio::test]
async fn a_one_time_password_works_for_one_sign_in() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let invited = admin.post("/admin/users", json!({"email": "Bob@example.com", "role": "admin"})).await.ok(201);
    assert_eq!((&invited["email"], &invited["role"]), (&json!("bob@example.com"), &json!("admin")));
    let once = invited["one_time_password"].as_str().unwrap();
    admin.post("/admin/users", json!({"email": "bob@example.com", "role": "user"})).await.problem(409);
    assert_eq!(admin.post("/admin/users", json!({"email": "bob", "role": "user"})).await.refused(), ["email"]);
    assert_eq!(admin.post("/admin/users", json!({"email": "c@example.com", "role": "king"})).await.refused(), ["role"]);

    let session = login(&api, "bob@example.com", once).await.ok(200);
    assert_eq!(session["must_change_password"], true);
    login(&api, "bob@example.com", once).await.problem(401);
    change(&api.caller(&session), once, "my own password").await.ok(204);
    let session = login(&api, "bob@example.com", "my own password").await.ok(200);
    assert!(session.get("must_change_password").is_none(), "{session}");

    let late = admin.post("/admin/users", json!({"email": "late@example.com"})).await.ok(201);
    api.clock.advance(Duration::days(3));
    login(&api, "late@example.com", late["one_time_password"].as_str().unwrap()).await.problem(401);
}

#[tokio::test]
async fn a_password_reset_ends_all_sessions() {
    let api = Api::start().await;
    let (admin, ada) = (api.admin().await, api.user("ada@example.com").await);
    let id = ada.get("/me").await.ok(200)["id"].as_str().unwrap().to_owned();
    api.clock.advance(Duration::seconds(1));
    ada.post(&format!("/admin/users/{id}/reset-password"), Value::Null).await.problem(403);
    let reset = admin.post(&format!("/admin/users/{id}/reset-password"), Value::Null).await.ok(200);
    ada.get("/me").await.problem(401);
    login(&api, "ada@example.com", "long enough").await.problem(401);
    let once = reset["one_time_password"].as_str().unwrap();
    let session = login(&api, "ada@example.com", once).await.ok(200);
    api.caller(&session).get("/me").await.ok(200);
    login(&api, "ada@example.com", once).await.problem(401);
    let nobody = "00000000-0000-7000-8000-000000000000";
    admin.post(&format!("/admin/users/{nobody}/reset-password"), Value::Null).await.problem(404);
    let trail = admin.get("/admin/audit").await.ok(200).to_string();
    assert!(trail.contains("account.reset_password") && !trail.contains(once), "{trail}");
}

#[tokio::test]
async fn a_deleted_account_frees_its_address() {
    let api = Api::start().await;
    let (admin, ada) = (api.admin().await, api.user("ada@example.com").await);
    let id = ada.get("/me").await.ok(200)["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/users/{id}");
    ada.delete(&path).await.problem(403);
    admin.delete(&path).await.ok(204);
    ada.get("/me").await.problem(401);
    login(&api, "ada@example.com", "long enough").await.problem(401);
    admin.delete(&path).await.problem(404);
    admin.json(Method::PATCH, &path, json!({"disabled": false})).await.problem(404);
    let listed = admin.get("/admin/users").await.ok(200);
    assert!(!listed.to_string().contains(&id), "{listed}");
    let again = api.user("ada@example.com").await.get("/me").await.ok(200);
    assert_ne!(again["id"], id.as_str());
    let trail = admin.get("/admin/audit").await.ok(200).to_string();
    assert!(trail.contains(&format!("user:{id}")) && trail.contains("account.delete"), "{trail}");

    let me = admin.get("/me").await.ok(200)["id"].as_str().unwrap().to_owned();
    admin.delete(&format!("/admin/users/{me}")).await.problem(409);
    login(&api, ADMIN.0, ADMIN.1).await.ok(200);
}
