//! An OpenID provider with documents from the test, and tests of its keys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::fixture::{Fixture, claims};
use super::signing_key::SigningKey;

const CALLER: &str = "ada@example.com user";

/// A document of the provider: status, headers, body. With status 0 the provider never responds.
pub(super) type Document = (u16, Vec<(&'static str, String)>, String);

/// An OpenID provider.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) issuer: String,
    documents: Arc<Mutex<Vec<(&'static str, Document)>>>,
    requests: Arc<AtomicUsize>,
}

impl Provider {
    /// Starts a provider with these keys and a discovery document.
    pub(super) async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { issuer, documents: Arc::default(), requests: Arc::default() };
        let discovered = json!({"issuer": provider.issuer, "jwks_uri": format!("{}/keys", provider.issuer)});
        provider.put("/.well-known/openid-configuration", (200, vec![], discovered.to_string()));
        provider.publish(keys);
        let router = Router::new().fallback(answer).with_state(provider.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        provider
    }

    pub(super) fn put(&self, path: &'static str, document: Document) {
        let mut documents = self.documents.lock().unwrap();
        documents.retain(|(known, _)| *known != path);
        documents.push((path, document));
    }

    pub(super) fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.published.clone()).collect();
        self.put("/keys", (200, vec![], json!({"keys": keys}).to_string()));
    }

    /// The number of requests so far.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// The settings of its issuer.
    pub(super) fn settings(&self, further: Value) -> Value {
        let mut issuer = json!({"name": "id", "kind": "oidc", "issuer": self.issuer, "audience": "yard"});
        issuer.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        json!([issuer])
    }

    /// A token of this provider, signed with `key`.
    pub(super) fn token(&self, key: &SigningKey) -> String {
        self.token_with(key, Some(&key.kid))
    }

    fn token_with(&self, key: &SigningKey, kid: Option<&str>) -> String {
        let mut header = Header::new(key.algorithm);
        header.kid = kid.map(str::to_owned);
        let claims = claims(json!({"iss": self.issuer, "aud": "yard"}));
        key.sign(&header, &claims)
    }
}

async fn answer(State(provider): State<Provider>, request: Request) -> Response {
    provider.requests.fetch_add(1, Ordering::SeqCst);
    let found = {
        let documents = provider.documents.lock().unwrap();
        documents.iter().find(|(path, _)| *path == request.uri().path()).map(|(_, document)| document.clone())
    };
    let Some((status, headers, body)) = found else { return StatusCode::NOT_FOUND.into_response() };
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let mut sent = HeaderMap::new();
    for (name, value) in headers {
        sent.insert(name, value.parse().unwrap());
    }
    (StatusCode::from_u16(status).unwrap(), sent, body).into_response()
}

#[tokio::test]
async fn a_key_verifies_tokens_of_its_algorithm() {
    let rsa = SigningKey::new(Algorithm::RS256, "rsa");
    let (p256, p384) = (SigningKey::new(Algorithm::ES256, "p256"), SigningKey::new(Algorithm::ES384, "p384"));
    let ed = SigningKey::new(Algorithm::EdDSA, "ed");
    use Algorithm::{PS256, PS384, PS512, RS384, RS512};
    let mut other_rsa = [RS384, RS512, PS256, PS384, PS512].map(|alg| SigningKey::new(alg, &format!("{alg:?}")));
    // Some providers publish a sign byte before the modulus.
    let modulus = URL_SAFE_NO_PAD.decode(other_rsa[0].published["n"].as_str().unwrap()).unwrap();
    other_rsa[0].published["n"] = URL_SAFE_NO_PAD.encode([&[0], &modulus[..]].concat()).into();
    let keys: Vec<_> = [&rsa, &p256, &p384, &ed].into_iter().chain(&other_rsa).collect();
    let provider = Provider::start(&keys).await;
    let fixture = Fixture::start(provider.settings(json!({}))).await;
    for key in keys {
        fixture.accepts(&provider.token(key), CALLER).await;
        fixture.accepts(&provider.token_with(key, None), CALLER).await;
    }
    let other = SigningKey::new(Algorithm::ES256, "p256");
    fixture
        .refuses(
            &provider.token(&other),
            "unauthenticated",
            "signature of the token does not match the key of issuer id",
        )
        .await;
    let misnamed = provider.token_with(&p256, Some("rsa"));
    fixture.refuses(&misnamed, "unauthenticated", "the key 'rsa' does not support its alg ES256").await;
    // The public key must not be accepted as an HMAC secret.
    let text = rsa.published.to_string();
    let header = Header { kid: Some("rsa".into()), ..Header::new(Algorithm::HS256) };
    let claims = claims(json!({"iss": provider.issuer, "aud": "yard"}));
    let confused = encode(&header, &claims, &EncodingKey::from_secret(text.as_bytes())).unwrap();
    fixture.refuses(&confused, "unauthenticated", "the key 'rsa' does not support its alg HS256").await;
    let unnamed = encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(b"x")).unwrap();
    fixture.refuses(&unnamed, "unauthenticated", "no published key supports the alg HS256").await;
}

#[tokio::test]
async fn keys_for_other_uses_are_ignored() {
    let [sealing, wrapping, named, twin] =
        ["sealing", "wrapping", "named", "twin"].map(|kid| SigningKey::new(Algorithm::ES256, kid));
    let with = |key: &SigningKey, name: &str, value: Value| {
        let mut published = key.published.clone();
        published[name] = value;
        published
    };
    let mut unnamed = twin.published.clone();
    unnamed.as_object_mut().unwrap().remove("alg");
    let keys = json!({"keys": [
        with(&sealing, "use", json!("enc")),
        with(&wrapping, "key_ops", json!(["wrapKey"])),
        with(&named, "alg", json!("ES384")),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {"kty": "EC", "crv": "P-521", "kid": "p521", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": "new", "kid": "new"},
        7,
        with(&named, "use", json!("sig")),
        unnamed,
    ]});
    let provider = Provider::start(&[]).await;
    provider.put("/keys", (200, vec![], keys.to_string()));
    let fixture = Fixture::start(provider.settings(json!({}))).await;
    fixture.accepts(&provider.token(&named), CALLER).await;
    fixture.accepts(&provider.token(&twin), CALLER).await;
    for key in [&sealing, &wrapping] {
        fixture.refuses(&provider.token(key), "unauthenticated", "no published key has the kid").await;
    }
    let unnamed = provider.token_with(&named, None);
    fixture.refuses(&unnamed, "unauthenticated", "the token has no kid, and several keys support its alg").await;
}
