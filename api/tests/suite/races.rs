//! Concurrent requests that change one account or job.

use std::future::Future;

use axum::body::Body;
use chrono::Duration;
use http::Method;
use serde_json::{Value, json};
use trainyard_domain::{DatasetName, UserId};
use trainyard_http::auth::Requester;

use crate::support::{Answer, Api, Caller};
use crate::training::with;

async fn login(api: &Api, email: &str, password: &str) -> Answer {
    api.anon().post("/login", json!({"email": email, "password": password})).await
}

/// Runs `change` after `request` has read the account and before its password is checked.
async fn during_password_check<T>(api: &Api, request: impl Future<Output = T>, change: impl Future<Output = ()>) -> T {
    let permit = api.state.passwords.permit(Requester::SERVER).await.unwrap();
    let meanwhile = async {
        // The pool is fair: the request has read the account long before the last of these reads.
        for _ in 0..200 {
            api.state.db.read().await.unwrap().commit().await.unwrap();
        }
        change.await;
        drop(permit);
    };
    let (answer, ()) = tokio::join!(request, meanwhile);
    answer
}

async fn id_of(caller: &Caller<'_>) -> UserId {
    caller.get("/me").await.ok(200)["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_sign_in_is_refused_when_the_account_is_disabled_during_the_password_check() {
    let api = Api::start().await;
    let id = id_of(&api.user("ada@example.com").await).await;
    let disable = async {
        let mut tx = api.state.db.begin().await.unwrap();
        tx.users().update(id, None, Some(true)).await.unwrap();
        tx.commit().await.unwrap();
    };
    let answer = Box::pin(during_password_check(&api, login(&api, "ada@example.com", "long enough"), disable)).await;
    answer.problem(401);
}

#[tokio::test]
async fn of_two_concurrent_sign_ins_with_one_one_time_password_one_succeeds() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let invited = admin.post("/admin/users", json!({"email": "bob@example.com"})).await.ok(201);
    let once = invited["one_time_password"].as_str().unwrap();
    let both = async { tokio::join!(login(&api, "bob@example.com", once), login(&api, "bob@example.com", once)) };
    let (one, other) = Box::pin(during_password_check(&api, both, async {})).await;
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn of_two_concurrent_password_changes_one_succeeds() {
    let api = Api::start().await;
    let ada = api.user("ada@example.com").await;
    let change = async |new: &str| {
        let body = json!({"current_password": "long enough", "new_password": new});
        ada.json(Method::PUT, "/me/password", body).await.status.as_u16()
    };
    let both = async { tokio::join!(change("first password"), change("second password")) };
    let (one, other) = Box::pin(during_password_check(&api, both, async {})).await;
    let mut statuses = [one, other];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
}

#[tokio::test]
async fn a_refresh_is_refused_for_a_disabled_account_also_with_a_valid_token() {
    let api = Api::start().await;
    let ada = api.user("ada@example.com").await;
    let session = login(&api, "ada@example.com", "long enough").await.ok(200);
    // A refresh that runs concurrently with the change of the account can store a token after the revocation.
    let mut tx = api.state.db.begin().await.unwrap();
    tx.users().update(id_of(&ada).await, None, Some(true)).await.unwrap();
    tx.commit().await.unwrap();
    api.anon().post("/refresh", json!({"refresh_token": session["refresh_token"]})).await.problem(401);
}

#[tokio::test]
async fn refresh_tokens_are_revoked_in_the_database() {
    for change in ["password", "reset", "disable", "role", "delete"] {
        let api = Api::start().await;
        let (admin, ada) = (api.admin().await, api.user("ada@example.com").await);
        let session = login(&api, "ada@example.com", "long enough").await.ok(200);
        let path = format!("/admin/users/{}", id_of(&ada).await);
        match change {
            "password" => {
                let body = json!({"current_password": "long enough", "new_password": "another one"});
                ada.json(Method::PUT, "/me/password", body).await.ok(204)
            }
            "reset" => admin.post(&format!("{path}/reset-password"), Value::Null).await.ok(200),
            "disable" => admin.json(Method::PATCH, &path, json!({"disabled": true})).await.ok(200),
            "role" => admin.json(Method::PATCH, &path, json!({"role": "admin"})).await.ok(200),
            _ => admin.delete(&path).await.ok(204),
        };
        let hash = api.state.jwt.keys().token_hash(session["refresh_token"].as_str().unwrap());
        let token = api.state.db.read().await.unwrap().refresh_tokens().by_hash(&hash).await.unwrap();
        assert!(token.unwrap().revoked_at.is_some(), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_concurrent_refreshes_on_postgres_two_get_the_same_pair() {
    let api = Api::on_postgres().await;
    let account = json!({"email": "ada@example.com", "password": "long enough"});
    api.anon().post("/signup", account.clone()).await.ok(201);
    for _ in 0..20 {
        let session = api.anon().post("/login", account.clone()).await.ok(200);
        let body = json!({"refresh_token": session["refresh_token"]});
        let refreshes = (0..3).map(|_| async { api.anon().post("/refresh", body.clone()).await });
        let answers = futures::future::join_all(refreshes).await;
        let (pairs, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        let [one, other] = pairs.as_slice() else { panic!("{pairs:?} {refused:?}") };
        assert_eq!(one.json["refresh_token"], other.json["refresh_token"]);
        assert!(refused.iter().all(|answer| answer.status == 401), "{refused:?}");
        api.clock.advance(Duration::seconds(1));
    }
}

/// A job on the uploaded dataset `mine`.
async fn own_job(admin: &Caller<'_>) -> Value {
    admin.upload("mine", "x,y\n1,0\n2,1\n3,0\n").await.ok(201);
    with(json!({"features": ["x"], "dataset": "mine", "target": "y"}))
}

#[tokio::test]
async fn a_job_is_refused_when_its_dataset_is_deleted_during_the_submission() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let job = own_job(&admin).await;
    let mut tx = api.state.db.begin().await.unwrap();
    let deletion = async {
        // The submission reads the dataset and then waits for the write lock.
        for _ in 0..200 {
            api.state.db.read().await.unwrap().commit().await.unwrap();
        }
        tx.datasets().delete(&DatasetName::parse("mine").unwrap()).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (answer, ()) = Box::pin(async { tokio::join!(admin.post("/training", job), deletion) }).await;
    assert_eq!(answer.refused(), ["dataset"]);
    assert_eq!(admin.get("/training").await.ok(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_retries_on_postgres_one_succeeds() {
    let api = Api::on_postgres().await;
    let admin = api.admin().await;
    let path = admin.post("/training", with(json!({}))).await.ok(202)["status_url"].as_str().unwrap().to_owned();
    let retry = format!("{path}/retry");
    for _ in 0..10 {
        admin.post(&format!("{path}/cancel"), Value::Null).await.ok(202);
        let answers = futures::future::join_all((0..4).map(|_| admin.post(&retry, Value::Null))).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 409, 409, 409]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_uploads_on_postgres_get_consecutive_versions() {
    let api = Api::on_postgres().await;
    let admin = api.admin().await;
    let uploads = (0..4).map(|_| async { admin.upload("busy", "x,y\n1,0\n2,1\n").await.ok(201)["version"].as_i64() });
    let mut versions = futures::future::join_all(uploads).await;
    versions.sort_unstable();
    assert_eq!(versions, [Some(1), Some(2), Some(3), Some(4)]);
}

#[tokio::test]
async fn one_idempotency_key_of_two_users_stands_for_two_jobs() {
    let api = Api::start().await;
    let (admin, ada) = (api.admin().await, api.user("ada@example.com").await);
    let path = format!("/admin/users/{}", id_of(&ada).await);
    admin.json(Method::PATCH, &path, json!({"role": "admin"})).await.ok(200);
    let submit = async |caller: &Caller<'_>, seed: i64| {
        let request = caller.request(Method::POST, "/training").header("content-type", "application/json");
        let request = request.header("idempotency-key", "same");
        caller.send(request, Body::from(with(json!({"seed": seed})).to_string())).await.ok(202)["job_id"].take()
    };
    let (one, other) = tokio::join!(submit(&admin, 1), submit(&ada, 2));
    assert_ne!(one, other);
}
