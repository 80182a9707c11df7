//! Trainyard as a contender: the binary as it is shipped, a process a role, on the servers that all contenders share.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use trainyard_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, JWT_SECRET, Tied, free_port, spawn_tied, unique};

use crate::counted::Counted;
use crate::http::{Connection, request};
use crate::process::{stop, wait_ready};
use crate::servers::{Servers, settle, sql};

/// The job that the submission benchmark sends to every contender.
pub(crate) const TRAINING_JOB: &str = r#"{"name":"bench","algorithm":"random_forest","features":["sex","age","pclass"],"dataset":"titanic","target":"survived","params":{"n_trees":100},"priority":0,"seed":42}"#;
/// Has the API accept [`NOOP_JOB`].
pub(crate) const ALLOW_NOOP: (&str, &str) = ("TRAINYARD__API__ALLOW_NOOP", "true");
/// A job that trains nothing.
pub(crate) const NOOP_JOB: &str = r#"{"name":"bench","algorithm":"noop","features":["sex"]}"#;

/// An installation with an empty database and no process yet.
#[derive(Debug)]
pub(crate) struct Trainyard {
    binary: PathBuf,
    folder: TempDir,
    /// Where its database is.
    pub(crate) database: String,
    environment: Vec<(String, String)>,
}

/// A running role.
#[derive(Debug)]
pub(crate) struct Role {
    process: Tied,
    pub(crate) port: u16,
    log: PathBuf,
}

impl Role {
    /// Stops it as an operator would.
    pub(crate) fn stop(self) {
        stop(self.process);
    }
}

impl Trainyard {
    /// A migrated database on `servers`, and the settings that differ from the defaults: no limit on jobs in the way, and
    /// whatever `settings` say.
    ///
    /// # Errors
    /// When the migration fails.
    pub(crate) fn install(
        binary: &std::path::Path,
        servers: &Servers,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        servers.flush_redis()?;
        let folder = tempfile::Builder::new().prefix("trainyard-bench-").tempdir()?;
        let database = servers.postgres.fresh_database();
        let ours = [
            ("ADMIN_EMAIL", ADMIN_EMAIL.to_owned()),
            ("ADMIN_PASSWORD", ADMIN_PASSWORD.to_owned()),
            ("JWT_SECRET", JWT_SECRET.to_owned()),
            ("LOG_FORMAT", "json".to_owned()),
            ("DATABASE_URL", database.clone()),
            ("REDIS_URL", servers.redis.url()),
            ("ARTIFACT_URL", format!("file://{}/artifacts", folder.path().display())),
            ("TRAINYARD__QUEUE__PREFIX", unique("bench")),
            ("TRAINYARD__WORKER__WORK_DIR", format!("{}/work", folder.path().display())),
            ("TRAINYARD__API__MAX_JOBS_PER_USER", "100000000".to_owned()),
            ("TRAINYARD__API__MAX_JOBS_TOTAL", "100000000".to_owned()),
        ];
        let mut environment: Vec<_> = ours.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let trainyard = Self { binary: binary.to_owned(), folder, database, environment };
        let output = trainyard.command("migrate").output().context("the trainyard binary can be run")?;
        ensure!(output.status.success(), "trainyard migrate: {}", String::from_utf8_lossy(&output.stderr));
        Ok(trainyard)
    }

    /// Starts a role and waits until it is ready.
    ///
    /// # Errors
    /// What it logged when it ended instead.
    pub(crate) fn start(&self, role: &str) -> anyhow::Result<Role> {
        let mut role = self.launch(role)?;
        wait_ready(&mut role.process, role.port, &role.log)?;
        Ok(role)
    }

    /// Starts a worker, and has it asked from its first moment how many jobs it has done.
    ///
    /// # Errors
    /// When it can't be run.
    pub(crate) fn start_counted(&self) -> anyhow::Result<(Role, Counted)> {
        let worker = self.launch("worker")?;
        let counted = Counted::start(worker.port, self.folder.path().join("progress"))?;
        Ok((worker, counted))
    }

    /// How many jobs have succeeded.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) fn succeeded(&self) -> anyhow::Result<u64> {
        Ok(sql(&self.database, "SELECT count(*) FROM jobs WHERE status = 'succeeded'")?.parse()?)
    }

    fn launch(&self, role: &str) -> anyhow::Result<Role> {
        let (port, log) = (free_port(), self.folder.path().join(format!("{role}.log")));
        let mut command = self.command(role);
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        command.stdout(Stdio::null()).stderr(File::create(&log)?);
        Ok(Role { process: spawn_tied(command, libc::SIGKILL), port, log })
    }

    /// An access token of the administrator.
    ///
    /// # Errors
    /// When signing in fails.
    pub(crate) fn token(&self, api: &Role) -> anyhow::Result<String> {
        let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}).to_string();
        let mut connection = Connection::open(api.port)?;
        let (status, answer) = connection.call(&request("POST", "/login", "", &body))?;
        ensure!(status == 200, "POST /login answered {status}");
        let answer: Value = serde_json::from_slice(answer)?;
        Ok(answer["access_token"].as_str().context("an access token")?.to_owned())
    }

    /// Submits `job` once, with a short-lived API process, and makes copies of its row until there are `jobs`; `changed`
    /// names columns that copies have other values in, as SQL over `g`, which counts from 2. What is stored that way is
    /// what that many submissions would have stored.
    ///
    /// # Errors
    /// When a step fails.
    pub(crate) fn fill(&self, job: &str, jobs: u64, changed: &[(&str, &str)]) -> anyhow::Result<()> {
        let api = self.start("api")?;
        let token = self.token(&api)?;
        let mut connection = Connection::open(api.port)?;
        let (status, answer) = connection.call(&request("POST", "/training", &token, job))?;
        ensure!(status == 202, "POST /training answered {status} with {}", String::from_utf8_lossy(answer));
        api.stop();
        // UUIDv7 of an hour ago, a thousand to the millisecond.
        let id =
            "(lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint - 3600000 + g / 1000), 12, '0') || '7' ||
            lpad(to_hex(g % 1000), 3, '0') || '8' || lpad(to_hex(g), 7, '0') || right(md5(g::text), 8))::uuid";
        // A job is a row in each of two tables.
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
        settle(&self.database)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(verb).env_clear().envs(self.environment.iter().cloned()).env("HOME", self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }
}
