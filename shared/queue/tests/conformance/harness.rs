//! A reader that polls a consumer for one id at a time, as an apalis worker does; and the queues under test.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use apalis::prelude::{Backend, WorkerContext};
use trainyard_domain::{JobId, PriorityClass, UserId};
use trainyard_queue::{Consumer, Delivery, EnqueueFrom, Enqueued, Queue, QueueError, ReadyJob, RedisOptions};
use trainyard_testkit::{redis, unique};

/// The time limit of every wait.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);

/// Runs each test on both queues.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(trainyard_queue::Queue::memory()).await })+
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(crate::conformance::harness::fresh().0).await })+
        }
    };
}
pub(crate) use on_both;

/// A new queue in the shared Redis, and its prefix.
pub(crate) fn fresh() -> (Queue, String) {
    let prefix = unique("queue");
    (open(&redis().url(), &prefix, Duration::from_secs(30)), prefix)
}

/// A queue with short blocking reads, so that tests are quick.
pub(crate) fn open(url: &str, prefix: &str, redeliver_after: Duration) -> Queue {
    let options = RedisOptions { block: Duration::from_millis(300), redeliver_after, ..RedisOptions::default() };
    Queue::redis(url, prefix, options).unwrap()
}

/// A plain connection to Redis.
pub(crate) async fn raw(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// A user; each number is another user.
pub(crate) fn user(n: u128) -> UserId {
    UserId(uuid::Uuid::from_u128(n))
}

/// Enqueues ids of one user, with a window that is never full.
pub(crate) async fn send(queue: &Queue, jobs: &[(JobId, PriorityClass)]) -> Result<Vec<Enqueued>, QueueError> {
    let ready: Vec<_> = jobs.iter().map(|(job, class)| ReadyJob { job: *job, user: user(1), class: *class }).collect();
    queue.enqueue(&ready, 1_000_000, EnqueueFrom::Sweep).await
}

/// Polls a consumer as a worker does.
pub(crate) struct Reader {
    pub(crate) consumer: Consumer,
    pub(crate) context: WorkerContext,
}

impl Reader {
    pub(crate) fn of(queue: &Queue) -> Self {
        Self::with_slots(queue, 1)
    }

    pub(crate) fn with_slots(queue: &Queue, slots: usize) -> Self {
        let mut context = WorkerContext::new("reader");
        context.start().unwrap();
        Self { consumer: queue.consume("reader", slots), context }
    }

    /// Waits for the next delivery.
    pub(crate) async fn take(&mut self) -> Delivery {
        within("an id", poll_fn(|cx| self.consumer.poll_next(cx, &self.context))).await.unwrap().unwrap().args
    }

    /// Requests an id without waiting for it.
    pub(crate) async fn ask(&mut self) {
        let found = poll_fn(|cx| Poll::Ready(self.consumer.poll_next(cx, &self.context).is_ready())).await;
        assert!(!found, "an id before any was enqueued");
    }

    /// Closes the consumer as a worker does.
    pub(crate) async fn close(mut self) {
        within("closing", poll_fn(|cx| self.consumer.poll_close(cx, &self.context))).await.unwrap();
    }
}

/// Awaits `future` with a time limit.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// `count` new ids.
pub(crate) fn ids(count: usize) -> Vec<JobId> {
    (0..count).map(|_| JobId::at(chrono::DateTime::UNIX_EPOCH)).collect()
}

/// Pairs each id with one class.
pub(crate) fn all(ids: &[JobId], class: PriorityClass) -> Vec<(JobId, PriorityClass)> {
    ids.iter().map(|id| (*id, class)).collect()
}

/// The number of waiting ids of all classes.
pub(crate) async fn waiting(queue: &Queue) -> u64 {
    queue.depth().await.unwrap().into_iter().map(|(_, count)| count).sum()
}

/// The number of pending entries and the consumers of the group, over all streams of a queue.
pub(crate) async fn in_redis(url: &str, prefix: &str) -> (u64, Vec<String>) {
    let mut connection = raw(url).await;
    let (mut pending, mut readers) = (0, Vec::new());
    for class in PriorityClass::ALL {
        let stream = format!("{{{prefix}}}:jobs:{}", class.as_str());
        let mut info = redis::cmd("XINFO");
        let consumers: Vec<HashMap<String, redis::Value>> =
            info.arg("CONSUMERS").arg(stream).arg("workers").query_async(&mut connection).await.unwrap_or_default();
        for mut consumer in consumers {
            pending += redis::from_redis_value::<u64>(consumer.remove("pending").unwrap()).unwrap();
            readers.push(redis::from_redis_value::<String>(consumer.remove("name").unwrap()).unwrap());
        }
    }
    (pending, readers)
}
