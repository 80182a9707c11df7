//! A Redis that is away, restarts, or hangs.

use std::time::{Duration, Instant};

use trainyard_domain::PriorityClass::{High, Normal};
use trainyard_queue::{Queue, QueueError, RedisOptions};
use trainyard_testkit::{RedisServer, unique};

use super::harness::{Reader, all, ids, open, send, within};

/// The documented limit of two seconds, and a margin for a busy machine.
const SOON: Duration = Duration::from_millis(3_500);

async fn fails_soon(queue: &Queue) {
    let start = Instant::now();
    let error = send(queue, &all(&ids(1), Normal)).await.unwrap_err();
    assert!(matches!(error, QueueError::Unavailable(_)), "{error:?}");
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_away_from_the_start_fails_soon_and_works_when_it_starts() {
    let mut server = RedisServer::start();
    server.kill();
    let queue = Queue::redis(&server.url(), &unique("queue"), RedisOptions::default()).unwrap();
    let mut reader = Reader::of(&queue);
    reader.ask().await;
    fails_soon(&queue).await;
    assert!(queue.ping().await.is_err());
    assert!(queue.user_windows().await.is_err());
    server.resume();
    // The first attempt must succeed: the error of an earlier connection attempt must not be returned.
    let job = ids(1)[0];
    send(&queue, &[(job, High)]).await.unwrap();
    let delivery = reader.take().await;
    assert_eq!(delivery.job, job);
    delivery.ack_and_wait().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_a_waiting_consumer_loses_no_consumer() {
    let mut server = RedisServer::start();
    let queue = open(&server.url(), &unique("queue"), Duration::from_secs(30));
    let mut reader = Reader::of(&queue);
    let job = ids(1)[0];
    send(&queue, &[(job, High)]).await.unwrap();
    reader.take().await.ack_and_wait().await;
    reader.ask().await;
    server.kill();
    fails_soon(&queue).await;
    server.resume();
    send(&queue, &[(job, High)]).await.unwrap();
    assert_eq!(reader.take().await.job, job);
}

/// Named after the complaint "worker silent after Redis failover": the peer keeps its sockets open and does not answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_fails_soon_and_works_again() {
    let server = RedisServer::start();
    let queue = open(&server.url(), &unique("queue"), Duration::from_secs(30));
    let mut reader = Reader::of(&queue);
    let liveness = reader.consumer.liveness();
    queue.ping().await.unwrap();
    reader.ask().await;
    server.signal(libc::SIGSTOP);
    fails_soon(&queue).await;
    fails_soon(&queue).await;
    assert!(liveness.since_last_poll() < Duration::from_secs(6), "the fetching task hangs with Redis");
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
    within("the acknowledgement to give up", delivery.ack_and_wait()).await;
    reader.close().await;
}

#[tokio::test]
async fn an_invalid_url_is_refused_at_once() {
    for bad in ["", "localhost", "http://localhost", "redis://"] {
        let opened = Queue::redis(bad, "x", RedisOptions::default());
        assert!(matches!(opened, Err(QueueError::BadUrl(_))), "{bad:?} gave {opened:?}");
    }
}
