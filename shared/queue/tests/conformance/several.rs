//! A Redis of several servers, and one that speaks TLS.

use std::time::Duration;

use trainyard_domain::JobId;
use trainyard_domain::PriorityClass::{self, Normal};
use trainyard_queue::Offered::{self, Sent, There};
use trainyard_queue::{Queue, QueueError, RedisOptions};
use trainyard_testkit::{Authority, RedisCluster, RedisSentinels, RedisServer, eventually, unique};

use super::harness::{LIMIT, Reader, all, ids, open, send, waiting};
use super::push::hears;

/// Starting a set of servers blocks for seconds.
async fn started<T: Send + 'static>(start: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(start).await.unwrap()
}

async fn sent(queue: &Queue, jobs: &[(JobId, PriorityClass)]) -> Vec<Offered> {
    eventually("the ids are taken", LIMIT, async || send(queue, jobs).await.ok()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_promoted_replica_never_heard_of_is_sent_again_and_the_rest_is_there() {
    let mut set = started(RedisSentinels::start).await;
    let prefix = unique("queue");
    let queue = open(&set.url(), &prefix, Duration::from_secs(30));
    let (mut reader, mut cancels) = (Reader::of(&queue), queue.cancels());
    let jobs = ids(3);
    hears(&queue, &mut cancels, jobs[0]).await;
    assert_eq!(sent(&queue, &all(&jobs[..2], Normal)).await, [Sent, Sent]);
    let taken = reader.take().await;
    let stream = format!("{{{prefix}}}:jobs:normal");
    eventually("the replica knows who has the first one", LIMIT, async || {
        set.replica().cli(&["XPENDING", &stream, "workers"]).starts_with("1\n").then_some(())
    })
    .await;
    set.stop_replication();
    assert_eq!(sent(&queue, &all(&jobs[2..], Normal)).await, [Sent]);
    let set = started(move || {
        set.kill_master();
        set.wait_failed_over();
        set
    })
    .await;
    assert_eq!(sent(&queue, &all(&jobs, Normal)).await, [There, There, Sent], "lost with its mark");
    hears(&queue, &mut cancels, jobs[1]).await;
    assert_eq!(taken.job, jobs[0]);
    taken.acked().await;
    drop(taken);
    for job in &jobs[1..] {
        let delivery = reader.take().await;
        assert_eq!(delivery.job, *job);
        delivery.acked().await;
    }
    assert_eq!(waiting(&queue).await, 0);
    drop(set);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_followed_from_node_to_node() {
    let mut cluster = started(RedisCluster::start).await;
    let queue = open(&cluster.url(), &cluster.prefix(), Duration::from_secs(30));
    let (mut reader, mut cancels) = (Reader::of(&queue), queue.cancels());
    let jobs = ids(3);
    for job in &jobs {
        hears(&queue, &mut cancels, *job).await;
        assert_eq!(sent(&queue, &all(&[*job], Normal)).await, [Sent]);
        let delivery = reader.take().await;
        assert_eq!(delivery.job, *job);
        delivery.acked().await;
        // The reader waits at a node that is about to hand over.
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
    assert_eq!(sent(&queue, &all(&jobs[..1], Normal)).await, [Sent]);
    reader.take().await.acked().await;
    reader.ask().await;
    let cluster = started(move || {
        cluster.kill_first();
        cluster.wait_failed_over();
        cluster
    })
    .await;
    assert_eq!(sent(&queue, &all(&jobs[1..], Normal)).await, [Sent]);
    assert_eq!(reader.take().await.job, jobs[1]);
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_with_a_certificate_is_trusted_by_its_authority_alone() {
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
    for suspicious in [trusting(Some(&other)), trusting(None)] {
        let Err(QueueError::Unavailable(cause)) = suspicious.ping().await else { panic!("it was trusted") };
        assert!(cause.to_string().contains("certificate"), "{cause}");
    }
}
