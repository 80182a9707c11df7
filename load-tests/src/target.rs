//! The system under load: started here, or an installation elsewhere.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use trainyard_testkit::{
    ADMIN_EMAIL, ADMIN_PASSWORD, PostgresServer, RedisServer, S3Server, System, children_of, unique,
};

use crate::processes::{Kind, Watched};

const ROLES: [&str; 4] = ["api", "inference", "worker", "worker"];
/// Settings in which test systems differ from production.
const PRODUCTION_SETTINGS: [(&str, &str); 2] =
    [("TRAINYARD__SERVER__MODE", "production"), ("TRAINYARD__AUTH__BCRYPT_COST", "12")];

#[derive(Debug)]
pub(crate) struct Target {
    env: Vec<(String, String)>,
    watched: Vec<Watched>,
    facts: Vec<String>,
    /// Dropped in this order: the roles before their servers.
    _started: Option<(System, PostgresServer, RedisServer, S3Server)>,
}

impl Target {
    /// The installation at `LOAD_URL`, else a new one of `binary` with its own servers.
    ///
    /// # Errors
    /// If a variable or a file is missing. A server or role that does not start causes a panic.
    pub(crate) fn from_env(binary: &Path) -> anyhow::Result<Self> {
        let Ok(url) = std::env::var("LOAD_URL") else { return Self::start(binary) };
        let names = ["LOAD_URL", "LOAD_INFERENCE_URL", "LOAD_EMAIL", "LOAD_PASSWORD"];
        let env: Vec<_> =
            names.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect();
        for needed in ["LOAD_EMAIL", "LOAD_PASSWORD"] {
            ensure!(
                env.iter().any(|(name, _)| name == needed),
                "{needed} must be set to the credentials of an administrator of {url}"
            );
        }
        Ok(Self { env, watched: Vec::new(), facts: vec![format!("Against {url}, from elsewhere.")], _started: None })
    }

    fn start(binary: &Path) -> anyhow::Result<Self> {
        ensure!(binary.exists(), "{} does not exist; `make load` builds it", binary.display());
        let binary = binary.to_str().context("a path in UTF-8")?;
        let (postgres, redis, s3) = (PostgresServer::start_durable(), RedisServer::start(), S3Server::start());
        let mut settings = vec![
            ("DATABASE_URL".to_owned(), postgres.fresh_database()),
            ("REDIS_URL".to_owned(), redis.url()),
            ("TRAINYARD__QUEUE__PREFIX".to_owned(), unique("load")),
            ("ARTIFACT_URL".to_owned(), s3.fresh_bucket()),
        ];
        let more = s3.env().into_iter().chain(PRODUCTION_SETTINGS.map(|(name, value)| (name, value.to_owned())));
        settings.extend(more.map(|(name, value)| (name.to_owned(), value)));
        let system = System::start_roles(binary, &ROLES, settings);
        let client = system.client();
        let env = [
            ("LOAD_URL", client.api_url()),
            ("LOAD_INFERENCE_URL", client.inference_url()),
            ("LOAD_EMAIL", ADMIN_EMAIL),
            ("LOAD_PASSWORD", ADMIN_PASSWORD),
        ];
        let fact = "Started for this test: Postgres (every commit synced), Redis (append-only file), an S3 endpoint, and an api, an \
        inference and two worker processes, all on the machine of k6.";
        Ok(Self {
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            watched: watched(&system),
            facts: vec![fact.to_owned()],
            _started: Some((system, postgres, redis, s3)),
        })
    }

    /// The environment of the k6 scripts.
    pub(crate) fn env(&self) -> &[(String, String)] {
        &self.env
    }

    /// The processes to sample; none for an installation elsewhere.
    pub(crate) fn watched(&self) -> &[Watched] {
        &self.watched
    }

    /// Machine, version and method.
    ///
    /// # Errors
    /// If the number of cores is unknown.
    pub(crate) fn facts(&self) -> anyhow::Result<Vec<String>> {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cores = std::thread::available_parallelism()?;
        let commit = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok();
        let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
        let mut facts = vec![
            format!("`make load` on {}, tree {commit}.", chrono::Utc::now().format("%Y-%m-%d")),
            format!("{cores} cores ({}).", model.map_or("unknown", |(_, name)| name)),
        ];
        facts.extend(self.facts.iter().cloned());
        Ok(facts)
    }
}

fn watched(system: &System) -> Vec<Watched> {
    let mut workers = 0;
    let role = |(i, (name, _)): (usize, (&'static str, String))| {
        let is_worker = name == "worker";
        workers += usize::from(is_worker);
        let shown = if is_worker { format!("worker {workers}") } else { name.to_owned() };
        Watched { name: shown, pid: system.pid(i), kind: if is_worker { Kind::Worker } else { Kind::One } }
    };
    let mut watched: Vec<_> = system.urls().into_iter().enumerate().map(role).collect();
    for (pid, command) in children_of(std::process::id()) {
        let server = [("postgres ", "Postgres", Kind::Tree), ("redis-server ", "Redis", Kind::One)];
        let found = server.into_iter().find(|(program, ..)| command.contains(*program));
        watched.extend(found.map(|(_, name, kind)| Watched { name: name.to_owned(), pid, kind }));
    }
    watched
}
