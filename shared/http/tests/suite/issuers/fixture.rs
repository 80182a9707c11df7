//! A role that accepts tokens of external issuers, and tokens for it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tempfile::TempDir;
use trainyard_domain::Clock;
use trainyard_http::Authenticator;
use trainyard_http::auth::{ApiKeys, DisabledUsers, IssuerConfig, Issuers, OwnTokens, PrincipalCheck};
use trainyard_storage::{Db, PoolOptions};

use crate::support::{Answer, SECRET as OWN_SECRET, jwt, request, routes, send, settings, start};

pub(super) const SECRET: &str = "a shared secret of thirty-two bytes or more";
pub(super) const OWN: OwnTokens<'static> =
    OwnTokens { issuer: "trainyard", secret: "a secret of thirty-two bytes, ok" };

/// The role with the account checks of the API and of the inference role, over one database.
pub(super) struct Fixture {
    pub(super) api: Router,
    pub(super) pool: Router,
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) disabled: DisabledUsers,
    _folder: TempDir,
}

impl Fixture {
    /// Starts the role with these issuers.
    pub(super) async fn start(issuers: Value) -> Self {
        assert_eq!(OWN.secret.as_bytes(), OWN_SECRET);
        let folder = tempfile::tempdir().unwrap();
        let options = PoolOptions { acquire_timeout: Duration::from_millis(200), ..PoolOptions::default() };
        let url = format!("sqlite://{}/db", folder.path().display());
        // The migrations may take longer than the short timeout of the role.
        Db::connect(&url, &PoolOptions::default()).await.unwrap().migrate().await.unwrap();
        let db = Db::connect(&url, &options).await.unwrap();
        let (clock, disabled) = (Clock::manual(start()), DisabledUsers::default());
        let configs: Vec<IssuerConfig> = serde_json::from_value(issuers).unwrap();
        let issuers = Arc::new(Issuers::start(configs, OWN, false, &clock).unwrap());
        let router = |check| {
            let (jwt, issuers, db) = (Arc::new(jwt()), Arc::clone(&issuers), db.clone());
            let keys = ApiKeys::start(db.clone(), clock.clone(), Duration::ZERO);
            let authenticator = Authenticator::with_issuers(jwt, clock.clone(), check, issuers, db, keys);
            routes().into_router(authenticator, settings().requests())
        };
        let api = router(PrincipalCheck::Database(db.clone()));
        let pool = router(PrincipalCheck::Claims(disabled.clone()));
        Self { api, pool, db, clock, disabled, _folder: folder }
    }

    /// The response of an API over the same database whose issuer does not map roles.
    pub(super) async fn without_mapping(&self) -> Answer {
        let configs: Vec<IssuerConfig> = serde_json::from_value(auth_js(json!({}))).unwrap();
        let issuers = Arc::new(Issuers::start(configs, OWN, false, &self.clock).unwrap());
        let check = PrincipalCheck::Database(self.db.clone());
        let (jwt, clock) = (Arc::new(jwt()), self.clock.clone());
        let keys = ApiKeys::start(self.db.clone(), clock.clone(), Duration::ZERO);
        let authenticator = Authenticator::with_issuers(jwt, clock, check, issuers, self.db.clone(), keys);
        me(&routes().into_router(authenticator, settings().requests()), &signed(json!({}))).await
    }

    /// The response of the API to a token.
    pub(super) async fn api(&self, token: &str) -> Answer {
        me(&self.api, token).await
    }

    /// The response of the inference role to a token.
    pub(super) async fn pool(&self, token: &str) -> Answer {
        me(&self.pool, token).await
    }

    /// Both accept the token of this caller.
    pub(super) async fn accepts(&self, token: &str, caller: &str) {
        for answer in [self.api(token).await, self.pool(token).await] {
            assert_eq!((answer.status, answer.text.as_str()), (200, caller), "{answer:?}");
        }
    }

    /// Both refuse the token with this code and a detail that contains `why`.
    pub(super) async fn refuses(&self, token: &str, code: &str, why: &str) {
        for answer in [self.api(token).await, self.pool(token).await] {
            let problem = (answer.problem(), answer.json()["detail"].as_str().unwrap().to_owned());
            assert!(problem.0 == code && problem.1.contains(why), "expected {code} and '{why}': {problem:?}");
        }
    }
}

pub(super) async fn me(router: &Router, token: &str) -> Answer {
    let call = request("GET", "/me").header(AUTHORIZATION, format!("Bearer {token}"));
    send(router.clone(), call.body(Body::empty()).unwrap()).await
}

/// An issuer of the kind `authjs` with further settings.
pub(super) fn auth_js(further: Value) -> Value {
    let mut issuer = json!({"name": "web", "kind": "authjs", "secret": SECRET});
    issuer.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    json!([issuer])
}

/// The claims of a token that is valid for ten minutes, with `changes`. Null removes a claim.
pub(super) fn claims(changes: Value) -> Value {
    let now = start().timestamp();
    let mut claims = json!({"sub": "1", "email": "ada@example.com", "iat": now, "exp": now + 600});
    let all = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// A token that is signed with the shared secret.
pub(super) fn signed(changes: Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    trainyard_http::auth::install_jws_provider();
    encode(&Header::new(Algorithm::HS256), &claims(changes), &key).unwrap()
}

/// Encodes a part of a compact token.
pub(super) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
