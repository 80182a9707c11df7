//! Only supported header parameters are accepted.

use serde_json::{Value, json};

use super::fixture::{Fixture, auth_js, claims, part, signed};

/// A token with this header and an invalid signature.
fn unsigned(header: Value) -> String {
    format!("{}.{}.c2lnbmF0dXJl", part(&header), part(&claims(json!({}))))
}

/// An encrypted token with this header that no key decrypts.
fn encrypted(header: Value, key: &str) -> String {
    format!("{}.{key}.aXY.dGV4dA.dGFn", part(&header))
}

#[tokio::test]
async fn only_supported_headers_are_accepted() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    for (token, why) in [
        (
            unsigned(json!({"alg": "none"})),
            "header parameter alg of the token is 'none', which is not a supported algorithm",
        ),
        (unsigned(json!({})), "header parameter alg of the token is ''"),
        (unsigned(json!({"alg": "HS256", "crit": ["exp"]})), "header parameter crit of the token lists extensions"),
        (
            unsigned(json!({"alg": "HS256", "typ": "logout+jwt"})),
            "header parameter typ of the token must be JWT or at+jwt, not 'logout+jwt'",
        ),
        (unsigned(json!({"alg": "HS256", "typ": 1})), "header parameter typ of the token must be JWT or at+jwt"),
        (unsigned(json!({"alg": "HS256", "kid": 1})), "header parameter kid of the token must be a text"),
        (
            unsigned(json!({"alg": "HS256", "typ": "application/at+JWT"})),
            "signature of the token does not match the key of issuer web",
        ),
        (unsigned(json!({"alg": "HS512"})), "signature of the token does not match the key of issuer web"),
        (unsigned(json!({"alg": "RS256"})), "signature of the token does not match the key of issuer web"),
        (encrypted(json!({"alg": "A256KW", "enc": "A256GCM"}), ""), "of an encrypted token must be dir"),
        (encrypted(json!({"alg": "dir", "enc": "A256GCM"}), "a2V5"), "of an encrypted token must be dir"),
        (
            encrypted(json!({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}), ""),
            "header parameter zip of the token is set, but compression is not supported",
        ),
        (
            encrypted(json!({"alg": "dir", "enc": "A128GCM"}), ""),
            "header parameter enc of the token must be A256CBC-HS512 or A256GCM",
        ),
        (
            encrypted(json!({"alg": "dir", "enc": "A256GCM"}), ""),
            "header parameter kid of the token names an unknown key",
        ),
        (
            encrypted(json!({"alg": "dir", "enc": "A256CBC-HS512", "kid": "x"}), ""),
            "header parameter kid of the token names an unknown key",
        ),
        (
            encrypted(json!({"alg": "dir", "enc": "A256GCM", "crit": []}), ""),
            "header parameter crit of the token lists extensions",
        ),
        (
            encrypted(json!({"alg": "dir", "enc": "A256GCM", "kid": []}), ""),
            "header parameter kid of the token must be a text",
        ),
    ] {
        fixture.refuses(&token, "unauthenticated", why).await;
    }
}

#[tokio::test]
async fn a_text_that_is_not_a_token_gets_the_usual_response() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    let good = signed(json!({}));
    let dir = part(&json!({"alg": "dir", "enc": "A256GCM"}));
    for token in [
        "x".to_owned(),
        "a.b.c".to_owned(),
        format!("{good}.{good}"),
        format!("{}.!.x", part(&json!({"alg": "HS256"}))),
        format!("{}.{}.x", part(&json!({"alg": "HS256"})), part(&json!([1]))),
        format!("{dir}..!.x.x"),
        format!("{dir}..aXY.!.x"),
        format!("{dir}..aXY.aXY.!"),
        format!("{}{good}", "x".repeat(17_000)),
        // The own issuer, with another secret.
        signed(json!({"iss": "trainyard"})),
    ] {
        fixture.refuses(&token, "unauthenticated", "the access token is not valid").await;
    }
}

#[tokio::test]
async fn without_issuers_no_external_token_is_accepted() {
    let fixture = Fixture::start(json!([])).await;
    fixture.refuses(&signed(json!({})), "unauthenticated", "the access token is not valid").await;
}

#[tokio::test]
async fn the_cache_of_tokens_is_bounded() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    for n in 0..=4_096 {
        let answer = fixture.pool(&signed(json!({"jti": n}))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    fixture.accepts(&signed(json!({"jti": 0})), "ada@example.com user").await;
}
