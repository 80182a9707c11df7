//! What protects a token: only what is expected is accepted.

use serde_json::{Value, json};

use super::gate::{Gate, auth_js, claims, part, signed};

/// A token with this header and no signature of anybody.
fn unsigned(header: Value) -> String {
    format!("{}.{}.c2lnbmF0dXJl", part(&header), part(&claims(json!({}))))
}

/// An encrypted token with this header that no key opens.
fn sealed(header: Value, key: &str) -> String {
    format!("{}.{key}.aXY.dGV4dA.dGFn", part(&header))
}

#[tokio::test]
async fn only_expected_headers_are_accepted() {
    let gate = Gate::open(auth_js(json!({}))).await;
    for (token, why) in [
        (unsigned(json!({"alg": "none"})), "header alg names 'none', which is not accepted"),
        (unsigned(json!({})), "header alg names ''"),
        (unsigned(json!({"alg": "HS256", "crit": ["exp"]})), "header crit asks for extensions"),
        (unsigned(json!({"alg": "HS256", "typ": "logout+jwt"})), "header typ must be JWT or at+jwt, not 'logout+jwt'"),
        (unsigned(json!({"alg": "HS256", "typ": 1})), "header typ must be JWT or at+jwt"),
        (unsigned(json!({"alg": "HS256", "kid": 1})), "header kid must be a text"),
        (unsigned(json!({"alg": "HS256", "typ": "application/at+JWT"})), "signature is not one of issuer web"),
        (unsigned(json!({"alg": "HS512"})), "signature is not one of issuer web"),
        (unsigned(json!({"alg": "RS256"})), "signature is not one of issuer web"),
        (sealed(json!({"alg": "A256KW", "enc": "A256GCM"}), ""), "header alg of an encrypted token must be dir"),
        (sealed(json!({"alg": "dir", "enc": "A256GCM"}), "a2V5"), "header alg of an encrypted token must be dir"),
        (sealed(json!({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}), ""), "header zip asks for compression"),
        (sealed(json!({"alg": "dir", "enc": "A128GCM"}), ""), "header enc must be A256CBC-HS512 or A256GCM"),
        (sealed(json!({"alg": "dir", "enc": "A256GCM"}), ""), "header kid names an unknown key"),
        (sealed(json!({"alg": "dir", "enc": "A256CBC-HS512", "kid": "x"}), ""), "header kid names an unknown key"),
        (sealed(json!({"alg": "dir", "enc": "A256GCM", "crit": []}), ""), "header crit asks for extensions"),
        (sealed(json!({"alg": "dir", "enc": "A256GCM", "kid": []}), ""), "header kid must be a text"),
    ] {
        gate.refuses(&token, "unauthenticated", why).await;
    }
}

#[tokio::test]
async fn what_is_no_token_gets_the_usual_answer() {
    let gate = Gate::open(auth_js(json!({}))).await;
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
        // Ours, but of another secret.
        signed(json!({"iss": "trainyard"})),
    ] {
        gate.refuses(&token, "unauthenticated", "the access token is not valid").await;
    }
}

#[tokio::test]
async fn without_issuers_no_foreign_token_is_read() {
    let gate = Gate::open(json!([])).await;
    gate.refuses(&signed(json!({})), "unauthenticated", "the access token is not valid").await;
}

#[tokio::test]
async fn many_tokens_are_remembered_within_bounds() {
    let gate = Gate::open(auth_js(json!({}))).await;
    for n in 0..=4_096 {
        let answer = gate.pool(&signed(json!({"jti": n}))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    gate.accepts(&signed(json!({"jti": 0})), "ada@example.com user").await;
}
