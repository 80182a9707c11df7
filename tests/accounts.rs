//! Signing up, in and out.

use serde_json::json;
use trainyard_testkit::{ADMIN_EMAIL, System, unique};

use crate::support::on_both_stacks;

on_both_stacks!(
    a_person_signs_up_signs_in_and_asks_who_they_are,
    accounts_are_refused_by_field,
    a_wrong_login_says_the_same_for_unknown_address_and_wrong_password,
    a_refresh_token_rotates_and_its_reuse_ends_the_family,
    logout_ends_the_session,
    administrators_change_roles_but_never_lock_themselves_out,
    a_disabled_account_is_shut_out_at_once,
    changes_are_written_to_the_audit_log,
);

fn address() -> String {
    format!("{}@example.com", unique("person"))
}

async fn a_person_signs_up_signs_in_and_asks_who_they_are(system: &System) {
    let client = system.client();
    let email = address();
    let body = json!({"email": email.to_uppercase(), "password": "long enough"});
    let account = client.post("/signup", body.clone()).await.expect(201);
    assert_eq!(account["email"], email, "addresses are folded to lower case");
    assert_eq!(account["role"], "user");
    assert_eq!(client.post("/signup", body.clone()).await.problem(409)["code"], "conflict");

    let session = client.post("/login", body).await.expect(200);
    assert_eq!((&session["token_type"], &session["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(session["user"]["id"], account["id"]);
    let me = client.with_token(session["access_token"].as_str().unwrap()).get("/me").await.expect(200);
    assert_eq!(me, account);
}

async fn accounts_are_refused_by_field(system: &System) {
    let client = system.client();
    let email = address();
    let signup = async |body| client.post("/signup", body).await;
    signup(json!({"email": "no address", "password": "long enough"})).await.refused(&["email"]);
    signup(json!({"email": email, "password": "seven77"})).await.refused(&["password"]);
    signup(json!({"email": email, "password": "x".repeat(73)})).await.refused(&["password"]);
    signup(json!({"email": email, "password": 12_345_678})).await.refused(&["password"]);
    signup(json!({"email": email})).await.refused(&["password"]);
    signup(json!({"email": email, "password": "long enough", "role": "admin"})).await.refused(&["role"]);
    signup(json!({"email": email, "password": "x".repeat(72)})).await.expect(201);
}

async fn a_wrong_login_says_the_same_for_unknown_address_and_wrong_password(system: &System) {
    let client = system.client();
    let wrong = client.post("/login", json!({"email": ADMIN_EMAIL, "password": "not this one"})).await.problem(401);
    let unknown = client.post("/login", json!({"email": address(), "password": "not this one"})).await.problem(401);
    assert_eq!((&wrong["code"], &wrong["detail"]), (&unknown["code"], &unknown["detail"]));
}

async fn a_refresh_token_rotates_and_its_reuse_ends_the_family(system: &System) {
    let client = system.client();
    let email = address();
    let body = json!({"email": email, "password": "long enough"});
    client.post("/signup", body.clone()).await.expect(201);
    let first = client.post("/login", body).await.expect(200)["refresh_token"].clone();
    let refresh = async |token| client.post("/refresh", json!({"refresh_token": token})).await;

    let second = refresh(first.clone()).await.expect(200);
    client.with_token(second["access_token"].as_str().unwrap()).get("/me").await.expect(200);
    assert_ne!(second["refresh_token"], first);
    // Another tab that refreshes at the same time gets the same pair, once.
    assert_eq!(refresh(first.clone()).await.expect(200)["refresh_token"], second["refresh_token"]);
    refresh(first).await.problem(401);
    refresh(second["refresh_token"].clone()).await.problem(401);
    refresh(json!("nonsense")).await.problem(401);
}

async fn logout_ends_the_session(system: &System) {
    let client = system.client();
    let email = address();
    let body = json!({"email": email, "password": "long enough"});
    client.post("/signup", body.clone()).await.expect(201);
    let token = client.post("/login", body).await.expect(200)["refresh_token"].clone();
    client.post("/logout", json!({"refresh_token": token})).await.expect(204);
    client.post("/refresh", json!({"refresh_token": token})).await.problem(401);
    client.post("/logout", json!({"refresh_token": token})).await.expect(204);
}

async fn administrators_change_roles_but_never_lock_themselves_out(system: &System) {
    let admin = system.client().admin().await;
    let user = system.client().user().await;
    let id = user.get("/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    let promoted = admin.patch(&format!("/admin/users/{id}"), json!({"role": "admin"})).await.expect(200);
    assert_eq!(promoted["role"], "admin");
    user.get("/admin/users").await.expect(200);
    admin.patch(&format!("/admin/users/{id}"), json!({"role": "user"})).await.expect(200);
    user.get("/admin/users").await.problem(403);

    admin.patch(&format!("/admin/users/{id}"), json!({"role": "king"})).await.refused(&["role"]);
    admin.patch("/admin/users/nobody", json!({"role": "user"})).await.problem(404);
    let listed = admin.get("/admin/users?limit=100").await.expect(200);
    assert!(listed["items"].as_array().unwrap().iter().any(|account| account["id"] == id.as_str()));
}

async fn a_disabled_account_is_shut_out_at_once(system: &System) {
    let admin = system.client().admin().await;
    let client = system.client();
    let email = address();
    let body = json!({"email": email, "password": "long enough"});
    let id = client.post("/signup", body.clone()).await.expect(201)["id"].as_str().unwrap().to_owned();
    let session = client.post("/login", body.clone()).await.expect(200);
    let user = client.with_token(session["access_token"].as_str().unwrap());
    user.get("/me").await.expect(200);
    admin.patch(&format!("/admin/users/{id}"), json!({"disabled": true})).await.expect(200);
    user.get("/me").await.problem(401);
    client.post("/login", body).await.problem(401);
    client.post("/refresh", json!({"refresh_token": session["refresh_token"]})).await.problem(401);
}

async fn changes_are_written_to_the_audit_log(system: &System) {
    let admin = system.client().admin().await;
    let user = system.client().user().await;
    let id = user.get("/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    let changed = admin.patch(&format!("/admin/users/{id}"), json!({"disabled": true})).await;
    let request_id = changed.header("x-request-id");
    changed.expect(200);
    let log = admin.get("/admin/audit?limit=100").await.expect(200);
    let entry = log["items"].as_array().unwrap().iter().find(|entry| entry["request_id"] == request_id.as_str());
    let entry = entry.unwrap_or_else(|| panic!("no entry for {request_id} in {log}"));
    assert!(entry["subject"].as_str().unwrap().contains(&id), "{entry}");
}
