//! Failover in Redis Cluster and Sentinel under load: every job runs once.

use std::collections::HashSet;

use serde_json::json;
use trainyard_testkit::{Client, RedisCluster, RedisSentinels, System, distributed_settings, unique};

use crate::support::{BINARY, quick_job};

/// Jobs per submission.
const BATCH: usize = 15;

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn on_redis(url: String, prefix: String) -> System {
    let mut settings = distributed_settings();
    settings.extend([("REDIS_URL".to_owned(), url), ("TRAINYARD__QUEUE__PREFIX".to_owned(), prefix)]);
    System::start_roles(BINARY, &["api", "inference", "worker", "worker"], settings)
}

async fn submit(admin: &Client, name: &str, ids: &mut Vec<String>) {
    for _ in 0..BATCH {
        ids.push(admin.submit(quick_job(name)).await);
    }
}

async fn each_ran_once(system: &System, admin: &Client, ids: &[String]) {
    let mut versions = HashSet::new();
    for id in ids {
        let view = admin.finished(id).await;
        assert_eq!((&view["status"], &view["attempt"]), (&json!("succeeded"), &json!(1)), "{view}");
        versions.insert(view["model"]["version"].as_u64().unwrap());
    }
    assert_eq!(versions, (1..=ids.len() as u64).collect(), "one version a job, none left out");
    let started = r#""message":"running""#;
    let runs: usize = system.workers().iter().map(|&worker| system.log(worker).matches(started).count()).sum();
    assert_eq!(runs, ids.len(), "no job was started twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_dies_under_sentinels_costs_no_job() {
    let (mut set, system) = blocking(|| {
        let set = RedisSentinels::start();
        let system = on_redis(set.url(), unique("queue"));
        (set, system)
    })
    .await;
    let (admin, name, mut ids) = (system.client().admin().await, unique("failover"), Vec::new());
    submit(&admin, &name, &mut ids).await;
    set.stop_replication();
    submit(&admin, &name, &mut ids).await;
    set.kill_master();
    submit(&admin, &name, &mut ids).await;
    each_ran_once(&system, &admin, &ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_dies_in_a_cluster_costs_no_job() {
    let (mut cluster, system) = blocking(|| {
        let cluster = RedisCluster::start();
        let system = on_redis(cluster.url(), cluster.prefix());
        (cluster, system)
    })
    .await;
    let (admin, name, mut ids) = (system.client().admin().await, unique("failover"), Vec::new());
    submit(&admin, &name, &mut ids).await;
    cluster.kill_first();
    submit(&admin, &name, &mut ids).await;
    each_ran_once(&system, &admin, &ids).await;
}
