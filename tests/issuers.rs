//! Tokens of external issuers: Auth.js and NextAuth, and an OpenID provider.

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use trainyard_testkit::{Client, OpenIdProvider, Stack, System, auth_js_tokens, eventually, token_options, unique};

use crate::support::BINARY;

const SECRET: &str = "an Auth.js secret of thirty-two bytes or more";
const MAPPED_SECRET: &str = "another secret, whose issuer maps roles to ours";
const CLOSED_SECRET: &str = "one more secret, whose users must have accounts";
const COOKIE: &str = "authjs.session-token";
const SECURE_COOKIE: &str = "__Secure-authjs.session-token";
const MAPPED: &str = "https://mapped.example.com";
const CLOSED: &str = "https://closed.example.com";

/// A system with issuers of every kind, including the running provider.
struct Bench {
    system: System,
    provider: OpenIdProvider,
}

impl Bench {
    fn start(stack: Stack) -> Self {
        let provider = OpenIdProvider::start();
        let issuers = json!([
            {"name": "web", "kind": "authjs", "secret": SECRET},
            {"name": "mapped", "kind": "authjs", "issuer": MAPPED, "secret": MAPPED_SECRET,
             "role_claim": "realm.roles", "admin_values": ["trainyard-admin"], "link_by_email": true},
            {"name": "closed", "kind": "authjs", "issuer": CLOSED, "secret": CLOSED_SECRET, "accounts": "existing"},
            {"name": "provider", "kind": "oidc", "issuer": provider.issuer(), "audience": OpenIdProvider::AUDIENCE,
             "role_claim": "roles", "admin_values": "trainyard-admin"},
        ]);
        let settings = [("TRAINYARD__AUTH__ISSUERS", issuers.to_string())];
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        Self { system: System::start_with(BINARY, stack, 1, &settings), provider }
    }
}

macro_rules! on_both_stacks_with_issuers {
    ($($test:ident),+ $(,)?) => {
        mod embedded {
            use super::*;
            fn bench() -> &'static Bench {
                static BENCH: OnceLock<Bench> = OnceLock::new();
                std::thread::scope(|scope| {
                    scope.spawn(|| BENCH.get_or_init(|| Bench::start(Stack::Embedded))).join().unwrap()
                })
            }
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(bench()).await;
            })+
        }
        mod distributed {
            use super::*;
            fn bench() -> &'static Bench {
                static BENCH: OnceLock<Bench> = OnceLock::new();
                std::thread::scope(|scope| {
                    scope.spawn(|| BENCH.get_or_init(|| Bench::start(Stack::Distributed))).join().unwrap()
                })
            }
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(bench()).await;
            })+
        }
    };
}

on_both_stacks_with_issuers!(
    session_tokens_of_auth_js_are_accepted,
    invalid_session_tokens_are_refused_with_a_reason,
    concurrent_first_requests_create_one_account,
    an_unverified_address_never_selects_an_account,
    a_verified_address_selects_an_account_if_configured,
    administrators_and_claims_decide_roles,
    a_disabled_account_is_refused_everywhere,
    openid_tokens_are_accepted_during_key_rotation_and_outage,
);

fn address() -> String {
    format!("{}@example.com", unique("person"))
}

fn session(secret: &str, salt: &str, token: Value) -> Value {
    json!({"version": 5, "secret": secret, "salt": salt, "maxAge": 600, "token": token})
}

/// A token that an application signs with a secret shared with Trainyard.
fn signed(secret: &str, claims: &Value) -> String {
    let mut claims = claims.clone();
    let now = chrono::Utc::now().timestamp();
    claims["iat"] = claims.get("iat").cloned().unwrap_or_else(|| now.into());
    claims["exp"] = claims.get("exp").cloned().unwrap_or_else(|| (now + 600).into());
    trainyard_http::auth::install_jws_provider();
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// The account of a token that the API and inference both accept.
async fn accepted(client: &Client, token: &str) -> Value {
    let client = client.with_token(token);
    let me = client.get("/me").await.expect(200);
    let predicted = client.infer(json!({"model": "no-such-model", "features": {}})).await;
    assert!(![401, 403, 503].contains(&predicted.status), "{predicted:?}");
    me
}

/// Checks that the API and inference both refuse the token with this reason.
async fn refused(client: &Client, token: &str, code: &str, why: &str) {
    let client = client.with_token(token);
    for answer in [client.get("/me").await, client.infer(json!({"model": "x", "features": {}})).await] {
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{why}: {answer:?}");
        let problem = answer.problem(401);
        assert_eq!(problem["code"], code, "{why}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{why}: {problem}");
    }
}

async fn session_tokens_of_auth_js_are_accepted(bench: &Bench) {
    let client = bench.system.client();
    let (email, other) = (address(), address());
    let (subject, number) = (unique("subject"), unique("id"));
    let claims = json!({"sub": subject, "email": email.to_uppercase(), "name": "Ada", "picture": null});
    let tokens = auth_js_tokens(&[
        session(SECRET, COOKIE, claims.clone()),
        session(SECRET, SECURE_COOKIE, claims.clone()),
        json!({"version": 4, "secret": SECRET, "token": claims}),
        session(SECRET, COOKIE, json!({"id": number, "email": other})),
    ]);
    let account = accepted(&client, &tokens[0]).await;
    assert_eq!((&account["email"], &account["role"]), (&json!(email), &json!("user")));
    for token in &tokens[1..3] {
        assert_eq!(accepted(&client, token).await["id"], account["id"], "one user, one account");
    }
    assert_eq!(accepted(&client, &signed(SECRET, &claims)).await["id"], account["id"]);
    // Inference works without an existing account.
    let first = client.with_token(&tokens[3]).infer(json!({"model": "no-such-model", "features": {}})).await;
    assert!(![401, 403, 503].contains(&first.status), "{first:?}");
    assert_eq!(accepted(&client, &tokens[3]).await["email"], other, "a user id in `id`");
    client.with_token(&tokens[0]).get("/admin/users").await.problem(403);
    // Accounts of an issuer have no password.
    client.post("/login", json!({"email": email, "password": "any password"})).await.problem(401);
}

async fn invalid_session_tokens_are_refused_with_a_reason(bench: &Bench) {
    let client = bench.system.client();
    let claims = json!({"sub": unique("subject"), "email": address()});
    let now = chrono::Utc::now().timestamp();
    let old = json!({"version": 5, "secret": SECRET, "salt": COOKIE, "maxAge": 60, "token": claims, "now": now - 120});
    let tokens = auth_js_tokens(&[
        old,
        session("a secret that the service does not have", COOKIE, claims.clone()),
        session(SECRET, "another-cookie", claims.clone()),
        session(SECRET, COOKIE, json!({"email": address()})),
        session(SECRET, COOKIE, json!({"sub": unique("subject"), "email": null})),
        session(SECRET, COOKIE, json!({"sub": unique("subject"), "email": "nobody"})),
        session(SECRET, COOKIE, claims.clone()),
    ]);
    refused(&client, &tokens[0], "token_expired", "exp").await;
    refused(&client, &tokens[1], "unauthenticated", "kid").await;
    refused(&client, &tokens[2], "unauthenticated", "kid").await;
    refused(&client, &tokens[3], "unauthenticated", "claim sub and id are missing").await;
    refused(&client, &tokens[4], "unauthenticated", "claim email is missing").await;
    refused(&client, &tokens[5], "unauthenticated", "claim email must be an e-mail address").await;
    let (head, tag) = tokens[6].rsplit_once('.').unwrap();
    let tampered = format!("{head}.{}{}", if tag.starts_with('A') { 'B' } else { 'A' }, &tag[1..]);
    refused(&client, &tampered, "unauthenticated", "signature").await;
    let forged = signed("a secret that the service does not have", &claims);
    refused(&client, &forged, "unauthenticated", "signature").await;
    let stranger = signed(SECRET, &json!({"sub": "1", "email": address(), "iss": "https://stranger.example.com"}));
    refused(&client, &stranger, "unauthenticated", "claim iss").await;
}

async fn concurrent_first_requests_create_one_account(bench: &Bench) {
    let client = bench.system.client();
    // Many users, because a request rarely reads between the statements of another one.
    for _ in 0..50 {
        let user = client.with_token(&signed(SECRET, &json!({"sub": unique("subject"), "email": address()})));
        let answers = futures::future::join_all((0..20).map(|_| user.get("/me"))).await;
        let ids: Vec<_> = answers.into_iter().map(|answer| answer.expect(200)["id"].clone()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
}

async fn an_unverified_address_never_selects_an_account(bench: &Bench) {
    let client = bench.system.client();
    let owner = client.user().await;
    let email = owner.get("/me").await.expect(200)["email"].clone();
    let stated = json!({"sub": unique("subject"), "email": email, "email_verified": true});
    refused(&client, &signed(SECRET, &stated), "unauthenticated", "e-mail address belongs to an account").await;
    let unverified = json!({"iss": MAPPED, "sub": unique("subject"), "email": email});
    let token = signed(MAPPED_SECRET, &unverified);
    refused(&client, &token, "unauthenticated", "e-mail address belongs to an account").await;
    let unknown = json!({"iss": CLOSED, "sub": unique("subject"), "email": address()});
    refused(&client, &signed(CLOSED_SECRET, &unknown), "unauthenticated", "has no account").await;
}

async fn a_verified_address_selects_an_account_if_configured(bench: &Bench) {
    let client = bench.system.client();
    let account = client.user().await.get("/me").await.expect(200);
    let person = |subject: &str| {
        let claims = json!({"iss": MAPPED, "sub": subject, "email": account["email"], "email_verified": true});
        signed(MAPPED_SECRET, &claims)
    };
    let subject = unique("subject");
    assert_eq!(accepted(&client, &person(&subject)).await["id"], account["id"]);
    assert_eq!(accepted(&client, &person(&subject)).await["id"], account["id"], "linked for good");
    let successor = person(&unique("successor"));
    let client = client.with_token(&successor);
    let problem = client.get("/me").await.problem(401);
    assert!(problem["detail"].as_str().unwrap().contains("e-mail address"), "a reused address: {problem}");
}

async fn administrators_and_claims_decide_roles(bench: &Bench) {
    let client = bench.system.client();
    let admin = client.admin().await;
    // Without a role mapping: the role that an administrator set.
    let plain = signed(SECRET, &json!({"sub": unique("subject"), "email": address()}));
    let id = accepted(&client, &plain).await["id"].as_str().unwrap().to_owned();
    admin.patch(&format!("/admin/users/{id}"), json!({"role": "admin"})).await.expect(200);
    client.with_token(&plain).get("/admin/users").await.expect(200);
    // With a role mapping: the role of the token; of two tokens, of the one issued later.
    let (subject, email, now) = (unique("subject"), address(), chrono::Utc::now().timestamp());
    let with_roles = |roles: &[&str], iat: i64| {
        let realm = json!({"roles": roles});
        let claims = json!({"iss": MAPPED, "sub": subject, "email": email, "realm": realm, "iat": iat});
        client.with_token(&signed(MAPPED_SECRET, &claims))
    };
    let first = with_roles(&["reader", "trainyard-admin"], now - 60);
    let account = first.get("/me").await.expect(200);
    assert_eq!(account["role"], "admin");
    first.get("/admin/users").await.expect(200);
    let later = with_roles(&["reader"], now - 30);
    assert_eq!(later.get("/me").await.expect(200)["role"], "user");
    first.get("/admin/users").await.problem(403);
    let path = format!("/admin/users/{}", account["id"].as_str().unwrap());
    let conflict = admin.patch(&path, json!({"role": "admin"})).await.problem(409);
    assert!(conflict["detail"].as_str().unwrap().contains(MAPPED), "{conflict}");
}

async fn a_disabled_account_is_refused_everywhere(bench: &Bench) {
    let client = bench.system.client();
    let admin = client.admin().await;
    let token = signed(SECRET, &json!({"sub": unique("subject"), "email": address()}));
    let id = accepted(&client, &token).await["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/users/{id}");
    admin.patch(&path, json!({"disabled": true})).await.expect(200);
    let user = client.with_token(&token);
    assert!(user.get("/me").await.problem(401)["detail"].as_str().unwrap().contains("disabled"));
    eventually("inference refuses the account", Duration::from_secs(10), async || {
        (user.infer(json!({"model": "x", "features": {}})).await.status == 401).then_some(())
    })
    .await;
    admin.patch(&path, json!({"disabled": false})).await.expect(200);
    user.get("/me").await.expect(200);
    eventually("inference accepts the account again", Duration::from_secs(10), async || {
        (user.infer(json!({"model": "x", "features": {}})).await.status != 401).then_some(())
    })
    .await;
}

async fn openid_tokens_are_accepted_during_key_rotation_and_outage(bench: &Bench) {
    let (client, provider) = (bench.system.client(), &bench.provider);
    for alg in ["RS256", "ES256", "EdDSA"] {
        let email = address();
        let token = provider.token(&token_options(alg, json!({"email": email}))).await;
        let account = accepted(&client, &token).await;
        assert_eq!((&account["email"], &account["role"]), (&json!(email), &json!("user")), "{alg}");
    }
    let admin = token_options("ES256", json!({"email": address(), "roles": ["trainyard-admin"]}));
    let admin = client.with_token(&provider.token(&admin).await);
    admin.get("/admin/users").await.expect(200);

    let other = json!({"aud": "urn:another", "claims": {"email": address()}});
    refused(&client, &provider.token(&other).await, "unauthenticated", "claim aud").await;
    let nameless = provider.token(&token_options("EdDSA", json!({}))).await;
    refused(&client, &nameless, "unauthenticated", "claim email is missing").await;

    // While the provider is unreachable, known keys stay valid and a token with an unknown key is refused.
    let before = provider.token(&token_options("RS256", json!({"email": address()}))).await;
    provider.fail(true).await;
    accepted(&client, &before).await;
    provider.rotate().await;
    let after = provider.token(&token_options("RS256", json!({"email": address()}))).await;
    refused(&client, &after, "unauthenticated", "kid").await;
    accepted(&client, &before).await;
    // The provider is reachable again: the next fetch finds the new key and removes the old key.
    provider.fail(false).await;
    eventually("the new key is known to the API", Duration::from_secs(30), async || {
        (client.with_token(&after).get("/me").await.status == 200).then_some(())
    })
    .await;
    refused_by_api(&client, &before).await;
    // Tokens with invented key ids do not cause a fetch each.
    let fetches = provider.fetches().await;
    let (_, rest) = after.split_once('.').unwrap();
    for n in 0..50 {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": format!("made-up-{n}")});
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        client.with_token(&format!("{header}.{rest}")).get("/me").await.problem(401);
    }
    assert!(provider.fetches().await <= fetches + 4, "at most one fetch in ten seconds from each role");
}

async fn refused_by_api(client: &Client, token: &str) {
    let problem = client.with_token(token).get("/me").await.problem(401);
    assert!(problem["detail"].as_str().unwrap().contains("kid"), "{problem}");
}
