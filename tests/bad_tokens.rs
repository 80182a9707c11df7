//! Forged and expired tokens are refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use trainyard_testkit::{Client, JWT_SECRET, System};

use crate::support::on_both_stacks;

on_both_stacks!(forged_tokens_are_refused_everywhere);

/// The claims of a token, without verification.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    trainyard_http::auth::install_jws_provider();
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

async fn refused(client: &Client, token: &str, code: &str, why: &str) {
    let client = client.with_token(token);
    for answer in [client.get("/me").await, client.infer(json!({"features": {}})).await] {
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{why}: {answer:?}");
        assert_eq!(answer.problem(401)["code"], code, "{why}");
    }
}

async fn forged_tokens_are_refused_everywhere(system: &System) {
    let client = system.client();
    let admin = client.admin().await;
    let real = claims(admin.token());
    let with = |key: &str, value: Value| {
        let mut changed = real.clone();
        changed[key] = value;
        changed
    };

    // A valid token of the test is accepted: the following tokens are refused for their defects.
    let same = signed(&real, Algorithm::HS256, JWT_SECRET);
    client.with_token(&same).get("/me").await.expect(200);

    let unsigned = |header: Value| {
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", encoded(&header), encoded(&real))
    };
    refused(&client, &unsigned(json!({"alg": "none", "typ": "JWT"})), "unauthenticated", "alg none").await;
    refused(&client, &unsigned(json!({"alg": "None"})), "unauthenticated", "alg None").await;
    let other = signed(&real, Algorithm::HS256, "another secret that is long enough too");
    refused(&client, &other, "unauthenticated", "another secret").await;
    let stronger = signed(&real, Algorithm::HS512, JWT_SECRET);
    refused(&client, &stronger, "unauthenticated", "another algorithm").await;
    let issuer = signed(&with("iss", json!("somebody else")), Algorithm::HS256, JWT_SECRET);
    refused(&client, &issuer, "unauthenticated", "wrong issuer").await;
    let audience = signed(&with("aud", json!("something else")), Algorithm::HS256, JWT_SECRET);
    refused(&client, &audience, "unauthenticated", "wrong audience").await;
    let old = signed(&with("exp", json!(real["iat"].as_i64().unwrap() - 60)), Algorithm::HS256, JWT_SECRET);
    refused(&client, &old, "token_expired", "expired").await;
    let (head, tail) = admin.token().rsplit_once('.').unwrap();
    let tampered = format!("{head}.{}", tail.chars().rev().collect::<String>());
    refused(&client, &tampered, "unauthenticated", "tampered signature").await;
    for nonsense in ["x", "a.b.c", "..", "é"] {
        refused(&client, nonsense, "unauthenticated", nonsense).await;
    }
}
