//! Messages between processes, and subscriptions that survive interruptions.

use std::time::Duration;

use trainyard_domain::JobId;
use trainyard_queue::{Queue, Subscription};
use trainyard_testkit::{RedisServer, eventually, unique};

use super::harness::{LIMIT, ids, on_both, open, within};

on_both!(a_cancel_reaches_every_listener, a_model_change_reaches_every_listener);

/// Publishes a cancel until it arrives: a subscription takes a moment to begin, and misses earlier messages.
pub(super) async fn receives(queue: &Queue, listener: &mut Subscription<JobId>, id: JobId) {
    eventually("the cancel arrives", LIMIT, async || {
        queue.request_cancel(id).await.ok()?;
        let received = tokio::time::timeout(Duration::from_millis(300), listener.next()).await.ok()?;
        (received == id).then_some(())
    })
    .await;
}

async fn a_cancel_reaches_every_listener(queue: Queue) {
    let (mut one, mut two) = (queue.cancels(), queue.cancels());
    let ids = ids(2);
    receives(&queue, &mut one, ids[0]).await;
    receives(&queue, &mut two, ids[1]).await;
    receives(&queue, &mut one, ids[0]).await;
}

async fn a_model_change_reaches_every_listener(queue: Queue) {
    let (mut one, mut two) = (queue.model_changes(), queue.model_changes());
    within("the first message", one.next()).await;
    within("the first message", two.next()).await;
    for _ in 0..3 {
        queue.announce_models().await.unwrap();
        within("the change", one.next()).await;
        within("the change", two.next()).await;
    }
    let silence = tokio::time::timeout(Duration::from_millis(200), one.next()).await;
    assert!(silence.is_err(), "a change that was not announced");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_survive_a_restart_and_yield_after_it() {
    let mut server = RedisServer::start();
    let queue = open(&server.url(), &unique("queue"), Duration::from_secs(30));
    let (mut changes, mut cancels) = (queue.model_changes(), queue.cancels());
    within("the first message", changes.next()).await;
    server.kill();
    server.resume();
    within("a message after the interruption", changes.next()).await;
    queue.announce_models().await.unwrap();
    within("the change", changes.next()).await;
    receives(&queue, &mut cancels, ids(1)[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_survives_a_redis_that_hung() {
    let server = RedisServer::start();
    let queue = open(&server.url(), &unique("queue"), Duration::from_secs(30));
    let mut changes = queue.model_changes();
    within("the first message", changes.next()).await;
    server.signal(libc::SIGSTOP);
    let silence = tokio::time::timeout(Duration::from_secs(8), changes.next()).await;
    assert!(silence.is_err(), "a message from a Redis that hangs");
    server.signal(libc::SIGCONT);
    within("a message after the interruption", changes.next()).await;
}
