//! Access tokens: valid, expired, forged, or of another issuer.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use trainyard_domain::Role;
use trainyard_http::auth::Jwt;

use crate::support::{Answer, SECRET, app, at_noon, get, jwt, person, request, send, start, token};

async fn me_with(authorization: &str) -> Answer {
    send(app(), request("GET", "/me").header(AUTHORIZATION, authorization).body(Body::empty()).unwrap()).await
}

#[track_caller]
fn assert_invalid(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"), "{what}");
    assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{what}");
}

fn claims() -> Value {
    serde_json::to_value(jwt().verify(&token(Role::User), start()).unwrap()).unwrap()
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &[u8]) -> String {
    trainyard_http::auth::install_jws_provider();
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

#[tokio::test]
async fn a_valid_token_authenticates_its_user() {
    let answer = me_with(&format!("Bearer {}", token(Role::User))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "user@example.com user"));
    assert_eq!(me_with(&format!("bearer  {}", token(Role::Admin))).await.text, "admin@example.com admin");
}

#[tokio::test]
async fn a_missing_token_gets_a_challenge_without_an_error() {
    for answer in [get("/me").await, me_with("Basic dXNlcjpwYXNz").await] {
        assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"));
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn a_token_expires_after_its_lifetime() {
    let (app, clock) = at_noon();
    let bearer = format!("Bearer {}", token(Role::User));
    let me = || send(app.clone(), request("GET", "/me").header(AUTHORIZATION, &bearer).body(Body::empty()).unwrap());
    clock.advance(TimeDelta::minutes(59));
    assert_eq!(me().await.status, 200);
    clock.advance(TimeDelta::seconds(89));
    assert_eq!(me().await.status, 200, "clocks may differ by thirty seconds");
    clock.advance(TimeDelta::seconds(1));
    let over = me().await;
    assert_eq!((over.status, over.problem().as_str()), (401, "token_expired"));
    assert_eq!(over.header("www-authenticate"), r#"Bearer error="invalid_token""#);
}

#[tokio::test]
async fn tampered_tokens_are_refused() {
    let good = token(Role::User);
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let mut raised = claims();
    raised["role"] = json!("admin");
    let raised = URL_SAFE_NO_PAD.encode(raised.to_string());
    let none = |alg: &str| URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#));
    let forged = [
        ("role raised", format!("{header}.{raised}.{signature}")),
        ("signature cut", format!("{header}.{payload}.{}", &signature[..20])),
        ("signature gone", format!("{header}.{payload}.")),
        ("two parts", format!("{header}.{payload}")),
        ("alg none, unsigned", format!("{}.{raised}.", none("none"))),
        ("alg None, unsigned", format!("{}.{raised}.", none("None"))),
        ("alg none, old signature", format!("{}.{payload}.{signature}", none("none"))),
        ("no token", String::new()),
        ("not a token", "hello".to_owned()),
    ];
    for (what, token) in forged {
        assert_invalid(&me_with(&format!("Bearer {token}")).await, what);
    }
}

/// Verified tokens are cached. The cache must not accept an expired or a modified token.
#[tokio::test]
async fn the_cache_accepts_no_expired_and_no_modified_token() {
    let (app, clock) = at_noon();
    let me = async |token: &str| {
        let bearer = format!("Bearer {token}");
        send(app.clone(), request("GET", "/me").header(AUTHORIZATION, bearer).body(Body::empty()).unwrap()).await
    };
    let good = token(Role::User);
    for _ in 0..2 {
        assert_eq!(me(&good).await.text, "user@example.com user");
    }
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let mut raised = claims();
    raised["role"] = json!("admin");
    let raised = URL_SAFE_NO_PAD.encode(raised.to_string());
    let other = token(Role::Admin);
    let changed = [
        ("role raised", format!("{header}.{raised}.{signature}")),
        ("another token's signature", format!("{header}.{payload}.{}", other.rsplit('.').next().unwrap())),
        ("signature cut", good[..good.len() - 1].to_owned()),
        ("one letter more", format!("{good}A")),
    ];
    for (what, token) in changed {
        // The second request must not find the refused token in the cache.
        for _ in 0..2 {
            assert_invalid(&me(&token).await, what);
        }
    }
    assert_eq!(me(&good).await.status, 200);
    clock.advance(TimeDelta::seconds(3_630));
    for _ in 0..2 {
        let over = me(&good).await;
        assert_eq!((over.status, over.problem().as_str()), (401, "token_expired"));
    }
}

#[tokio::test]
async fn another_algorithm_secret_issuer_or_audience_is_refused() {
    let with = |field: &str, value: Value| {
        let mut claims = claims();
        claims[field] = value;
        signed(&claims, Algorithm::HS256, SECRET)
    };
    let without = |field: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(field);
        signed(&claims, Algorithm::HS256, SECRET)
    };
    assert_eq!(me_with(&format!("Bearer {}", with("email", json!("x@example.com")))).await.status, 200);
    let strangers = [
        ("another algorithm", signed(&claims(), Algorithm::HS512, SECRET)),
        ("another secret", signed(&claims(), Algorithm::HS256, b"another secret of 32 bytes......")),
        ("another issuer", with("iss", json!("elsewhere"))),
        ("another audience", with("aud", json!("somebody"))),
        ("issued in the future", with("iat", json!(start().timestamp() + 600))),
        ("an unknown role", with("role", json!("root"))),
        ("a subject that is no id", with("sub", json!("1 OR 1=1"))),
        ("no issuer", without("iss")),
        ("no audience", without("aud")),
        ("no end", without("exp")),
    ];
    for (what, token) in strangers {
        assert_invalid(&me_with(&format!("Bearer {token}")).await, what);
    }
}

#[tokio::test]
async fn times_have_thirty_seconds_of_leeway_and_critical_headers_are_refused() {
    let with = |field: &str, offset: i64| {
        let mut claims = claims();
        claims[field] = json!(start().timestamp() + offset);
        signed(&claims, Algorithm::HS256, SECRET)
    };
    for (what, token) in [("iat", with("iat", 30)), ("nbf", with("nbf", 30)), ("exp", with("exp", -29))] {
        assert_eq!(me_with(&format!("Bearer {token}")).await.status, 200, "{what} within the leeway");
    }
    assert_invalid(&me_with(&format!("Bearer {}", with("iat", 31))).await, "iat");
    assert_invalid(&me_with(&format!("Bearer {}", with("nbf", 31))).await, "nbf");
    let over = me_with(&format!("Bearer {}", with("exp", -30))).await;
    assert_eq!(over.problem(), "token_expired");

    let mut header = Header::new(Algorithm::HS256);
    header.crit = Some(vec!["b64".to_owned()]);
    let critical = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(SECRET)).unwrap();
    for _ in 0..2 {
        assert_invalid(&me_with(&format!("Bearer {critical}")).await, "a critical header");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let bearer = format!("Bearer {}", token(Role::User));
    let twice = request("GET", "/me").header(AUTHORIZATION, &bearer).header(AUTHORIZATION, &bearer);
    assert_invalid(&send(app(), twice.body(Body::empty()).unwrap()).await, "twice");
}

#[test]
fn a_short_secret_is_refused() {
    let error = Jwt::new(&[b'x'; 31], "i", "a", TimeDelta::hours(1)).unwrap_err();
    assert_eq!(error.to_string(), "must have at least 32 bytes, has 31");
}

#[test]
fn every_token_has_a_unique_id() {
    let jwt = jwt();
    let id = || jwt.verify(&jwt.issue(&person(Role::User), start()).unwrap(), start()).unwrap().jti;
    assert_ne!(id(), id());
}
