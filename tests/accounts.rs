//! Sign-up, sign-in, refresh and sign-out.

use serde_json::json;
use trainyard_testkit::{ADMIN_EMAIL, System, unique};

use crate::support::on_both_stacks;

on_both_stacks!(
    an_account_signs_up_and_signs_in,
    a_sign_up_lists_every_invalid_field,
    an_unknown_address_and_a_wrong_password_get_the_same_response,
    a_refresh_token_rotates_and_a_reuse_ends_the_session,
    sign_out_ends_the_session,
    an_administrator_changes_the_role_of_an_account,
    a_disabled_account_is_refused_at_once,
    changes_are_in_the_audit_trail,
);

fn address() -> String {
    format!("{}@example.com", unique("person"))
}

async fn an_account_signs_up_and_signs_in(system: &System) {
    let client = system.client();
    let email = address();
    let body = json!({"email": email.to_uppercase(), "password": "long enough"});
    let account = client.post("/signup", body.clone()).await.expect(201);
    assert_eq!(account["email"], email, "addresses are converted to lower case");
    assert_eq!(account["role"], "user");
    assert_eq!(client.post("/signup", body.clone()).await.problem(409)["code"], "conflict");

    let session = client.post("/login", body).await.expect(200);
    assert_eq!((&session["token_type"], &session["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(session["user"]["id"], account["id"]);
    let mut me = client.with_token(session["access_token"].as_str().unwrap()).get("/me").await.expect(200);
    assert_eq!(me.as_object_mut().unwrap().remove("may_read"), Some(json!([])));
    assert_eq!(me, account);
}

async fn a_sign_up_lists_every_invalid_field(system: &System) {
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

async fn an_unknown_address_and_a_wrong_password_get_the_same_response(system: &System) {
    let client = system.client();
    let wrong = client.post("/login", json!({"email": ADMIN_EMAIL, "password": "not this one"})).await.problem(401);
    let unknown = client.post("/login", json!({"email": address(), "password": "not this one"})).await.problem(401);
    assert_eq!((&wrong["code"], &wrong["detail"]), (&unknown["code"], &unknown["detail"]));
}

async fn a_refresh_token_rotates_and_a_reuse_ends_the_session(system: &System) {
    let client = system.client();
    let email = address();
    let body = json!({"email": email, "password": "long enough"});
    client.post("/signup", body.clone()).await.expect(201);
    let first = client.post("/login", body).await.expect(200)["refresh_token"].clone();
    let refresh = async |token| client.post("/refresh", json!({"refresh_token": token})).await;

    let second = refresh(first.clone()).await.expect(200);
    client.with_token(second["access_token"].as_str().unwrap()).get("/me").await.expect(200);
    assert_ne!(second["refresh_token"], first);
    // A second tab gets the same pair, once.
    assert_eq!(refresh(first.clone()).await.expect(200)["refresh_token"], second["refresh_token"]);
    refresh(first).await.problem(401);
    refresh(second["refresh_token"].clone()).await.problem(401);
    refresh(json!("nonsense")).await.problem(401);
}

async fn sign_out_ends_the_session(system: &System) {
    let client = system.client();
    let email = address();
    let body = json!({"email": email, "password": "long enough"});
    client.post("/signup", body.clone()).await.expect(201);
    let token = client.post("/login", body).await.expect(200)["refresh_token"].clone();
    client.post("/logout", json!({"refresh_token": token})).await.expect(204);
    client.post("/refresh", json!({"refresh_token": token})).await.problem(401);
    client.post("/logout", json!({"refresh_token": token})).await.expect(204);
}

async fn an_administrator_changes_the_role_of_an_account(system: &System) {
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

async fn a_disabled_account_is_refused_at_once(system: &System) {
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

async fn changes_are_in_the_audit_trail(system: &System) {
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
    let found = admin.get(&format!("/admin/audit?action=account.*&subject=user:{id}")).await.expect(200);
    let actions: Vec<_> = found["items"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["account.update", "account.create"]);
    admin.get("/admin/audit?actor=ada").await.expect(422);
}
