//! Sentinels, a cluster, and TLS.

use std::time::Duration;

use trainyard_domain::JobId;
use trainyard_domain::PriorityClass::{self, Normal};
use trainyard_queue::Enqueued::{self, Added, Present};
use trainyard_queue::{Queue, QueueError, RedisOptions};
use trainyard_testkit::{Authority, RedisCluster, RedisSentinels, RedisServer, eventually, unique};

use super::harness::{LIMIT, Reader, all, ids, open, send, waiting};
use super::subscriptions::receives;

/// Starts servers where blocking is allowed; it takes seconds.
async fn started<T: Send + 'static>(start: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(start).await.unwrap()
}

async fn enqueued(queue: &Queue, jobs: &[(JobId, PriorityClass)]) -> Vec<Enqueued> {
    eventually("the ids are enqueued", LIMIT, async || send(queue, jobs).await.ok()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_the_promoted_replica_lacks_can_be_enqueued_again() {
    let mut set = started(RedisSentinels::start).await;
    let prefix = unique("queue");
    let queue = open(&set.url(), &prefix, Duration::from_secs(30));
    let (mut reader, mut cancels) = (Reader::of(&queue), queue.cancels());
    let jobs = ids(3);
    receives(&queue, &mut cancels, jobs[0]).await;
    assert_eq!(enqueued(&queue, &all(&jobs[..2], Normal)).await, [Added, Added]);
    let taken = reader.take().await;
    let stream = format!("{{{prefix}}}:jobs:normal");
    eventually("the replica has the pending entry", LIMIT, async || {
        set.replica().cli(&["XPENDING", &stream, "workers"]).starts_with("1\n").then_some(())
    })
    .await;
    set.stop_replication();
    assert_eq!(enqueued(&queue, &all(&jobs[2..], Normal)).await, [Added]);
    let set = started(move || {
        set.kill_master();
        set.wait_failed_over();
        set
    })
    .await;
    assert_eq!(
        enqueued(&queue, &all(&jobs, Normal)).await,
        [Present, Present, Added],
        "the id and its entry in the enqueued set are lost together"
    );
    receives(&queue, &mut cancels, jobs[1]).await;
    assert_eq!(taken.job, jobs[0]);
    taken.ack_and_wait().await;
    drop(taken);
    for job in &jobs[1..] {
        let delivery = reader.take().await;
        assert_eq!(delivery.job, *job);
        delivery.ack_and_wait().await;
    }
    assert_eq!(waiting(&queue).await, 0);
    drop(set);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_follows_its_slot_from_node_to_node() {
    let mut cluster = started(RedisCluster::start).await;
    let queue = open(&cluster.url(), &cluster.prefix(), Duration::from_secs(30));
    let (mut reader, mut cancels) = (Reader::of(&queue), queue.cancels());
    let jobs = ids(3);
    for job in &jobs {
        receives(&queue, &mut cancels, *job).await;
        assert_eq!(enqueued(&queue, &all(&[*job], Normal)).await, [Added]);
        let delivery = reader.take().await;
        assert_eq!(delivery.job, *job);
        delivery.ack_and_wait().await;
        // The reader waits at a node whose slot is about to move.
        reader.ask().await;
        cluster = started(move || {
            cluster.fail_over();
            cluster
        })
        .await;
    }
    assert_eq!(waiting(&queue).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_loses_a_master_goes_on_with_its_replica() {
    let mut cluster = started(RedisCluster::start).await;
    let queue = open(&cluster.url(), &cluster.prefix(), Duration::from_secs(30));
    let mut reader = Reader::of(&queue);
    let jobs = ids(2);
    assert_eq!(enqueued(&queue, &all(&jobs[..1], Normal)).await, [Added]);
    reader.take().await.ack_and_wait().await;
    reader.ask().await;
    let cluster = started(move || {
        cluster.kill_first();
        cluster.wait_failed_over();
        cluster
    })
    .await;
    assert_eq!(enqueued(&queue, &all(&jobs[1..], Normal)).await, [Added]);
    assert_eq!(reader.take().await.job, jobs[1]);
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_accepted_only_from_the_configured_authority() {
    let (ours, other) = (Authority::create(), Authority::create());
    let server = RedisServer::start_with_tls(&ours);
    let trusting = |authority: Option<&Authority>| {
        let tls_ca = authority.map(|authority| std::fs::read(authority.ca()).unwrap());
        Queue::redis(&server.url(), &unique("queue"), RedisOptions { tls_ca, ..RedisOptions::default() }).unwrap()
    };
    let queue = trusting(Some(&ours));
    queue.ping().await.unwrap();
    let (job, mut reader) = (ids(1)[0], Reader::of(&queue));
    send(&queue, &all(&[job], Normal)).await.unwrap();
    assert_eq!(reader.take().await.job, job);
    for distrusting in [trusting(Some(&other)), trusting(None)] {
        let Err(QueueError::Unavailable(cause)) = distrusting.ping().await else {
            panic!("the certificate was accepted")
        };
        assert!(cause.to_string().contains("certificate"), "{cause}");
    }
}
