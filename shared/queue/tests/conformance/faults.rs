//! Dead workers, invalid entries, and a Redis that is flushed or full.

use std::collections::BTreeSet;
use std::time::Duration;

use trainyard_domain::PriorityClass::{High, Low, Normal};
use trainyard_queue::Enqueued::{Added, Present, Refused};
use trainyard_queue::{EnqueueFrom, Queue, QueueError, ReadyJob, RedisOptions};
use trainyard_testkit::{RedisServer, eventually, redis, unique};

use super::harness::{LIMIT, Reader, all, fresh, ids, in_redis, open, raw, send, user, waiting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_whose_worker_died_before_the_claim_goes_to_another() {
    let (url, prefix) = (redis().url(), unique("queue"));
    let queue = open(&url, &prefix, Duration::from_millis(400));
    let jobs = ids(2);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let mut dies = Reader::of(&queue);
    let first = dies.take().await.job;
    drop(dies);
    let mut lives = Reader::of(&queue);
    let mut seen = BTreeSet::new();
    for _ in &jobs {
        let delivery = lives.take().await;
        delivery.ack_and_wait().await;
        seen.insert(delivery.job);
    }
    assert_eq!((first, seen), (jobs[0], BTreeSet::from_iter(jobs)));
    assert_eq!((waiting(&queue).await, in_redis(&url, &prefix).await.0), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_being_claimed_is_delivered_to_nobody_else() {
    let (queue, _) = fresh();
    let jobs = ids(2);
    send(&queue, &all(&jobs[..1], High)).await.unwrap();
    let (mut holder, mut other) = (Reader::of(&queue), Reader::of(&queue));
    assert_eq!(holder.take().await.job, jobs[0]);
    other.ask().await;
    send(&queue, &all(&jobs[1..], Low)).await.unwrap();
    assert_eq!(other.take().await.job, jobs[1], "the other id is older and of a higher class, but is being claimed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_without_a_job_id_are_dropped() {
    let (queue, prefix) = fresh();
    let stream = format!("{{{prefix}}}:jobs:normal");
    let mut connection = raw(&redis().url()).await;
    let nonsense: [(&[u8], &[u8]); 4] =
        [(b"job", b"42"), (b"task", b"0190b5f2-7c1a-7000-8000-000000000001"), (b"job", b"\xff\xfe"), (b"\xff", b"")];
    let mut reader = Reader::of(&queue);
    for waits in [false, true] {
        if waits {
            reader.ask().await;
        }
        for (field, value) in nonsense {
            redis::cmd("XADD").arg(&stream).arg("*").arg(field).arg(value).exec_async(&mut connection).await.unwrap();
        }
        let job = ids(1)[0];
        send(&queue, &[(job, Normal)]).await.unwrap();
        let delivery = reader.take().await;
        assert_eq!(delivery.job, job);
        delivery.ack_and_wait().await;
        assert_eq!(waiting(&queue).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_loses_the_enqueued_set_and_does_not_stop_a_waiting_consumer() {
    let server = RedisServer::start();
    let queue = Queue::redis(&server.url(), &unique("queue"), RedisOptions::default()).unwrap();
    let mut reader = Reader::of(&queue);
    let jobs = ids(3);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let taken = reader.take().await;
    assert_eq!(send(&queue, &all(&jobs, Normal)).await.unwrap(), [Present; 3]);
    let mut connection = raw(&server.url()).await;
    redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
    taken.ack_and_wait().await;
    drop(taken);
    assert_eq!(send(&queue, &all(&jobs, Normal)).await.unwrap(), [Added; 3], "the flushed ids are not enqueued");
    for job in &jobs {
        let delivery = reader.take().await;
        assert_eq!(delivery.job, *job);
        delivery.ack_and_wait().await;
    }
    assert_eq!((waiting(&queue).await, queue.user_windows().await.unwrap()), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_key_is_detected() {
    for (kind, lost) in [("jobs", true), ("held", true), ("sent", true), ("refused", false)] {
        let (queue, prefix) = fresh();
        let jobs = ids(3);
        let ready: Vec<_> = jobs.iter().map(|job| ReadyJob { job: *job, user: user(7), class: Low }).collect();
        assert_eq!(queue.enqueue(&ready, 2, EnqueueFrom::Sweep).await.unwrap(), [Added, Added, Refused]);
        assert_eq!(queue.repair().await.unwrap(), 0, "consistent");
        let mut connection = raw(&redis().url()).await;
        let key = format!("{{{prefix}}}:{kind}:low");
        redis::cmd("DEL").arg(key).exec_async(&mut connection).await.unwrap();
        assert_eq!(queue.repair().await.unwrap(), u64::from(lost), "{kind}");
        assert_eq!(queue.repair().await.unwrap(), 0, "repaired once");
        let again = if lost { [Added, Added, Refused] } else { [Present, Present, Refused] };
        assert_eq!(queue.enqueue(&ready, 2, EnqueueFrom::Sweep).await.unwrap(), again, "{kind}");
        let mut reader = Reader::of(&queue);
        let mut seen = BTreeSet::new();
        while seen.len() < 2 {
            let delivery = reader.take().await;
            delivery.ack_and_wait().await;
            seen.insert(delivery.job);
        }
        assert_eq!(seen, BTreeSet::from_iter(jobs[..2].to_vec()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_fails_the_ping_and_refuses_jobs() {
    let server = RedisServer::start();
    let queue = open(&server.url(), &unique("queue"), Duration::from_secs(30));
    queue.ping().await.unwrap();
    let mut connection = raw(&server.url()).await;
    let mut limit = async |bytes: u32| {
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg("maxmemory").arg(bytes).exec_async(&mut connection).await.unwrap();
    };
    limit(1).await;
    assert!(matches!(queue.ping().await, Err(QueueError::Unavailable(_))));
    let job = ids(1)[0];
    assert!(matches!(send(&queue, &[(job, High)]).await, Err(QueueError::Unavailable(_))));
    let mut reader = Reader::of(&queue);
    reader.ask().await;
    limit(0).await;
    queue.ping().await.unwrap();
    send(&queue, &[(job, High)]).await.unwrap();
    assert_eq!(reader.take().await.job, job);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_of_dead_processes_are_deleted_when_nothing_is_pending() {
    let (url, prefix) = (redis().url(), unique("queue"));
    let options = RedisOptions {
        block: Duration::from_millis(100),
        redeliver_after: Duration::from_secs(30),
        forget_after: Duration::ZERO,
        ..RedisOptions::default()
    };
    let queue = Queue::redis(&url, &prefix, options).unwrap();
    send(&queue, &all(&ids(1), Normal)).await.unwrap();
    let mut holder = Reader::of(&queue);
    let taken = holder.take().await;
    // A killed process leaves its consumer in the group.
    let mut connection = raw(&url).await;
    let mut ghost = redis::cmd("XGROUP");
    ghost.arg("CREATECONSUMER").arg(format!("{{{prefix}}}:jobs:normal")).arg("workers").arg("ghost");
    ghost.exec_async(&mut connection).await.unwrap();
    // A starting worker deletes the consumers of dead processes. It must stay, or it might end before its first read.
    let mut starts = Reader::of(&queue);
    starts.ask().await;
    eventually("the consumer 'ghost' is deleted", LIMIT, async || {
        let (pending, readers) = in_redis(&url, &prefix).await;
        assert_eq!(pending, 1, "a consumer with a pending id must stay: {readers:?}");
        (!readers.contains(&"ghost".to_owned())).then_some(())
    })
    .await;
    taken.ack_and_wait().await;
    assert_eq!(in_redis(&url, &prefix).await.0, 0);
}
