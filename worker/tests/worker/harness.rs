//! A test harness: a database, a queue and a store in a temporary folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trainyard_artifacts::{Key, Store};
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::params::Params;
use trainyard_domain::spec::{LearningOptions, OutputColumns, OutputFormat};
use trainyard_domain::user::AccountSecurity;
use trainyard_domain::{
    Algorithm, Clock, Dataset, DatasetId, DatasetName, Email, Job, JobId, JobSpec, JobStatus, ModelName, Prediction,
    Role, Training, User, UserId, Work,
};
use trainyard_queue::Queue;
use trainyard_storage::{Db, JobLimits, PoolOptions, QuotaCredit, Submission};
use trainyard_testkit::{default_settings, eventually};
use trainyard_worker::{Health, SweepConfig, SweepDeps, WebhookConfig, WorkerConfig, WorkerDeps};

const TITANIC: &[u8] = include_bytes!("../../../datasets/titanic.csv");
/// The time limit of every wait.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Harness {
    pub(crate) db: Db,
    pub(crate) queue: Queue,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) folder: TempDir,
    pub(crate) dataset: Dataset,
    url: String,
    user: UserId,
}

impl Harness {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/harness.db", folder.path().display());
        Self::over(folder, url, 4).await
    }

    /// A harness on Postgres with this many connections.
    pub(crate) async fn on_postgres(connections: u32) -> Self {
        let url = tokio::task::spawn_blocking(|| trainyard_testkit::postgres().fresh_database()).await.unwrap();
        Self::over(tempfile::tempdir().unwrap(), url, connections).await
    }

    async fn over(folder: TempDir, url: String, connections: u32) -> Self {
        let db = Db::connect(&url, &pool(connections)).await.unwrap();
        db.migrate().await.unwrap();
        let store = Store::open(&format!("file://{}/store", folder.path().display()), None).unwrap();
        let clock = Clock::system();
        let user = UserId::at(clock.now());
        let dataset = titanic(&clock);
        store.put_bytes(&Key::parse(&dataset.storage_key).unwrap(), Bytes::from_static(TITANIC)).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.users().insert(&user_row(user, &clock)).await.unwrap();
        tx.datasets().insert(&dataset).await.unwrap();
        tx.commit().await.unwrap();
        Self { db, queue: Queue::memory(), store, clock, folder, dataset, url, user }
    }

    /// Opens connections as another process would.
    pub(crate) async fn connect(&self, connections: u32) -> Db {
        Db::connect(&self.url, &pool(connections)).await.unwrap()
    }

    /// A job as the API stores it, before it is enqueued.
    pub(crate) fn new_job(&self, name: &str) -> Job {
        Job::submitted(spec(name), self.dataset.id, self.user, Some("test".into()), self.clock.now())
    }

    /// A prediction job with version 1 of a model.
    pub(crate) fn new_prediction(&self, model: &str) -> Job {
        let mut job = self.new_job(model);
        job.spec.work = Work::Prediction(Prediction {
            version: 1,
            algorithm: Algorithm::RandomForest,
            columns: OutputColumns::All,
            output: OutputFormat::Csv,
        });
        job
    }

    pub(crate) async fn submit(&self, job: Job) -> JobId {
        self.submit_to(&self.db, job).await
    }

    /// Stores a job over other connections.
    pub(crate) async fn submit_to(&self, db: &Db, job: Job) -> JobId {
        let mut tx = db.begin().await.unwrap();
        tx.jobs().insert(&job).await.unwrap();
        tx.commit().await.unwrap();
        job.id
    }

    /// Stores a job that counts towards the limits.
    pub(crate) async fn submit_within(&self, job: Job, limits: JobLimits) -> JobId {
        let mut tx = self.db.begin().await.unwrap();
        let in_time = Utc::now() + TimeDelta::minutes(5);
        let credit = QuotaCredit::default();
        let submission = tx.jobs().submit_within(&[&job], &[], limits, in_time, &credit).await.unwrap();
        assert!(matches!(submission, Submission::Stored(_)), "{submission:?}");
        tx.commit().await.unwrap();
        job.id
    }

    pub(crate) async fn submit_named(&self, name: &str) -> JobId {
        self.submit(self.new_job(name)).await
    }

    pub(crate) async fn job(&self, id: JobId) -> Job {
        self.db.read().await.unwrap().jobs().get(id).await.unwrap().unwrap()
    }

    /// Waits until the job is as wanted, and returns it.
    pub(crate) async fn until(&self, id: JobId, wanted: impl Fn(&Job) -> bool) -> Job {
        eventually(&format!("job {id} is as wanted"), LIMIT, async || Some(self.job(id).await).filter(&wanted)).await
    }

    pub(crate) async fn until_status(&self, id: JobId, status: JobStatus) -> Job {
        let job = self.until(id, |job| job.status == status || job.status.is_final()).await;
        assert_eq!(job.status, status, "{:?}", job.error);
        job
    }

    /// Waits until `count` ids are in the queue.
    pub(crate) async fn until_enqueued(&self, count: u64) {
        let depth = async || self.queue.depth().await.unwrap().iter().map(|(_, ids)| ids).sum::<u64>();
        eventually("the ids are enqueued", LIMIT, async || (depth().await == count).then_some(())).await;
    }

    /// The versions of a model.
    pub(crate) async fn versions(&self, name: &str) -> Vec<trainyard_domain::ModelVersion> {
        let name = ModelName::parse(name).unwrap();
        self.db.read().await.unwrap().models().versions(&name, None, 100).await.unwrap()
    }

    pub(crate) async fn artifacts(&self) -> usize {
        self.store.list("artifacts").await.unwrap().len()
    }

    /// Settings with short intervals.
    pub(crate) fn config(&self) -> WorkerConfig {
        WorkerConfig {
            work_dir: self.folder.path().join("work"),
            cancel_poll_ms: 100,
            renew_every_s: 1,
            storage_patience_s: 0,
            ..default_settings("worker")
        }
    }

    pub(crate) fn worker(&self, command: &Path, config: WorkerConfig) -> Running {
        let deps = WorkerDeps {
            db: self.db.clone(),
            heartbeat_db: (self.url.clone(), pool(1)),
            queue: self.queue.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            train_command: command.to_owned(),
        };
        let (drain, health) = (CancellationToken::new(), Health::new());
        let run = tokio::spawn(trainyard_worker::run(deps, config, drain.clone(), health.clone()));
        Running { drain, health, run }
    }

    pub(crate) fn sweep(&self, owner: &str) -> Sweeping {
        self.sweep_with(owner, quick_sweep())
    }

    pub(crate) fn sweep_with(&self, owner: &str, config: SweepConfig) -> Sweeping {
        start_sweep(self.sweep_deps(), owner, config)
    }

    pub(crate) fn sweep_with_webhooks(&self, owner: &str, webhooks: WebhookConfig) -> Sweeping {
        start_sweep(SweepDeps { webhooks, ..self.sweep_deps() }, owner, quick_sweep())
    }

    pub(crate) fn sweep_with_limits(&self, owner: &str, job_limits: JobLimits) -> Sweeping {
        start_sweep(SweepDeps { job_limits, ..self.sweep_deps() }, owner, quick_sweep())
    }

    fn sweep_deps(&self) -> SweepDeps {
        SweepDeps {
            db: self.db.clone(),
            queue: self.queue.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            webhooks: default_settings("webhooks"),
            job_limits: JOB_LIMITS,
        }
    }

    /// Creates an executable script. `$real` is the real training program, and `$folder` a folder that outlives runs.
    pub(crate) fn script(&self, name: &str, body: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let text = format!(
            "#!/bin/sh\nreal='{}'\nfolder='{}'\n{body}\n",
            train_task().display(),
            self.folder.path().display()
        );
        // Another process writes the file: a file that is open for writing can't be executed.
        let mut writer = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        path
    }

    /// Waits for the file `$folder/name` of a script, and returns its text.
    pub(crate) async fn written(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        let whole = async || std::fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'));
        eventually(&format!("{name} is written"), LIMIT, whole).await
    }

    /// Lets scripts continue that wait for `$folder/go`.
    pub(crate) fn go(&self) {
        std::fs::write(self.folder.path().join("go"), "").unwrap();
    }
}

/// A script body that waits for [`Harness::go`] and then trains.
pub(crate) const WAIT_THEN_TRAIN: &str =
    "echo waiting > \"$folder/waiting\"\nwhile [ ! -e \"$folder/go\" ]; do sleep 0.02; done\nexec \"$real\" train-task";
/// A script body that hangs with a background process, and writes the ids of both.
pub(crate) const HANG: &str = "sleep 600 &\necho $$ $! > \"$folder/pids\"\nwait";

pub(crate) struct Running {
    pub(crate) drain: CancellationToken,
    pub(crate) health: Health,
    run: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Drains and waits for the end.
    pub(crate) async fn drain(self) {
        self.drain.cancel();
        self.ended().await;
    }

    /// Waits until the worker has ended without an error.
    pub(crate) async fn ended(self) {
        tokio::time::timeout(LIMIT, self.run).await.expect("the worker ends").unwrap().unwrap();
    }
}

/// More jobs than a test submits.
pub(crate) const JOB_LIMITS: JobLimits = JobLimits { per_user: 10_000, total: 100_000 };

pub(crate) struct Sweeping {
    stop: CancellationToken,
    run: JoinHandle<()>,
}

impl Sweeping {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.run.await.unwrap();
    }
}

fn start_sweep(deps: SweepDeps, owner: &str, config: SweepConfig) -> Sweeping {
    let stop = CancellationToken::new();
    let run = tokio::spawn(trainyard_worker::sweep::run(deps, config, owner.into(), stop.clone()));
    Sweeping { stop, run }
}

pub(crate) fn quick_sweep() -> SweepConfig {
    SweepConfig { every_ms: 20, settle_ms: 0, ..default_settings("sweep") }
}

/// Whether any of these processes runs.
pub(crate) fn any_lives(pids: &str) -> bool {
    pids.split_whitespace().any(|pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !status.is_empty() && !status.contains(") Z ")
    })
}

/// The real training program: this crate's example, which `cargo test` builds along with the tests.
pub(crate) fn train_task() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| example("train_task"))
}

/// A program of `worker/examples`.
pub(crate) fn example(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let path = this.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(path.exists(), "run `cargo build -p trainyard-worker --example {name}` first");
    path
}

fn pool(max_connections: u32) -> PoolOptions {
    PoolOptions { max_connections, acquire_timeout: Duration::from_secs(10), ..PoolOptions::default() }
}

fn spec(name: &str) -> JobSpec {
    let algorithm = Algorithm::RandomForest;
    let params = serde_json::json!({"n_trees": 10});
    JobSpec {
        name: ModelName::parse(name).unwrap(),
        dataset: DatasetName::parse("titanic").unwrap(),
        dataset_version: 1,
        priority: 0,
        run_at: None,
        max_attempts: 3,
        timeout_s: 60,
        webhook_url: None,
        work: Work::Training(Training {
            algorithm,
            features: ["sex", "age", "pclass"].map(String::from).to_vec(),
            target: "survived".into(),
            params: Params::parse(algorithm, params.as_object().unwrap()).unwrap().as_map().clone(),
            learning: LearningOptions::default(),
            warnings: vec![],
            auto_promote: None,
            seed: 42,
        }),
    }
}

/// The work of a training job.
pub(crate) fn training(job: &mut Job) -> &mut Training {
    match &mut job.spec.work {
        Work::Training(training) => training,
        Work::Prediction(_) => panic!("a prediction"),
    }
}

fn titanic(clock: &Clock) -> Dataset {
    let id = DatasetId::at(clock.now());
    let profile = trainyard_csv::profile(TITANIC, &ReadOptions::default(), &Limits::default()).unwrap();
    Dataset {
        id,
        name: DatasetName::parse("titanic").unwrap(),
        version: 1,
        rows: 1_309,
        bytes: TITANIC.len() as i64,
        columns: profile.columns,
        format: profile.format,
        duplicate_rows: 0,
        suggested_target: None,
        suggested_task: None,
        sha256: hex::encode(Sha256::digest(TITANIC)),
        storage_key: Key::dataset(id).as_str().to_owned(),
        warnings: vec![],
        created_by: None,
        created_at: clock.now(),
    }
}

fn user_row(id: UserId, clock: &Clock) -> User {
    User {
        id,
        email: Email::parse("ada@example.com").unwrap(),
        password_hash: "none".into(),
        role: Role::Admin,
        disabled: false,
        created_at: clock.now(),
        security: AccountSecurity::default(),
    }
}
