//! The system under test: each role in its own process, with its own servers, each behind a proxy.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use trainyard_testkit::{
    Client, NetworkState, PostgresServer, Proxy, RedisServer, S3Server, System, children_of, eventually, send_signal,
    unique,
};

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_trainyard");

/// Lease duration in this suite.
pub const LEASE: Duration = Duration::from_secs(3);
/// A limit for events that must happen, also on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(90);

/// Leases and sweeps of seconds instead of half a minute.
const QUICK: [(&str, &str); 11] = [
    ("TRAINYARD__WORKER__LEASE_S", "3"),
    ("TRAINYARD__WORKER__RENEW_EVERY_S", "1"),
    ("TRAINYARD__SWEEP__EVERY_MS", "300"),
    ("TRAINYARD__SWEEP__LEASE_S", "2"),
    ("TRAINYARD__SWEEP__SETTLE_MS", "1500"),
    ("TRAINYARD__SWEEP__WORKER_DEAD_AFTER_S", "2"),
    ("TRAINYARD__SWEEP__MEASURE_EVERY_S", "1"),
    ("TRAINYARD__DATABASE__MAX_CONNECTIONS", "8"),
    ("TRAINYARD__DATABASE__ACQUIRE_TIMEOUT_S", "2"),
    // The suite repeats requests during outages, so the rate limits are disabled.
    ("TRAINYARD__API__MAX_JOBS_PER_USER", "100000"),
    ("TRAINYARD__INFERENCE__PINNED_WAIT_MS", "3000"),
];

/// A running system and its servers. The system is dropped first.
pub struct Rig {
    pub system: System,
    pub postgres: PostgresServer,
    pub redis: RedisServer,
    pub store: S3Server,
    pub to_postgres: Proxy,
    pub to_redis: Proxy,
    pub to_store: Proxy,
    /// Prefix of every Redis key.
    pub prefix: String,
    bucket: String,
}

impl Drop for Rig {
    fn drop(&mut self) {
        // A stopped process would outlive the test.
        self.postgres.signal_all(libc::SIGCONT);
    }
}

impl Rig {
    /// Starts the system on a thread that may block, with one inference process and the given numbers of the other
    /// roles.
    pub async fn start(apis: usize, workers: usize) -> Self {
        tokio::task::spawn_blocking(move || Self::start_blocking(apis, workers)).await.unwrap()
    }

    fn start_blocking(apis: usize, workers: usize) -> Self {
        let (postgres, redis, store) = (PostgresServer::start(), RedisServer::start(), S3Server::start());
        let to_postgres = Proxy::start(postgres.port());
        let (to_redis, to_store) = (Proxy::start(redis.port()), Proxy::start(store.port()));
        let (bucket, prefix) = (store.fresh_bucket(), unique("queue"));
        let own = |name: &str, value: String| (name.to_owned(), value);
        let through =
            |url: String, server: u16, proxy: &Proxy| url.replace(&format!(":{server}"), &format!(":{}", proxy.port()));
        let mut settings: Vec<_> = QUICK.map(|(name, value)| own(name, value.to_owned())).to_vec();
        settings.push(own("DATABASE_URL", through(postgres.fresh_database(), postgres.port(), &to_postgres)));
        settings.push(own("REDIS_URL", through(redis.url(), redis.port(), &to_redis)));
        settings.push(own("TRAINYARD__QUEUE__PREFIX", prefix.clone()));
        settings.push(own("ARTIFACT_URL", bucket.clone()));
        let reach = store.env().into_iter().map(|(name, value)| own(name, through(value, store.port(), &to_store)));
        settings.extend(reach);
        let mut roles = vec!["api"; apis];
        roles.push("inference");
        roles.extend(std::iter::repeat_n("worker", workers));
        let system = System::start_roles(BINARY, &roles, settings);
        Self { system, postgres, redis, store, to_postgres, to_redis, to_store, prefix, bucket }
    }

    /// An administrator client per API, in the order of the APIs.
    pub async fn admins(&self) -> Vec<Client> {
        let token = self.system.client().admin().await;
        token.upload("long", long_dataset()).await.expect(201);
        let apis = self.system.roles("api");
        apis.into_iter().map(|api| self.system.client_of(api).with_token(token.token())).collect()
    }

    /// The directory with the artifacts of the object store.
    pub fn artifacts(&self) -> PathBuf {
        self.store.files(&self.bucket).join("artifacts")
    }

    /// Number of artifacts in the store, published or not.
    pub fn stored_artifacts(&self) -> usize {
        let folders = std::fs::read_dir(self.artifacts()).into_iter().flatten().flatten();
        folders.map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().count()).sum()
    }

    /// Job ids in the streams, including ids that are being moved.
    pub fn entries_in_redis(&self) -> u64 {
        let classes = ["high", "normal", "low"].map(|class| format!("{{{}}}:jobs:{class}", self.prefix));
        classes.iter().map(|stream| self.redis.cli(&["XLEN", stream]).parse::<u64>().unwrap_or(0)).sum()
    }

    /// The training processes of a running worker.
    pub fn children(&self, worker: usize) -> Vec<u32> {
        let children = children_of(self.system.pid(worker)).into_iter();
        children.filter(|(_, command)| command.contains("train-task")).map(|(pid, _)| pid).collect()
    }

    /// Kills the training processes of a worker.
    pub fn kill_child(&self, worker: usize) {
        self.children(worker).into_iter().for_each(|pid| send_signal(pid, libc::SIGKILL));
    }

    /// Ends every fault: network links pass, servers and processes run.
    pub fn mend(&mut self) {
        for proxy in [&self.to_postgres, &self.to_redis, &self.to_store] {
            proxy.set(NetworkState::Healthy);
        }
        self.store.set_broken(false);
        self.system.restart_ended();
    }

    /// Number of started runs over all workers and their restarts.
    pub fn runs_begun(&self) -> usize {
        let workers = self.system.workers().into_iter();
        workers.map(|worker| self.system.log(worker).matches(r#""message":"running""#).count()).sum()
    }

    /// The index of the worker process that a running job names as its worker.
    pub fn process_of(&self, view: &Value) -> usize {
        let name = view["worker"].as_str().unwrap();
        self.system.workers().into_iter().find(|&worker| self.system.log(worker).contains(name)).unwrap()
    }
}

/// Waits until the training process of a job runs.
pub async fn trains(admin: &Client, id: &str) -> Value {
    let busy = |view: &Value| view["phase"].as_str().is_some_and(|phase| phase != "fetching");
    phase(admin, id, |view| view["status"] == "running" && busy(view)).await
}

/// Waits until a job has the given properties.
pub async fn phase(admin: &Client, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("job {id} is as wanted"), LIMIT, async || {
        let request = admin.request(reqwest::Method::GET, &format!("/training/{id}"));
        let view = admin.try_send(request).await.ok().filter(|answer| answer.status == 200)?.body;
        assert!(!matches!(view["status"].as_str(), Some("failed")) || wanted(&view), "{view}");
        wanted(&view).then_some(view)
    })
    .await
}

/// The version numbers of a model, newest first, with their jobs.
pub async fn versions(admin: &Client, model: &str) -> Vec<Value> {
    let (mut versions, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("/models/{model}?limit=100{cursor}")).await;
        if page.status == 404 {
            return versions;
        }
        let page = page.expect(200);
        versions.extend(page["versions"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return versions,
        }
    }
}

/// A job that trains in a fraction of a second.
pub fn quick_job(name: &str) -> Value {
    json!({"name": name, "algorithm": "random_forest", "features": ["sex", "age", "pclass"], "params": {"n_trees": 10}})
}

/// Keeps a worker busy for some seconds, and succeeds.
pub fn slow_job(name: &str) -> Value {
    json!({
        "name": name, "algorithm": "random_forest", "features": ["*"], "dataset": "long", "target": "survived",
        "params": {"n_trees": 1200}
    })
}

/// Runs longer than a test; the test cancels or kills the job.
pub fn endless_job(name: &str) -> Value {
    let params = json!({"engine": "linfa", "c": 10_000.0, "kernel": "polynomial", "degree": 5});
    json!({"name": name, "algorithm": "svm", "features": ["*"], "params": params})
}

/// The dataset of a [`slow_job`]: the Titanic passengers, repeated.
fn long_dataset() -> String {
    let (header, rows) = include_str!("../../datasets/titanic.csv").split_once('\n').unwrap();
    format!("{header}\n{}", rows.repeat(6))
}
