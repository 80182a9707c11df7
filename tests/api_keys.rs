//! API keys at the API and at the inference role.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use trainyard_testkit::{Answer, Client, PostgresServer, System, distributed_settings, eventually, unique};

use crate::support::{BINARY, api_metric, on_both_stacks};

on_both_stacks!(
    a_key_works_everywhere_until_it_is_deleted,
    a_key_expires,
    a_key_never_has_a_higher_role_than_its_account,
    a_disabled_account_disables_its_keys,
    a_key_is_shown_once_and_never_logged,
    the_last_use_of_a_key_is_listed,
    invented_keys_share_database_queries,
);

/// Longest wait until every process notices a change. The promise is five seconds; the tests of one process hold it with the
/// clock of Tokio, and here the machine also trains models.
const NOTICED: Duration = Duration::from_secs(15);

async fn create(owner: &Client, body: Value) -> Value {
    owner.post("/api-keys", body).await.expect(201)
}

fn with_key(client: &Client, created: &Value) -> Client {
    client.with_token(created["key"].as_str().unwrap())
}

/// The statuses of the API and of the inference role. The model does not exist, so 404 means authenticated.
async fn statuses(client: &Client) -> [u16; 2] {
    [client.get("/me").await.status, client.infer(json!({"model": "no-such-model", "features": {}})).await.status]
}

/// Waits until both roles refuse the key, and checks the reason.
async fn refused(client: &Client, why: &str) {
    let answers = eventually(&format!("both roles refuse the key: {why}"), NOTICED, async || {
        let answers = [client.get("/me").await, client.infer(json!({"model": "x", "features": {}})).await];
        // A route can notice that the account is deleted before the key is refused.
        let is_refused = |answer: &Answer| answer.status == 401 && answer.body.to_string().contains(why);
        answers.iter().all(is_refused).then_some(answers)
    })
    .await;
    for answer in answers {
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
        answer.problem(401);
    }
}

async fn a_key_works_everywhere_until_it_is_deleted(system: &System) {
    let owner = system.client().user().await;
    let created = create(&owner, json!({"name": "shop"})).await;
    let client = with_key(&owner, &created);
    // The inference role is asked first: it has never received this key.
    assert_eq!(client.infer(json!({"model": "no-such-model", "features": {}})).await.status, 404);
    assert_eq!(statuses(&client).await, [200, 404]);
    client.get("/models").await.expect(200);
    client.post("/api-keys", json!({"name": "more"})).await.problem(403);

    let path = format!("/api-keys/{}", created["id"].as_str().unwrap());
    client.delete(&path).await.problem(403);
    owner.delete(&path).await.expect(204);
    refused(&client, "deleted").await;
    assert_eq!(owner.get("/api-keys").await.expect(200)["items"], json!([]));
}

async fn a_key_expires(system: &System) {
    let owner = system.client().user().await;
    let until = chrono::Utc::now() + chrono::TimeDelta::seconds(3);
    let client = with_key(&owner, &create(&owner, json!({"name": "brief", "expires_at": until})).await);
    assert_eq!(statuses(&client).await, [200, 404]);
    refused(&client, "expired").await;
}

async fn a_key_never_has_a_higher_role_than_its_account(system: &System) {
    let (admin, owner) = (system.client().admin().await, system.client().user().await);
    owner.post("/api-keys", json!({"name": "x", "role": "admin"})).await.refused(&["role"]);
    let id = owner.get("/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    let account = format!("/admin/users/{id}");
    admin.patch(&account, json!({"role": "admin"})).await.expect(200);
    let low = with_key(&owner, &create(&owner, json!({"name": "low"})).await);
    let high = with_key(&owner, &create(&owner, json!({"name": "high", "role": "admin"})).await);
    low.get("/admin/users").await.problem(403);
    high.get("/admin/users").await.expect(200);
    admin.patch(&account, json!({"role": "user"})).await.expect(200);
    eventually("the key has the lower role", NOTICED, async || {
        (high.get("/admin/users").await.status == 403).then_some(())
    })
    .await;
    assert_eq!(high.get("/me").await.expect(200)["role"], "user");
}

async fn a_disabled_account_disables_its_keys(system: &System) {
    let (admin, owner) = (system.client().admin().await, system.client().user().await);
    let account = format!("/admin/users/{}", owner.get("/me").await.expect(200)["id"].as_str().unwrap());
    let client = with_key(&owner, &create(&owner, json!({"name": "shop"})).await);
    assert_eq!(statuses(&client).await, [200, 404]);
    admin.patch(&account, json!({"disabled": true})).await.expect(200);
    refused(&client, "disabled").await;
    admin.patch(&account, json!({"disabled": false})).await.expect(200);
    eventually("the key works again", NOTICED, async || (statuses(&client).await == [200, 404]).then_some(())).await;
    admin.delete(&account).await.expect(204);
    refused(&client, "deleted").await;
}

async fn a_key_is_shown_once_and_never_logged(system: &System) {
    let owner = system.client().user().await;
    let answer = owner.post("/api-keys", json!({"name": "secret"})).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let created = answer.expect(201);
    let key = created["key"].as_str().unwrap().to_owned();
    let client = with_key(&owner, &created);
    assert_eq!(statuses(&client).await, [200, 404]);
    // Refused requests are logged as well.
    client.with_token(&format!("{key}x")).get("/me").await.problem(401);
    client.get("/admin/users").await.problem(403);
    let list = owner.get("/api-keys").await.expect(200);
    assert_eq!(list["items"][0]["prefix"], key[..7]);
    let trail = system.client().admin().await.get("/admin/audit?action=api_key.*").await.expect(200);
    assert!(trail["items"].as_array().unwrap().iter().any(|entry| entry["detail"]["name"] == "secret"), "{trail}");
    let hidden = &key[7..];
    for text in [list.to_string(), trail.to_string()] {
        assert!(!text.contains(hidden), "the key is shown only once");
    }
    for role in 0..system.urls().len() {
        assert!(!system.log(role).contains(hidden), "the log of process {role} contains the key");
    }
}

async fn the_last_use_of_a_key_is_listed(system: &System) {
    let owner = system.client().user().await;
    let created = create(&owner, json!({"name": "used"})).await;
    assert_eq!(owner.get("/api-keys").await.expect(200)["items"][0]["last_used_at"], Value::Null);
    // Only the inference role receives the key.
    let client = with_key(&owner, &created);
    assert_eq!(client.infer(json!({"model": "no-such-model", "features": {}})).await.status, 404);
    eventually("the use is recorded", Duration::from_secs(10), async || {
        let list = owner.get("/api-keys").await.expect(200);
        list["items"][0]["last_used_at"].is_string().then_some(())
    })
    .await;
}

async fn invented_keys_share_database_queries(system: &System) {
    let client = system.client();
    let queries = async || api_metric(&client, "trainyard_auth_api_key_queries_total").await;
    let before = queries().await;
    let invented = |n: usize| client.with_token(&format!("ty_{n:040}"));
    let callers: Vec<_> = (0..300).map(invented).collect();
    let answers = futures::future::join_all(callers.iter().map(|caller| caller.get("/me"))).await;
    for answer in answers {
        answer.problem(401);
    }
    let during = queries().await - before;
    assert!(during < 150, "{during} queries for 300 keys");
    for caller in &callers {
        caller.get("/me").await.problem(401);
    }
    // Other tests use new keys at the same time.
    let after = queries().await - before - during;
    assert!(after < 50, "{after} queries for 300 keys that are known to be unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_key_predicts_while_the_database_is_away() {
    let server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap();
    let mut settings = distributed_settings();
    settings.push(("DATABASE_URL".to_owned(), server.fresh_database()));
    let start = move || System::start_roles(BINARY, &["api", "inference"], settings);
    let system = tokio::task::spawn_blocking(start).await.unwrap();
    let owner = system.client().user().await;
    let known = with_key(&owner, &create(&owner, json!({"name": "known"})).await);
    let unknown = with_key(&owner, &create(&owner, json!({"name": "unknown"})).await);
    assert_eq!(statuses(&known).await, [200, 404]);
    drop(server);
    // This route reads no database: the API refuses a key that it could not confirm for some seconds.
    eventually("the API can't confirm the key", Duration::from_secs(20), async || {
        (known.get("/algorithms").await.status == 503).then_some(())
    })
    .await;
    let predict = json!({"model": "no-such-model", "features": {}});
    assert_eq!(known.infer(predict.clone()).await.status, 404, "the known key is accepted");
    let answer = unknown.infer(predict).await;
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    answer.problem(503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_key() {
    let system = crate::support::shared(trainyard_testkit::Stack::Distributed);
    let admin = system.client().admin().await;
    let created = create(&admin, json!({"name": "stream", "role": "admin"})).await;
    let key = with_key(&admin, &created);
    let job = key.submit(crate::support::later_job(&unique("keys"))).await;
    let mut stream = key.events(&job, None).await;
    assert_eq!(stream.next().await.unwrap().data["status"], "queued");
    admin.delete(&format!("/api-keys/{}", created["id"].as_str().unwrap())).await.expect(204);
    let rest = tokio::time::timeout(NOTICED, stream.rest()).await.expect("the stream ends");
    assert!(rest.is_empty(), "{rest:?}");
    let cancel = admin.request(Method::POST, &format!("/training/{job}/cancel"));
    admin.send(cancel).await.expect(202);
}
