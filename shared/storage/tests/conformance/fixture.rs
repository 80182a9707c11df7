//! Test fixture: a migrated database with an account and a dataset.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::Connection;
use tempfile::TempDir;
use trainyard_domain::spec::{OutputColumns, OutputFormat};
use trainyard_domain::user::AccountSecurity;
use trainyard_domain::{
    Algorithm, Dataset, DatasetId, DatasetName, Email, Job, JobId, JobSpec, ModelName, MoveCause, MoveReason,
    Prediction, Promotion, Role, TableFormat, Training, User, UserId, Work,
};
use trainyard_storage::{Db, NewVersion, PoolOptions};
use trainyard_testkit::eventually;

/// Duration of leases.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(30);

/// A migrated database with an account and a dataset.
pub(crate) struct Fixture {
    pub(crate) db: Db,
    pub(crate) url: String,
    /// URL of the same database without PgBouncer.
    direct: String,
    /// The options of `db`.
    pub(crate) options: PoolOptions,
    /// Start time of every test: in the past, with microseconds.
    pub(crate) now: DateTime<Utc>,
    pub(crate) user: UserId,
    pub(crate) dataset: Dataset,
    _folder: Option<TempDir>,
}

impl Fixture {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/not/yet/there/trainyard.db", folder.path().display());
        Self::start(url, Some(folder)).await
    }

    pub(crate) async fn postgres() -> Self {
        let url = tokio::task::spawn_blocking(|| trainyard_testkit::postgres().fresh_database()).await.unwrap();
        Self::start(url, None).await
    }

    /// Postgres with the Danish collation, which sorts "aa" after "z".
    pub(crate) async fn danish() -> Self {
        let create = || trainyard_testkit::postgres().database_with_icu_locale("da-DK");
        Self::start(tokio::task::spawn_blocking(create).await.unwrap(), None).await
    }

    /// Postgres behind PgBouncer, which has fewer sessions than its clients have connections.
    pub(crate) async fn pgbouncer() -> Self {
        let (url, direct) = tokio::task::spawn_blocking(|| {
            let direct = trainyard_testkit::postgres().fresh_database();
            (trainyard_testkit::pgbouncer().url(&direct), direct)
        })
        .await
        .unwrap();
        let fixture = Self::begin(url, PoolOptions { pooler: true, ..pool() }, None).await;
        Self { direct, ..fixture }
    }

    pub(crate) async fn start(url: String, folder: Option<TempDir>) -> Self {
        Self::begin(url, pool(), folder).await
    }

    async fn begin(url: String, options: PoolOptions, folder: Option<TempDir>) -> Self {
        let db = Db::connect(&url, &options).await.unwrap();
        db.migrate().await.unwrap();
        let now = DateTime::from_timestamp_micros(1_760_000_000_123_456).unwrap();
        let dataset = dataset("titanic", 1, now);
        let direct = url.clone();
        let mut fixture =
            Self { db, url, direct, options, now, user: UserId::at(now), dataset: dataset.clone(), _folder: folder };
        fixture.user = fixture.add_user("ada@example.com", Role::Admin).await;
        let mut tx = fixture.db.begin().await.unwrap();
        tx.datasets().insert(&dataset).await.unwrap();
        tx.commit().await.unwrap();
        fixture
    }

    pub(crate) fn later(&self, seconds: i64) -> DateTime<Utc> {
        self.now + TimeDelta::seconds(seconds)
    }

    pub(crate) async fn add_user(&self, email: &str, role: Role) -> UserId {
        let mut tx = self.db.begin().await.unwrap();
        let user = user(email, role, self.now);
        tx.users().insert(&user).await.unwrap();
        tx.commit().await.unwrap();
        user.id
    }

    /// A due, queued job that is not stored.
    pub(crate) fn draft(&self) -> Job {
        let spec = JobSpec {
            name: ModelName::parse("demo").unwrap(),
            dataset: self.dataset.name.clone(),
            dataset_version: 1,
            priority: 0,
            run_at: None,
            max_attempts: 3,
            timeout_s: 60,
            webhook_url: None,
            work: Work::Training(Training {
                algorithm: Algorithm::RandomForest,
                features: vec!["sex".into(), "age".into()],
                target: "survived".into(),
                params: json!({"n_trees": 10, "max_depth": null}).as_object().unwrap().clone(),
                learning: trainyard_domain::spec::LearningOptions::default(),
                warnings: vec![],
                auto_promote: None,
                seed: u64::MAX,
            }),
        };
        Job::submitted(spec, self.dataset.id, self.user, Some("req-1".into()), self.now)
    }

    /// Inserts the draft after `change`.
    pub(crate) async fn queue_with(&self, change: impl FnOnce(&mut Job)) -> JobId {
        let mut job = self.draft();
        change(&mut job);
        let mut tx = self.db.begin().await.unwrap();
        tx.jobs().insert(&job).await.unwrap();
        tx.commit().await.unwrap();
        job.id
    }

    pub(crate) async fn queue(&self) -> JobId {
        self.queue_with(|_| ()).await
    }

    /// Inserts a prediction job.
    pub(crate) async fn queue_prediction(&self) -> JobId {
        self.queue_with(|job| job.spec.work = prediction()).await
    }

    pub(crate) async fn job(&self, id: JobId) -> Job {
        self.db.read().await.unwrap().jobs().get(id).await.unwrap().unwrap()
    }

    /// Claims a job for `worker` with a [`LEASE`] from `now`.
    pub(crate) async fn claim(&self, id: JobId, worker: &str, now: DateTime<Utc>) -> Option<Job> {
        let mut tx = self.db.begin().await.unwrap();
        let job = tx.jobs().claim(id, worker, Some(now), LEASE).await.unwrap();
        tx.commit().await.unwrap();
        job
    }

    /// The cause of a change of an alias by the account of the fixture.
    pub(crate) fn cause(&self) -> MoveCause {
        MoveCause::new(MoveReason::User, self.now).by(Some(self.user))
    }

    /// A version of `model`, trained by `job`.
    pub(crate) fn version(&self, model: &str, job: JobId) -> NewVersion {
        NewVersion {
            name: ModelName::parse(model).unwrap(),
            job_id: job,
            algorithm: Algorithm::RandomForest,
            features: vec!["sex".into(), "age".into()],
            target: "survived".into(),
            metrics: json!({"accuracy": 0.8125}),
            dataset_id: self.dataset.id,
            size: 4096,
            sha256: "ab".repeat(32),
            artifact_key: format!("artifacts/{job}/1.tym"),
            traceparent: None,
            now: self.now,
            promotion: Promotion::FirstOnly,
        }
    }

    /// Publishes a version of `model` by a new job.
    pub(crate) async fn publish(&self, model: &str) -> i64 {
        let job = self.queue().await;
        let mut tx = self.db.begin().await.unwrap();
        let version = tx.models().publish(&self.version(model, job)).await.unwrap().version;
        tx.commit().await.unwrap();
        version
    }

    /// Waits until a transaction on Postgres waits for a lock. On SQLite write transactions wait before they begin, so there
    /// is nothing to wait for.
    pub(crate) async fn until_one_waits(&self) {
        if self.db.engine() == "sqlite" {
            return;
        }
        let mut server = sqlx::PgConnection::connect(&self.direct).await.unwrap();
        let waiting =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually("a transaction waits for a lock", Duration::from_secs(30), async || {
            let (count,): (i64,) = sqlx::query_as(waiting).fetch_one(&mut server).await.unwrap();
            (count > 0).then_some(())
        })
        .await;
    }

    /// Executes a statement directly, without the crate.
    pub(crate) async fn execute_raw(&self, sql: &'static str) {
        self.execute_on_one_connection(&[sql]).await;
    }

    /// As [`Fixture::execute_raw`], for a value that a CHECK constraint of the table refuses.
    pub(crate) async fn execute_unchecked(&self, drop_check: &'static str, sql: &'static str) {
        if self.direct.starts_with("sqlite") {
            self.execute_on_one_connection(&["PRAGMA ignore_check_constraints = ON", sql]).await;
        } else {
            self.execute_on_one_connection(&[drop_check, sql]).await;
        }
    }

    async fn execute_on_one_connection(&self, statements: &[&'static str]) {
        if self.direct.starts_with("sqlite") {
            let mut connection = sqlx::SqliteConnection::connect(&self.direct).await.unwrap();
            for sql in statements {
                sqlx::query(*sql).execute(&mut connection).await.unwrap();
            }
            connection.close().await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.direct).await.unwrap();
            for sql in statements {
                sqlx::query(*sql).execute(&mut connection).await.unwrap();
            }
            connection.close().await.unwrap();
        }
    }
}

/// A pool with fewer connections than concurrent transactions in the tests.
pub(crate) fn pool() -> PoolOptions {
    PoolOptions { max_connections: 8, acquire_timeout: Duration::from_secs(30), ..PoolOptions::default() }
}

/// Work with version 1 of `demo`.
pub(crate) fn prediction() -> Work {
    let algorithm = Algorithm::RandomForest;
    Work::Prediction(Prediction { version: 1, algorithm, columns: OutputColumns::All, output: OutputFormat::Csv })
}

/// The work of a training job.
pub(crate) fn training(job: &mut Job) -> &mut Training {
    match &mut job.spec.work {
        Work::Training(training) => training,
        Work::Prediction(_) => panic!("a prediction"),
    }
}

pub(crate) fn user(email: &str, role: Role, now: DateTime<Utc>) -> User {
    User {
        id: UserId::at(now),
        email: Email::parse(email).unwrap(),
        password_hash: "$2b$12$…".into(),
        role,
        disabled: false,
        created_at: now,
        security: AccountSecurity::default(),
    }
}

pub(crate) fn dataset(name: &str, version: i64, now: DateTime<Utc>) -> Dataset {
    let id = DatasetId::at(now);
    Dataset {
        id,
        name: DatasetName::parse(name).unwrap(),
        version,
        rows: 1309,
        bytes: 100_000,
        columns: vec![],
        format: TableFormat::default(),
        duplicate_rows: 0,
        suggested_target: None,
        suggested_task: None,
        sha256: "cd".repeat(32),
        storage_key: format!("datasets/{id}.csv"),
        warnings: vec!["'ticket' is nearly unique".into()],
        created_by: None,
        created_at: now,
    }
}
