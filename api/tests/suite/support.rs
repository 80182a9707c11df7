//! Starts an API for each test, and sends requests to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use trainyard_api::{
    AccountsConfig, ApiConfig, ApiState, Dependencies, routes, seed_admin, seed_datasets, with_documentation,
};
use trainyard_artifacts::Store;
use trainyard_domain::Clock;
use trainyard_http::ServerConfig;
use trainyard_http::auth::{ApiKeys, Authenticator, Issuers, Jwt, Passwords, PrincipalCheck};
use trainyard_queue::Queue;
use trainyard_storage::{Db, PoolOptions};

pub const ADMIN: (&str, &str) = ("admin@example.com", "correct horse");
/// The default address of callers.
const HOME: [u8; 4] = [203, 0, 113, 1];

/// The system under test. Its files are removed on drop.
pub struct Api {
    pub state: ApiState,
    pub clock: Clock,
    router: Router,
    folder: TempDir,
}

/// A response with its complete body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: bytes::Bytes,
    /// `Null` for a body that is not JSON.
    pub json: Value,
}

/// The default settings of the API.
pub fn config() -> ApiConfig {
    trainyard_testkit::default_settings("api")
}

/// The default settings of accounts.
pub fn accounts() -> AccountsConfig {
    trainyard_testkit::default_settings("auth")
}

impl Api {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: ApiConfig) -> Self {
        Self::with_accounts(config, accounts()).await
    }

    pub async fn with_accounts(config: ApiConfig, accounts: AccountsConfig) -> Self {
        Self::with_connections(4, config, accounts).await
    }

    pub async fn with_connections(max_connections: u32, config: ApiConfig, accounts: AccountsConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        Self::over(folder, &url, max_connections, config, accounts).await
    }

    /// For races that the write lock of SQLite rules out.
    pub async fn on_postgres() -> Self {
        let url = tokio::task::spawn_blocking(|| trainyard_testkit::postgres().fresh_database()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self::over(folder, &url, 8, config(), accounts()).await
    }

    async fn over(
        folder: TempDir,
        url: &str,
        max_connections: u32,
        config: ApiConfig,
        accounts: AccountsConfig,
    ) -> Self {
        let options = PoolOptions { max_connections, ..PoolOptions::default() };
        let db = Db::connect(url, &options).await.unwrap();
        db.migrate().await.unwrap();
        let clock = Clock::manual("2026-01-31T12:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let ttl = chrono::Duration::seconds(config.access_token_ttl_s);
        let limits = trainyard_testkit::default_settings::<ServerConfig>("server").requests();
        let document = trainyard_api::openapi(&config, &accounts);
        let state = ApiState::new(Dependencies {
            db,
            queue: Queue::memory(),
            store: Store::open(&format!("file://{}/objects", folder.path().display()), None).unwrap(),
            clock: clock.clone(),
            jwt: Arc::new(Jwt::new(b"a secret of at least thirty-two bytes", "trainyard", "trainyard", ttl).unwrap()),
            passwords: Arc::new(Passwords::bounded(4, 1, 256)),
            config: ApiConfig { upload_dir: folder.path().to_owned(), ..config },
            accounts,
            webhooks: trainyard_domain::webhook::Rules { enabled: true, allow_private_addresses: false },
            stopping: CancellationToken::new(),
        });
        seed_admin(&state, ADMIN.0, ADMIN.1).await.unwrap();
        // Two replicas may start concurrently.
        let (one, other) = tokio::join!(Box::pin(seed_datasets(&state)), Box::pin(seed_datasets(&state)));
        one.and(other).unwrap();
        let check = PrincipalCheck::Database(state.db.clone());
        let issuers = Arc::new(Issuers::default());
        let (jwt, db) = (state.jwt.clone(), state.db.clone());
        let keys = ApiKeys::start(db.clone(), clock.clone(), Duration::ZERO);
        let authenticator = Authenticator::with_issuers(jwt, clock.clone(), check, issuers, db, keys);
        let router = with_documentation(routes(state.clone()), &document).into_router(authenticator, limits);
        Self { state, clock, router, folder }
    }

    /// Sends a request and does not read the body of the response.
    pub async fn open(&self, mut request: Request<Body>) -> Response<Body> {
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from((HOME, 4711))));
        }
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends a request and reads the response.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.open(request).await;
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status: head.status, headers: head.headers, bytes, json }
    }

    pub fn anon(&self) -> Caller<'_> {
        Caller { api: self, token: None, address: HOME }
    }

    pub async fn admin(&self) -> Caller<'_> {
        let login = self.anon().post("/login", json!({"email": ADMIN.0, "password": ADMIN.1})).await.ok(200);
        self.caller(&login)
    }

    /// Signs in a new account with the role `user`.
    pub async fn user(&self, email: &str) -> Caller<'_> {
        let account = json!({"email": email, "password": "long enough"});
        self.anon().post("/signup", account.clone()).await.ok(201);
        self.caller(&self.anon().post("/login", account).await.ok(200))
    }

    /// A caller with the access token of this session.
    pub fn caller(&self, session: &Value) -> Caller<'_> {
        Caller { api: self, token: Some(session["access_token"].as_str().unwrap().to_owned()), address: HOME }
    }

    /// Waits until the queue holds exactly `expected` ids. Jobs are enqueued after the response.
    pub async fn enqueued(&self, expected: u64) {
        let depth = async || -> u64 { self.state.queue.depth().await.unwrap().iter().map(|(_, ids)| ids).sum() };
        let all = async {
            while depth().await != expected {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(10), all).await;
        assert!(waited.is_ok(), "{} ids are in the queue, not {expected}", depth().await);
    }

    /// Temporary files of uploads and downloads that were not removed.
    pub fn leftovers(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.starts_with("test.db") && name != "objects").collect()
    }

    /// The number of objects in the store.
    pub async fn objects(&self) -> usize {
        self.state.store.list("").await.unwrap().len()
    }
}

/// A caller of the API.
pub struct Caller<'a> {
    api: &'a Api,
    token: Option<String>,
    address: [u8; 4],
}

impl Caller<'_> {
    /// The same caller at another address.
    pub fn at(&self, address: [u8; 4]) -> Self {
        Self { address, token: self.token.clone(), ..*self }
    }

    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let peer = ConnectInfo(SocketAddr::from((self.address, 4711)));
        let request = Request::builder().method(method).uri(path).extension(peer);
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    pub async fn send(&self, request: http::request::Builder, body: impl Into<Body>) -> Answer {
        self.api.send(request.body(body.into()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path), Body::empty()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path), Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub async fn json(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send(self.request(method, path).header("content-type", "application/json"), body.to_string()).await
    }

    pub async fn upload(&self, name: &str, csv: impl Into<Body>) -> Answer {
        let request = self.request(Method::POST, &format!("/datasets?name={name}")).header("content-type", "text/csv");
        self.send(request, csv).await
    }
}

impl Answer {
    /// The body of a response with this status.
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json
    }

    /// The problem document of an error response.
    pub fn problem(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.json["request_id"], self.header("x-request-id"), "{self:?}");
        self.json
    }

    /// The fields that a 422 response lists, in order.
    pub fn refused(self) -> Vec<String> {
        let problem = self.problem(422);
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors in {problem}"));
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
