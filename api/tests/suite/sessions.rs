//! Refresh tokens and the end of sessions.

use chrono::Duration;
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use trainyard_api::ApiConfig;

use crate::support::{Api, Caller, config};

fn ada() -> Value {
    json!({"email": "ada@example.com", "password": "long enough"})
}

async fn signed_in(api: &Api) -> Value {
    api.anon().post("/signup", ada()).await;
    api.anon().post("/login", ada()).await.ok(200)
}

async fn refresh(caller: &Caller<'_>, session: &Value) -> (u16, Value) {
    let answer = caller.post("/refresh", json!({"refresh_token": session["refresh_token"]})).await;
    (answer.status.as_u16(), answer.json)
}

async fn id_of(api: &Api, session: &Value) -> String {
    api.caller(session).get("/me").await.ok(200)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn concurrent_refreshes_from_one_address_get_the_same_pair() {
    let api = Api::start().await;
    let first = signed_in(&api).await;
    let anon = api.anon();
    let ((one, pair), (other, same)) = tokio::join!(refresh(&anon, &first), refresh(&anon, &first));
    assert_eq!((one, other), (200, 200), "{pair} {same}");
    assert_eq!(pair, same);
    assert_ne!(pair["refresh_token"], first["refresh_token"]);
    api.caller(&pair).get("/me").await.ok(200);
    // A third use counts as theft.
    assert_eq!(refresh(&anon, &first).await.0, 401);
    assert_eq!(refresh(&anon, &pair).await.0, 401, "the session is revoked");
}

#[tokio::test]
async fn a_second_refresh_from_another_address_or_after_ten_seconds_ends_the_session() {
    let api = Api::start().await;
    for (address, wait) in [([198, 51, 100, 7], 1), ([203, 0, 113, 1], 10)] {
        let first = signed_in(&api).await;
        let (status, pair) = refresh(&api.anon(), &first).await;
        assert_eq!(status, 200);
        api.clock.advance(Duration::seconds(wait));
        assert_eq!(refresh(&api.anon().at(address), &first).await.0, 401);
        assert_eq!(refresh(&api.anon(), &pair).await.0, 401);
    }
}

#[tokio::test]
async fn the_database_holds_only_keyed_hashes_of_refresh_tokens() {
    let api = Api::start().await;
    let first = signed_in(&api).await;
    let (_, pair) = refresh(&api.anon(), &first).await;
    let keys = api.state.jwt.keys();
    let mut tx = api.state.db.read().await.unwrap();
    for session in [&first, &pair] {
        let secret = session["refresh_token"].as_str().unwrap();
        assert!(tx.refresh_tokens().by_hash(&keys.token_hash(secret)).await.unwrap().is_some());
        let plain = hex_sha256(secret);
        assert!(tx.refresh_tokens().by_hash(&plain).await.unwrap().is_none(), "the hash depends on the secret");
    }
}

fn hex_sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn disabling_an_account_or_changing_its_role_revokes_refresh_tokens() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let session = signed_in(&api).await;
    let path = format!("/admin/users/{}", id_of(&api, &session).await);
    api.clock.advance(Duration::seconds(1));
    admin.json(Method::PATCH, &path, json!({"disabled": true})).await.ok(200);
    admin.json(Method::PATCH, &path, json!({"disabled": false})).await.ok(200);
    assert_eq!(refresh(&api.anon(), &session).await.0, 401);
    api.caller(&session).get("/me").await.problem(401);

    let session = signed_in(&api).await;
    admin.json(Method::PATCH, &path, json!({"role": "user"})).await.ok(200);
    assert_eq!(refresh(&api.anon(), &session).await.0, 200, "nothing changed");
    let session = signed_in(&api).await;
    admin.json(Method::PATCH, &path, json!({"role": "admin"})).await.ok(200);
    assert_eq!(refresh(&api.anon(), &session).await.0, 401);
    api.caller(&session).get("/admin/users").await.ok(200);
}

#[tokio::test]
async fn streams_and_long_polls_end_with_their_session() {
    for change in ["disable", "delete", "role", "reset"] {
        let api = Api::with(ApiConfig { watch_sessions_every_ms: 10, ..config() }).await;
        let admin = api.admin().await;
        let session = signed_in(&api).await;
        let id = id_of(&api, &session).await;
        let path = format!("/admin/users/{id}");
        admin.json(Method::PATCH, &path, json!({"role": "admin"})).await.ok(200);
        let session = api.anon().post("/login", ada()).await.ok(200);
        let ada = api.caller(&session);
        let body = json!({"name": "m", "algorithm": "svm", "features": ["sex"], "run_at": "2999-01-01T00:00:00Z"});
        let job = ada.post("/training", body).await.ok(202)["job_id"].as_str().unwrap().to_owned();
        let stream = ada.request(Method::GET, &format!("/training/{job}/events"));
        let mut stream = api.open(stream.body(axum::body::Body::empty()).unwrap()).await.into_body();
        assert!(stream.frame().await.is_some(), "the first event");
        api.clock.advance(Duration::seconds(1));
        let polled = format!("/training/{job}?wait_s=60");
        let polls = ada.get(&polled);
        let changes = async {
            match change {
                "disable" => admin.json(Method::PATCH, &path, json!({"disabled": true})).await.ok(200),
                "role" => admin.json(Method::PATCH, &path, json!({"role": "user"})).await.ok(200),
                "delete" => admin.delete(&path).await.ok(204),
                _ => admin.post(&format!("{path}/reset-password"), Value::Null).await.ok(200),
            };
            assert!(stream.frame().await.is_none(), "{change}: the stream ends without another event");
        };
        let (poll, ()) = tokio::join!(polls, changes);
        poll.problem(401);
        assert_eq!(admin.get(&format!("/training/{job}")).await.ok(200)["created_by"], id.as_str(), "{change}");
    }
}

#[tokio::test]
async fn an_account_has_a_limit_on_event_streams() {
    let api = Api::with(ApiConfig { max_event_streams_per_user: 1, ..config() }).await;
    let admin = api.admin().await;
    let body = json!({"name": "m", "algorithm": "svm", "features": ["sex"], "run_at": "2999-01-01T00:00:00Z"});
    let job = admin.post("/training", body).await.ok(202)["job_id"].as_str().unwrap().to_owned();
    let path = format!("/training/{job}/events");
    let open = || admin.request(Method::GET, &path).body(axum::body::Body::empty()).unwrap();
    let open_stream = api.open(open()).await;
    assert_eq!(open_stream.status(), 200);
    let refused = admin.get(&path).await;
    assert_eq!(refused.header("retry-after"), "5");
    let refused = refused.problem(429);
    assert!(refused["detail"].as_str().unwrap().contains("max_event_streams_per_user"), "{refused}");
    // Another account has its own limit.
    let ada = signed_in(&api).await;
    let path_of_ada = format!("/admin/users/{}", id_of(&api, &ada).await);
    admin.json(Method::PATCH, &path_of_ada, json!({"role": "admin"})).await.ok(200);
    let ada = api.caller(&ada);
    let stream = ada.request(Method::GET, &path).body(axum::body::Body::empty()).unwrap();
    assert_eq!(api.open(stream).await.status(), 200);
    drop(open_stream);
    // A long poll is not an event stream.
    let poll = format!("/training/{job}?wait_s=60");
    let stream = async {
        let stream = api.open(open()).await;
        assert_eq!(stream.status(), 200);
        admin.post(&format!("/training/{job}/cancel"), Value::Null).await.ok(202);
    };
    let (polled, ()) = tokio::join!(admin.get(&poll), stream);
    polled.ok(200);
}
