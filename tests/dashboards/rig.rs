//! The system under test: each role in its own process, with its own servers, and Prometheus.

use std::path::PathBuf;

use trainyard_testkit::{PostgresServer, PrometheusServer, RedisServer, S3Server, System, unique};

use crate::boards::read;

const BINARY: &str = env!("CARGO_BIN_EXE_trainyard");

/// Leases, sweeps and webhooks of seconds instead of minutes, and drift after a few rows.
const QUICK: [(&str, &str); 12] = [
    ("TRAINYARD__WORKER__LEASE_S", "3"),
    ("TRAINYARD__WORKER__RENEW_EVERY_S", "1"),
    ("TRAINYARD__SWEEP__EVERY_MS", "300"),
    ("TRAINYARD__SWEEP__LEASE_S", "2"),
    ("TRAINYARD__SWEEP__SETTLE_MS", "1000"),
    ("TRAINYARD__SWEEP__WORKER_DEAD_AFTER_S", "2"),
    ("TRAINYARD__SWEEP__MEASURE_EVERY_S", "1"),
    ("TRAINYARD__SWEEP__CLEANUP_EVERY_S", "1"),
    ("TRAINYARD__DATABASE__ACQUIRE_TIMEOUT_S", "2"),
    ("TRAINYARD__INFERENCE__DRIFT_MIN_ROWS", "10"),
    ("TRAINYARD__WEBHOOKS__ALLOW_PRIVATE_ADDRESSES", "true"),
    ("TRAINYARD__WEBHOOKS__RETRY_PAUSES_S", "1, 1"),
];

/// A running system and its servers. The system is dropped first.
pub struct Rig {
    pub system: System,
    pub postgres: PostgresServer,
    pub prometheus: PrometheusServer,
    store: S3Server,
    bucket: String,
    _redis: RedisServer,
}

impl Rig {
    /// Starts an API, an inference process and two workers, scraped every second.
    pub async fn start() -> Self {
        tokio::task::spawn_blocking(Self::start_blocking).await.unwrap()
    }

    fn start_blocking() -> Self {
        let (postgres, redis, store) = (PostgresServer::start(), RedisServer::start(), S3Server::start());
        let bucket = store.fresh_bucket();
        let own = |name: &str, value: String| (name.to_owned(), value);
        let mut settings: Vec<_> = QUICK.map(|(name, value)| own(name, value.to_owned())).to_vec();
        settings.push(own("DATABASE_URL", postgres.fresh_database()));
        settings.push(own("REDIS_URL", redis.url()));
        settings.push(own("TRAINYARD__QUEUE__PREFIX", unique("queue")));
        settings.push(own("ARTIFACT_URL", bucket.clone()));
        settings.extend(store.env().into_iter().map(|(name, value)| own(name, value)));
        let system = System::start_roles(BINARY, &["api", "inference", "worker", "worker"], settings);
        let targets: Vec<_> = system.urls().into_iter().map(|(role, url)| (format!("trainyard-{role}"), url)).collect();
        // Prometheus evaluates alerts only after its third scrape.
        let rules = read("dashboards/alerts.yaml").replace("interval: 30s", "interval: 1s");
        let prometheus = PrometheusServer::start(&targets, &rules);
        Self { system, postgres, prometheus, store, bucket, _redis: redis }
    }

    /// The directory with the model artifacts of the object store.
    pub fn artifacts(&self) -> Vec<PathBuf> {
        let entries = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
        entries(self.store.files(&self.bucket).join("artifacts")).flat_map(entries).collect()
    }
}
