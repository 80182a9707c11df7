//! A test environment: the inference role on its own port, with a database, a queue and an object store to publish to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use trainyard_artifacts::{Key, Store};
use trainyard_domain::outcome::Counts;
use trainyard_domain::user::AccountSecurity;
use trainyard_domain::{
    ApiKey, ApiKeyId, ApiKeyName, ApiKeyText, Clock, Dataset, DatasetId, DatasetName, Email, Job, JobId, JobSpec,
    JobStatus, ModelName, Promotion, Role, TableFormat, Traffic, User, UserId, Work,
};
use trainyard_http::auth::{ApiKeyHash, Issuers, Jwt};
use trainyard_http::ops::Ops;
use trainyard_http::{Authenticator, Routes, ServerConfig};
use trainyard_inference::{Inference, InferenceConfig, InferenceDeps};
use trainyard_queue::Queue;
use trainyard_storage::{Db, NewVersion, PoolOptions};
use trainyard_telemetry::Metrics;
use trainyard_testkit::{eventually, s3};

use crate::answer::{Answer, RawAnswer};
use crate::models::training;

pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The dependencies of the role.
pub(crate) struct Environment {
    pub(crate) folder: TempDir,
    pub(crate) db: Db,
    pub(crate) queue: Queue,
    pub(crate) store: Store,
    pub(crate) jwt: Arc<Jwt>,
    pub(crate) user: User,
    pub(crate) metrics: Metrics,
    /// The folder of the file store, or of the bucket.
    pub(crate) objects: PathBuf,
    dataset: Dataset,
}

/// A running role.
pub(crate) struct RunningRole {
    pub(crate) inference: Inference,
    pub(crate) url: String,
    pub(crate) grpc_url: String,
    pub(crate) token: String,
    http: reqwest::Client,
    stop: CancellationToken,
    _guard: DropGuard,
}

/// The default settings of the role.
pub(crate) fn config() -> InferenceConfig {
    trainyard_testkit::default_settings("inference")
}

impl Environment {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = folder.path().join("store");
        let store = Store::open(&format!("file://{}", objects.display()), None).unwrap();
        Self::over(folder, store, objects).await
    }

    /// An environment with a bucket of its own instead of files.
    pub(crate) async fn on_s3() -> Self {
        let bucket = s3().fresh_bucket();
        let settings = s3().env().into_iter().map(|(name, value)| (name.to_owned(), value));
        let store = Store::open_with(&bucket, None, settings).unwrap();
        Self::over(tempfile::tempdir().unwrap(), store, s3().files(&bucket)).await
    }

    async fn over(folder: TempDir, store: Store, objects: PathBuf) -> Self {
        let url = format!("sqlite://{}/trainyard.db", folder.path().display());
        let db = Db::connect(&url, &PoolOptions::default()).await.unwrap();
        db.migrate().await.unwrap();
        let now = Utc::now();
        let (user, dataset) = (user(now), dataset(now));
        let mut tx = db.begin().await.unwrap();
        tx.users().insert(&user).await.unwrap();
        tx.datasets().insert(&dataset).await.unwrap();
        tx.commit().await.unwrap();
        let jwt = Jwt::new(&[7; 32], "trainyard", "trainyard", chrono::Duration::hours(1)).unwrap();
        let metrics = Metrics::install().unwrap();
        Self { folder, db, queue: Queue::memory(), store, jwt: Arc::new(jwt), user, metrics, objects, dataset }
    }

    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Starts the role and waits until it is ready.
    pub(crate) async fn serve(&self) -> RunningRole {
        self.serve_until(CancellationToken::new()).await
    }

    /// Starts the role in a process that starts to stop with `stopping`, and waits until the role is ready.
    pub(crate) async fn serve_until(&self, stopping: CancellationToken) -> RunningRole {
        let role = self.start_until(config(), self.db.clone(), self.store.clone(), stopping).await;
        eventually("the role is ready", TIMEOUT, async || role.inference.is_ready().then_some(())).await;
        role
    }

    /// Starts the role with these settings, and waits until it is ready.
    pub(crate) async fn serve_with(&self, config: InferenceConfig) -> RunningRole {
        let role = self.start(config, self.db.clone(), self.store.clone()).await;
        eventually("the role is ready", TIMEOUT, async || role.inference.is_ready().then_some(())).await;
        role
    }

    /// Starts the role with another database or object store.
    pub(crate) async fn start(&self, config: InferenceConfig, db: Db, store: Store) -> RunningRole {
        self.start_until(config, db, store, CancellationToken::new()).await
    }

    async fn start_until(
        &self,
        config: InferenceConfig,
        db: Db,
        store: Store,
        stopping: CancellationToken,
    ) -> RunningRole {
        let stop = CancellationToken::new();
        let (queue, jwt) = (self.queue.clone(), self.jwt.clone());
        let (clock, issuers) = (Clock::system(), Arc::new(Issuers::default()));
        let deps = InferenceDeps { db, queue, store, clock, jwt, issuers, stopping, return_free_memory: || {} };
        let config = InferenceConfig { cache_dir: self.cache_dir(), ..config };
        let role = Inference::start(deps, config, stop.clone()).unwrap();
        let authenticator = role.authenticator();
        let ops = Ops::new(self.metrics.clone()).ready(role.checks()).routes();
        let url = listen(role.routes().merge(ops), authenticator.clone(), &stop).await;
        let grpc_url = listen(role.grpc_routes().unwrap(), authenticator, &stop).await;
        trainyard_testkit::install_provider();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let token = self.jwt.issue(&self.user, Utc::now()).unwrap();
        RunningRole { inference: role, url, grpc_url, token, http, stop: stop.clone(), _guard: stop.drop_guard() }
    }

    /// Publishes `artifact` as a worker does, and announces the version.
    pub(crate) async fn publish(&self, model: &str, artifact: &[u8]) -> i64 {
        self.publish_as(model, artifact, artifact, true).await
    }

    /// Publishes a version whose stored bytes may differ from the bytes of its digest.
    pub(crate) async fn publish_as(&self, model: &str, artifact: &[u8], stored: &[u8], promote: bool) -> i64 {
        let job = self.job();
        let key = Key::artifact(job.id, 1);
        self.store.put_bytes(&key, Bytes::copy_from_slice(stored)).await.unwrap();
        let mut tx = self.db.begin().await.unwrap();
        tx.jobs().insert(&job).await.unwrap();
        let training = job.spec.training().unwrap();
        let new = NewVersion {
            name: ModelName::parse(model).unwrap(),
            job_id: job.id,
            algorithm: training.algorithm,
            features: training.features.clone(),
            target: training.target.clone(),
            metrics: json!({}),
            dataset_id: self.dataset.id,
            size: artifact.len() as i64,
            sha256: hex::encode(Sha256::digest(artifact)),
            artifact_key: key.as_str().to_owned(),
            traceparent: None,
            now: Utc::now(),
            promotion: if promote { Promotion::Always } else { Promotion::FirstOnly },
        };
        let version = tx.models().publish(&new).await.unwrap().version;
        tx.commit().await.unwrap();
        self.queue.announce_models().await.unwrap();
        version
    }

    /// Sets the weights and the shadow versions of a model; without both, deletes its traffic. Announces the change.
    pub(crate) async fn set_traffic(&self, model: &str, weights: &[(i64, u32)], shadow: &[i64]) {
        let name = ModelName::parse(model).unwrap();
        let traffic = Traffic { weights: weights.iter().copied().collect(), shadow: shadow.iter().copied().collect() };
        let mut tx = self.db.begin().await.unwrap();
        let missing = tx.models().set_traffic(&name, &traffic, Utc::now()).await.unwrap();
        assert!(missing.is_empty(), "{missing:?}");
        tx.commit().await.unwrap();
        self.queue.announce_models().await.unwrap();
    }

    /// An access token of an administrator.
    pub(crate) fn admin_token(&self) -> String {
        self.jwt.issue(&User { role: Role::Admin, ..self.user.clone() }, Utc::now()).unwrap()
    }

    pub(crate) async fn disable_user(&self) {
        let mut tx = self.db.begin().await.unwrap();
        tx.users().update(self.user.id, None, Some(true)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Stores an API key of the user with this text.
    pub(crate) async fn create_api_key(&self, text: &str) -> ApiKeyId {
        let (text, now) = (ApiKeyText::parse(text).unwrap(), Utc::now());
        let key = ApiKey {
            id: ApiKeyId::at(now),
            user_id: self.user.id,
            name: ApiKeyName::parse("test").unwrap(),
            prefix: text.prefix().to_owned(),
            role: Role::User,
            created_at: now,
            expires_at: None,
            last_used_at: None,
        };
        let mut tx = self.db.begin().await.unwrap();
        tx.api_keys().insert_within(&key, &ApiKeyHash::of(&text).to_string(), 10).await.unwrap();
        tx.commit().await.unwrap();
        key.id
    }

    /// The sum of a counter over all series with `labels`.
    pub(crate) fn counter_value(&self, name: &str, labels: &str) -> f64 {
        self.series(name, labels).iter().map(|(_, value)| value).sum()
    }

    /// The series of a metric with `labels`, and their values.
    pub(crate) fn series(&self, name: &str, labels: &str) -> Vec<(String, f64)> {
        let text = self.metrics.render();
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(labels));
        let series = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        };
        lines.filter_map(series).collect()
    }

    fn job(&self) -> Job {
        let now = Utc::now();
        Job {
            id: JobId::at(now),
            spec: JobSpec {
                name: ModelName::parse("m").unwrap(),
                dataset: self.dataset.name.clone(),
                dataset_version: 1,
                priority: 0,
                run_at: None,
                max_attempts: 1,
                timeout_s: 60,
                webhook_url: None,
                work: Work::Training(training(&["sex", "age", "pclass"], "survived", 0)),
            },
            dataset_id: self.dataset.id,
            created_by: self.user.id,
            status: JobStatus::Running,
            counts: Counts::default(),
            claim: 1,
            worker: Some("w".into()),
            lease_expires_at: Some(now),
            cancel_requested_at: None,
            run_at: now,
            progress: 0.0,
            phase: None,
            created_at: now,
            started_at: Some(now),
            finished_at: None,
            metrics: None,
            model_version: None,
            error: None,
            request_id: None,
            traceparent: None,
            revision: 0,
        }
    }
}

impl RunningRole {
    /// Sends a request as the user of the environment.
    pub(crate) async fn predict(&self, body: Value) -> Answer {
        self.send(body.to_string(), Some(&self.token)).await
    }

    /// Sends a request with a request key, and returns the version that answered.
    pub(crate) async fn version_for(&self, model: &str, key: &str) -> i64 {
        let body = json!({"model": model, "features": {}}).to_string().into_bytes();
        let headers = [("content-type", "application/json"), ("x-trainyard-request-key", key)];
        let answer = self.call(Method::POST, "/inference", &headers, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["version"].as_i64().unwrap()
    }

    /// Sends any text as JSON.
    pub(crate) async fn send(&self, body: String, token: Option<&str>) -> Answer {
        let url = format!("{}/inference", self.url);
        let request = self.http.post(url).header("content-type", "application/json").body(body);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await.unwrap();
        let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        let status: StatusCode = response.status();
        Answer { status: status.as_u16(), retry_after, body: response.json().await.unwrap() }
    }

    /// Sends any request as the user of the environment, or with the `authorization` in `headers`.
    pub(crate) async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> RawAnswer {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).body(body);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.bearer_auth(&self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        RawAnswer { status, headers, body: response.bytes().await.unwrap() }
    }

    /// The JSON of a GET request with its status.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.call(Method::GET, path, &[], Vec::new()).await;
        (answer.status, answer.json())
    }

    /// Sends requests until `version` answers.
    pub(crate) async fn wait_until_serving(&self, model: &str, version: i64) {
        eventually("the version serves", TIMEOUT, async || {
            let answer = self.predict(json!({"model": model, "features": {}})).await;
            (answer.body["version"] == version).then_some(())
        })
        .await;
    }

    /// Closes the listeners. Requests in flight are answered.
    pub(crate) fn close(&self) {
        self.stop.cancel();
    }

    /// Stops the role, as a restart does.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.inference.stopped().await;
    }
}

/// Serves `routes` until `stop`, and returns the URL.
async fn listen(routes: Routes, authenticator: Authenticator, stop: &CancellationToken) -> String {
    let server: ServerConfig = trainyard_testkit::default_settings("server");
    let router = routes.into_router(authenticator, server.requests());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(trainyard_http::serve::serve(listener, router, stop.clone(), TIMEOUT, server.connections()));
    url
}

fn user(now: DateTime<Utc>) -> User {
    User {
        id: UserId::at(now),
        email: Email::parse("ada@example.com").unwrap(),
        password_hash: String::new(),
        role: Role::User,
        disabled: false,
        created_at: now,
        security: AccountSecurity::default(),
    }
}

fn dataset(now: DateTime<Utc>) -> Dataset {
    Dataset {
        id: DatasetId::at(now),
        name: DatasetName::parse("titanic").unwrap(),
        version: 1,
        rows: 1,
        bytes: 1,
        columns: vec![],
        format: TableFormat::default(),
        duplicate_rows: 0,
        suggested_target: None,
        suggested_task: None,
        sha256: String::new(),
        storage_key: "datasets/x.csv".into(),
        warnings: vec![],
        created_by: None,
        created_at: now,
    }
}
