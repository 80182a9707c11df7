//! Trainyard as a contender: the release binary, one process per role, on the shared servers.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use trainyard_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, ChildGuard, JWT_SECRET, free_port, spawn_guarded, unique};

use crate::http::{Connection, request, request_of};
use crate::job_counter::JobCounter;
use crate::machine::CoreSet;
use crate::process::{stop, wait_ready};
use crate::servers::{Servers, sql, vacuum};

/// The job of the submission benchmark, for every contender.
pub(crate) const TRAINING_JOB: &str = r#"{"name":"bench","algorithm":"random_forest","features":["sex","age","pclass"],"dataset":"titanic","target":"survived","params":{"n_trees":100},"priority":0,"seed":42}"#;
/// A job that trains nothing in a binary with the feature `noop`.
pub(crate) const NOOP_JOB: &str = r#"{"name":"noop","algorithm":"logistic_regression","features":["sex"]}"#;

/// An installation with an empty database, without running processes.
#[derive(Debug)]
pub(crate) struct Trainyard {
    binary: PathBuf,
    /// Artifacts, caches and logs.
    pub(crate) folder: TempDir,
    /// The URL of the database.
    pub(crate) database: String,
    environment: Vec<(String, String)>,
}

/// A running role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) process: ChildGuard,
    pub(crate) port: u16,
    log: PathBuf,
}

impl Role {
    /// Stops the role with SIGTERM.
    pub(crate) fn stop(self) {
        stop(self.process);
    }
}

impl Trainyard {
    /// Migrates a new database on `servers`. The limits on jobs are raised, and `settings` are added.
    ///
    /// # Errors
    /// If the migration fails.
    pub(crate) fn install(
        binary: &std::path::Path,
        servers: &Servers,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        servers.flush_redis()?;
        let folder = tempfile::Builder::new().prefix("trainyard-bench-").tempdir()?;
        let database = servers.postgres.fresh_database();
        let common = [
            ("ADMIN_EMAIL", ADMIN_EMAIL.to_owned()),
            ("ADMIN_PASSWORD", ADMIN_PASSWORD.to_owned()),
            ("JWT_SECRET", JWT_SECRET.to_owned()),
            ("LOG_FORMAT", "json".to_owned()),
            ("DATABASE_URL", database.clone()),
            ("REDIS_URL", servers.redis.url()),
            ("ARTIFACT_URL", format!("file://{}/artifacts", folder.path().display())),
            ("TRAINYARD__QUEUE__PREFIX", unique("bench")),
            ("TRAINYARD__API__UPLOAD_DIR", format!("{}/uploads", folder.path().display())),
            ("TRAINYARD__INFERENCE__CACHE_DIR", format!("{}/models", folder.path().display())),
            ("TRAINYARD__WORKER__WORK_DIR", format!("{}/work", folder.path().display())),
            ("TRAINYARD__API__MAX_JOBS_PER_USER", "100000000".to_owned()),
            ("TRAINYARD__API__MAX_JOBS_TOTAL", "100000000".to_owned()),
        ];
        let mut environment: Vec<_> = common.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let trainyard = Self { binary: binary.to_owned(), folder, database, environment };
        let output = trainyard.command("migrate").output().context("the trainyard binary can be started")?;
        ensure!(output.status.success(), "trainyard migrate: {}", String::from_utf8_lossy(&output.stderr));
        Ok(trainyard)
    }

    /// Starts a role and waits until it is ready.
    ///
    /// # Errors
    /// The log of a role that ended.
    pub(crate) fn start(&self, role: &str) -> anyhow::Result<Role> {
        self.start_on(role, CoreSet::of_this_thread()?)
    }

    /// Starts a role on these cores only, and waits until it is ready.
    ///
    /// # Errors
    /// The log of a role that ended.
    pub(crate) fn start_on(&self, role: &str, cores: CoreSet) -> anyhow::Result<Role> {
        let mut role = self.launch_on(role, cores)?;
        wait_ready(&mut role.process, role.port, &role.log)?;
        Ok(role)
    }

    /// Starts a worker, and counts its finished jobs from the start.
    ///
    /// # Errors
    /// If the worker can't be started.
    pub(crate) fn start_counted(&self) -> anyhow::Result<(Role, JobCounter)> {
        let worker = self.launch("worker")?;
        let counted = JobCounter::start(worker.port, self.folder.path().join("progress"))?;
        Ok((worker, counted))
    }

    /// Number of succeeded jobs.
    ///
    /// # Errors
    /// If Postgres does not answer.
    pub(crate) fn succeeded(&self) -> anyhow::Result<u64> {
        Ok(sql(&self.database, "SELECT count(*) FROM jobs WHERE status = 'succeeded'")?.parse()?)
    }

    /// Number of jobs that published a model version.
    ///
    /// # Errors
    /// If Postgres does not answer.
    pub(crate) fn published(&self) -> anyhow::Result<u64> {
        Ok(sql(&self.database, "SELECT count(*) FROM jobs WHERE model_version IS NOT NULL")?.parse()?)
    }

    /// Checks that no job trained a model, as no-op jobs do in a binary without the feature `noop`.
    ///
    /// # Errors
    /// If a job did, or Postgres does not answer.
    pub(crate) fn check_nothing_trained(&self) -> anyhow::Result<()> {
        let trained = self.published()?;
        ensure!(trained == 0, "{trained} no-op jobs were trained: build trainyard with --features noop");
        Ok(())
    }

    /// Uploads a dataset.
    ///
    /// # Errors
    /// If the API does not start or refuses the dataset.
    pub(crate) fn upload(&self, name: &str, csv: &str) -> anyhow::Result<()> {
        let api = self.start("api")?;
        let path = format!("/datasets?name={name}");
        let upload = request_of("POST", &path, &self.token(&api)?, "text/csv", csv);
        let mut connection = Connection::open(api.port)?;
        let (status, answer) = connection.call(&upload)?;
        ensure!(status == 201, "POST /datasets answered {status} with {}", String::from_utf8_lossy(answer));
        api.stop();
        Ok(())
    }

    /// Starts a role, and does not wait until it is ready.
    ///
    /// # Errors
    /// If the log can't be created.
    pub(crate) fn launch(&self, role: &str) -> anyhow::Result<Role> {
        self.launch_on(role, CoreSet::of_this_thread()?)
    }

    fn launch_on(&self, role: &str, cores: CoreSet) -> anyhow::Result<Role> {
        let (port, log) = (free_port(), self.folder.path().join(format!("{role}.log")));
        let mut command = self.command(role);
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        command.stdout(Stdio::null()).stderr(File::create(&log)?);
        // SAFETY: the call is async-signal-safe and does not allocate.
        unsafe { command.pre_exec(move || cores.restrict_this_thread()) };
        Ok(Role { process: spawn_guarded(command, libc::SIGKILL), port, log })
    }

    /// An access token of the administrator.
    ///
    /// # Errors
    /// If the login fails.
    pub(crate) fn token(&self, api: &Role) -> anyhow::Result<String> {
        let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}).to_string();
        let mut connection = Connection::open(api.port)?;
        let (status, answer) = connection.call(&request("POST", "/login", "", &body))?;
        ensure!(status == 200, "POST /login answered {status}");
        let answer: Value = serde_json::from_slice(answer)?;
        Ok(answer["access_token"].as_str().context("an access token")?.to_owned())
    }

    /// Submits `job` once and copies its rows until there are `jobs`. `changed` sets columns of the copies, as SQL with
    /// `g`, which counts from 2. The result is the same as that of as many submissions.
    ///
    /// # Errors
    /// If a step fails.
    pub(crate) fn fill(&self, job: &str, jobs: u64, changed: &[(&str, &str)]) -> anyhow::Result<()> {
        let api = self.start("api")?;
        let token = self.token(&api)?;
        let mut connection = Connection::open(api.port)?;
        let (status, answer) = connection.call(&request("POST", "/training", &token, job))?;
        ensure!(status == 202, "POST /training answered {status} with {}", String::from_utf8_lossy(answer));
        api.stop();
        // UUIDv7 values of an hour ago, a thousand per millisecond.
        let id =
            "(lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint - 3600000 + g / 1000), 12, '0') || '7' ||
            lpad(to_hex(g % 1000), 3, '0') || '8' || lpad(to_hex(g), 7, '0') || right(md5(g::text), 8))::uuid";
        // A job has one row in each of two tables.
        for table in ["job_orders", "jobs"] {
            let columns = format!(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'
                ORDER BY ordinal_position"
            );
            let columns = sql(&self.database, &columns)?;
            let columns: Vec<_> = columns.lines().collect();
            let value = |column: &&str| match changed.iter().find(|(name, _)| name == column) {
                Some((_, value)) => (*value).to_owned(),
                None if *column == "id" => id.to_owned(),
                None => (*column).to_owned(),
            };
            let values: Vec<_> = columns.iter().map(value).collect();
            let (columns, values) = (columns.join(", "), values.join(", "));
            let copy = format!(
                "INSERT INTO {table} ({columns}) SELECT {values} FROM (SELECT * FROM {table} LIMIT 1) AS template,
                generate_series(2, {jobs}) AS g"
            );
            sql(&self.database, &copy)?;
        }
        vacuum(&self.database)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(verb).env_clear().envs(self.environment.iter().cloned()).env("HOME", self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }
}
