//! Session tokens that Auth.js and NextAuth created at a given time.

use serde_json::{Value, json};
use trainyard_testkit::auth_js_tokens;

use super::fixture::{Fixture, SECRET, auth_js, part};
use crate::support::start;

const COOKIE: &str = "authjs.session-token";
const CALLER: &str = "ada@example.com user";

/// Tokens that are valid for ten minutes from the start of the manual clock.
async fn tokens(requests: &[Value]) -> Vec<String> {
    let requests: Vec<Value> = requests
        .iter()
        .map(|request| {
            let mut whole = json!({"version": 5, "secret": SECRET, "salt": COOKIE, "maxAge": 600,
                "now": start().timestamp(), "token": {"sub": "1", "email": "ada@example.com"}});
            whole.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
            whole
        })
        .collect();
    tokio::task::spawn_blocking(move || auth_js_tokens(&requests)).await.unwrap()
}

#[tokio::test]
async fn both_versions_are_decrypted() {
    let previous = "the shared secret of last year, of enough bytes";
    let fixture = Fixture::start(auth_js(json!({"previous_secret": previous}))).await;
    let good = tokens(&[
        json!({}),
        json!({"salt": "__Secure-authjs.session-token"}),
        json!({"secret": previous}),
        json!({"version": 4, "salt": ""}),
        json!({"version": 4, "salt": "", "secret": previous}),
    ])
    .await;
    for token in good {
        fixture.accepts(&token, CALLER).await;
    }
    let bad = tokens(&[
        json!({"secret": "a secret that was never agreed on"}),
        json!({"version": 4, "salt": "", "secret": "a secret that was never agreed on"}),
        json!({"salt": "session"}),
    ])
    .await;
    for token in bad {
        fixture.refuses(&token, "unauthenticated", "header parameter kid of the token names an unknown key").await;
    }
    let old = tokens(&[json!({"now": start().timestamp() - 630})]).await.remove(0);
    fixture.refuses(&old, "token_expired", "has expired (claim exp)").await;
    let own_name = Fixture::start(auth_js(json!({"cookie_names": "session"}))).await;
    own_name.accepts(&tokens(&[json!({"salt": "session"})]).await[0], CALLER).await;
}

#[tokio::test]
async fn a_modified_part_is_refused() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    let made = tokens(&[json!({}), json!({"version": 4, "salt": ""})]).await;
    for token in &made {
        let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        let with_kid = token == &made[0];
        for changed in 2..5 {
            let mut parts = parts.clone();
            let first = if parts[changed].starts_with('A') { "B" } else { "A" };
            parts[changed].replace_range(..1, first);
            let why = if with_kid {
                "signature of the token does not match the key of issuer web"
            } else {
                "header parameter kid of the token names an unknown key"
            };
            fixture.refuses(&parts.join("."), "unauthenticated", why).await;
            // Another length.
            parts[changed] = "AAAA".to_owned();
            fixture.refuses(&parts.join("."), "unauthenticated", why).await;
        }
        // The header is authenticated, so the encryption can't be replaced.
        let mut parts = parts;
        parts[0] = part(&json!({"alg": "dir", "enc": "A256CBC-HS512"}));
        fixture
            .refuses(&parts.join("."), "unauthenticated", "header parameter kid of the token names an unknown key")
            .await;
    }
}

#[tokio::test]
async fn claims_of_encrypted_tokens_are_checked() {
    // An issuer without a shared secret does not decrypt tokens.
    let provider = json!({"name": "id", "kind": "oidc", "issuer": "http://127.0.0.1:9", "audience": "yard"});
    let app = json!({"name": "web", "kind": "authjs", "secret": SECRET, "issuer": "https://app.example.com"});
    let fixture = Fixture::start(json!([provider, app])).await;
    let with_issuer = |iss: Value| json!({"token": {"sub": "1", "email": "ada@example.com", "iss": iss}});
    let made = tokens(&[
        with_issuer(json!("https://app.example.com")),
        with_issuer(json!(null)),
        with_issuer(json!("https://evil.example.com/\u{7}")),
    ])
    .await;
    fixture.accepts(&made[0], CALLER).await;
    fixture.refuses(&made[1], "unauthenticated", "claim iss is missing; expected 'https://app.example.com'").await;
    let why = "claim iss must be 'https://app.example.com', not 'https://evil.example.com/?'";
    fixture.refuses(&made[2], "unauthenticated", why).await;
}
