//! Limits on failed sign-ins and on sign-ups.

use serde_json::{Value, json};
use trainyard_api::{AccountsConfig, Signup};
use trainyard_http::auth::SignInConfig;

use crate::support::{ADMIN, Answer, Api, Caller, accounts, config};

const LIMITS: SignInConfig = SignInConfig {
    max_failed_logins: 3,
    max_failed_logins_per_account: 5,
    max_failed_logins_per_address: 5,
    failed_login_window_s: 900,
    max_signups_per_address: 2,
    signup_window_s: 3_600,
};

async fn limited() -> Api {
    Api::with_accounts(config(), AccountsConfig { sign_in: LIMITS, ..accounts() }).await
}

async fn login(caller: &Caller<'_>, email: &str, password: &str) -> Answer {
    caller.post("/login", json!({"email": email, "password": password})).await
}

fn stranger(n: u8) -> [u8; 4] {
    [198, 51, 100, n]
}

#[tokio::test]
async fn too_many_failures_get_the_same_429_for_existing_and_unknown_accounts() {
    let api = limited().await;
    let mut responses = Vec::new();
    for (n, email) in [(1, ADMIN.0), (2, "nobody@example.com"), (3, "no address at all")] {
        let caller = api.anon().at(stranger(n));
        let mut answers = Vec::new();
        for _ in 0..5 {
            let answer = login(&caller, email, "not that one").await;
            let retry_after = answer.header("retry-after").to_owned();
            answers.push((answer.status.as_u16(), answer.json["detail"].clone(), retry_after));
        }
        responses.push(answers);
    }
    assert_eq!(responses[0].iter().map(|(status, ..)| *status).collect::<Vec<_>>(), [401, 401, 401, 429, 429]);
    let retry_after: i64 = responses[0][3].2.parse().unwrap();
    assert!((1..=1_800).contains(&retry_after), "{responses:?}");
    assert!(responses[1] == responses[0] && responses[2] == responses[0], "{responses:#?}");

    api.clock.advance(chrono::Duration::seconds(retry_after));
    assert_eq!(login(&api.anon().at(stranger(1)), ADMIN.0, "not that one").await.status, 401, "after Retry-After");
    login(&api.anon().at(stranger(9)), ADMIN.0, ADMIN.1).await.ok(200);
}

#[tokio::test]
async fn failures_from_unknown_addresses_do_not_block_known_addresses() {
    let api = limited().await;
    api.admin().await;
    for n in 0..10 {
        login(&api.anon().at(stranger(n)), ADMIN.0, "not that one").await;
        login(&api.anon(), &format!("user{n}@example.com"), "not that one").await;
    }
    login(&api.anon().at(stranger(99)), ADMIN.0, ADMIN.1).await.problem(429);
    assert_eq!(login(&api.anon(), "somebody@example.com", "whatever it is").await.status, 429);
    login(&api.anon(), ADMIN.0, ADMIN.1).await.ok(200);

    // A known address has its own limit. A successful sign-in resets it.
    for _ in 0..2 {
        login(&api.anon(), ADMIN.0, "not that one").await.problem(401);
    }
    login(&api.anon(), ADMIN.0, ADMIN.1).await.ok(200);
    for _ in 0..3 {
        login(&api.anon(), ADMIN.0, "not that one").await.problem(401);
    }
    login(&api.anon(), ADMIN.0, ADMIN.1).await.problem(429);
}

#[tokio::test]
async fn failed_sign_ins_are_in_the_audit_trail() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let me = admin.get("/me").await.ok(200);
    login(&api.anon().at(stranger(7)), ADMIN.0, "not that one").await.problem(401);
    login(&api.anon().at(stranger(8)), "nobody@example.com", "not that one").await.problem(401);
    login(&api.anon().at(stranger(9)), "my secret password", "").await.problem(401);
    let trail = admin.get("/admin/audit?limit=3").await.ok(200);
    let entry = |n: usize| (trail["items"][n]["subject"].clone(), trail["items"][n]["detail"].clone());
    let unknown = || json!("user:unknown");
    assert_eq!(
        entry(0),
        (unknown(), json!({"address": "198.51.100.9", "email": null, "reason": "unknown account"})),
        "the name may be a password"
    );
    assert_eq!(
        entry(1),
        (unknown(), json!({"address": "198.51.100.8", "email": "nobody@example.com", "reason": "unknown account"}))
    );
    let (subject, detail) = entry(2);
    assert_eq!(subject, format!("user:{}", me["id"].as_str().unwrap()));
    assert_eq!((&detail["address"], &detail["reason"]), (&json!("198.51.100.7"), &json!("wrong password")));
    assert_eq!(trail["items"][2]["action"], "session.refuse");
    assert_eq!(trail["items"][2]["actor"], Value::Null);
}

#[tokio::test]
async fn the_audit_trail_says_why_a_right_password_was_refused() {
    let api = Api::start().await;
    let (admin, ada) = (api.admin().await, api.user("ada@example.com").await);
    let id = ada.get("/me").await.ok(200)["id"].as_str().unwrap().to_owned();
    let last_reason = async || admin.get("/admin/audit?limit=1").await.ok(200)["items"][0]["detail"]["reason"].clone();
    let reset = admin.post(&format!("/admin/users/{id}/reset-password"), Value::Null).await.ok(200);
    let once = reset["one_time_password"].as_str().unwrap();
    login(&api.anon(), "ada@example.com", once).await.ok(200);
    login(&api.anon(), "ada@example.com", once).await.problem(401);
    assert_eq!(last_reason().await, "one-time password used or expired");
    admin.json(http::Method::PATCH, &format!("/admin/users/{id}"), json!({"disabled": true})).await.ok(200);
    login(&api.anon(), "ada@example.com", once).await.problem(401);
    assert_eq!(last_reason().await, "disabled account");
}

#[tokio::test]
async fn sign_ups_have_a_limit_per_address_and_can_be_closed() {
    let api = limited().await;
    let sign_up = async |caller: &Caller<'_>, n: u8| {
        caller.post("/signup", json!({"email": format!("u{n}@example.com"), "password": "long enough"})).await
    };
    sign_up(&api.anon(), 1).await.ok(201);
    sign_up(&api.anon(), 2).await.ok(201);
    let refused = sign_up(&api.anon(), 3).await;
    assert!(!refused.header("retry-after").is_empty());
    refused.problem(429);
    sign_up(&api.anon().at(stranger(1)), 3).await.ok(201);

    let closed = AccountsConfig { signup: Signup::Closed, ..accounts() };
    let api = Api::with_accounts(config(), closed).await;
    let refused = sign_up(&api.anon(), 1).await.problem(403);
    assert!(refused["detail"].as_str().unwrap().contains("auth.signup"), "{refused}");
    api.anon().post("/signup", json!({"email": 7})).await.problem(403);
    let invited = api.admin().await.post("/admin/users", json!({"email": "u1@example.com"})).await.ok(201);
    assert_eq!(invited["role"], "user");
}

#[tokio::test]
async fn an_address_that_grows_by_case_folding_is_refused() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let long = format!("{}@{}.example", "Ⱥ".repeat(32), vec!["Ⱥ".repeat(28); 3].join("."));
    for email in ["İx@hq.example", &long] {
        let body = json!({"email": email, "password": "long enough"});
        assert_eq!(api.anon().post("/signup", body).await.refused(), ["email"], "{email}");
    }
    let forty = json!({"email": format!("{}@example.com", "Ⱥ".repeat(40)), "password": "long enough"});
    let forty = api.anon().post("/signup", forty).await;
    assert!([201, 422].contains(&forty.status.as_u16()), "{forty:?}");
    admin.get("/admin/users").await.ok(200);
}
