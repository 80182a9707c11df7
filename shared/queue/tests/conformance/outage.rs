//! A Redis that is away, restarts, or hangs without a word.

use std::time::{Duration, Instant};

use trainyard_domain::PriorityClass::{High, Normal};
use trainyard_queue::{Queue, QueueError, RedisOptions};
use trainyard_testkit::{RedisServer, unique};

use super::harness::{Reader, all, ids, open, send, within};

/// What the interface promises: two seconds, and some for a busy machine.
const SOON: Duration = Duration::from_millis(3_500);

async fn fails_soon(queue: &Queue) {
    let start = Instant::now();
    let error = send(queue, &all(&ids(1), Normal)).await.unwrap_err();
    assert!(matches!(error, QueueError::Unavailable(_)), "{error:?}");
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_never_there_fails_soon_and_serves_when_it_comes() {
    let mut server = RedisServer::start();
    server.kill();
    let queue = Queue::redis(&server.url(), &unique("queue"), RedisOptions::default()).unwrap();
    let mut reader = Reader::of(&queue);
    reader.ask().await;
    fails_soon(&queue).await;
    assert!(queue.ping().await.is_err());
    assert!(queue.shares().await.is_err());
    server.resume();
    // The first try already: a failure from before must not be served again.
    let job = ids(1)[0];
    send(&queue, &[(job, High)]).await.unwrap();
    let delivery = reader.take().await;
    assert_eq!(delivery.job, job);
    delivery.acked().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_a_waiting_consumer_loses_no_consumer() {
    let mut server = RedisServer::start();
    let queue = open(&server.url(), &unique("queue"), Duration::from_secs(30));
    let mut reader = Reader::of(&queue);
    let job = ids(1)[0];
    send(&queue, &[(job, High)]).await.unwrap();
    reader.take().await.acked().await;
    reader.ask().await;
    server.kill();
    fails_soon(&queue).await;
    server.resume();
    send(&queue, &[(job, High)]).await.unwrap();
    assert_eq!(reader.take().await.job, job);
}

/// Named after the complaint "worker silent after Redis failover": the peer keeps its sockets and answers nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_fails_soon_and_is_found_again() {
    let server = RedisServer::start();
    let queue = open(&server.url(), &unique("queue"), Duration::from_secs(30));
    let mut reader = Reader::of(&queue);
    let pulse = reader.consumer.pulse();
    queue.ping().await.unwrap();
    reader.ask().await;
    server.signal(libc::SIGSTOP);
    fails_soon(&queue).await;
    fails_soon(&queue).await;
    assert!(pulse.silent_for() < Duration::from_secs(6), "the fetching task hangs with Redis");
    server.signal(libc::SIGCONT);
    let job = ids(1)[0];
    send(&queue, &[(job, High)]).await.unwrap();
    assert_eq!(reader.take().await.job, job);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_closes_while_redis_is_away() {
    let mut server = RedisServer::start();
    let queue = open(&server.url(), &unique("queue"), Duration::from_secs(30));
    let mut reader = Reader::of(&queue);
    send(&queue, &all(&ids(1), High)).await.unwrap();
    let delivery = reader.take().await;
    reader.ask().await;
    server.kill();
    within("the acknowledgement to give up", delivery.acked()).await;
    reader.close().await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_once() {
    for bad in ["", "localhost", "http://localhost", "redis://"] {
        let opened = Queue::redis(bad, "x", RedisOptions::default());
        assert!(matches!(opened, Err(QueueError::BadUrl(_))), "{bad:?} gave {opened:?}");
    }
}
