//! Webhooks against a real receiver: signatures, retries, failures and forbidden addresses.

use std::time::{Duration, Instant};

use trainyard_domain::webhook::{Delivery, DeliveryStatus};
use trainyard_domain::{Job, JobId, JobStatus, PriorityClass};
use trainyard_queue::{EnqueueFrom, ReadyJob};
use trainyard_storage::{Db, DeliveryFilter};
use trainyard_testkit::{Receiver, Reply, default_settings, eventually};
use trainyard_worker::webhooks::{Pauses, Secret};
use trainyard_worker::{WebhookConfig, WorkerConfig};

use crate::harness::{HANG, Harness, quick_sweep, train_task};

const SECRET: &str = "whsec_bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXch";
const PREVIOUS: &str = "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQh";
const LIMIT: Duration = Duration::from_secs(60);

/// Retries at once up to `retries` times, and may use private addresses.
fn config(retries: usize) -> WebhookConfig {
    WebhookConfig {
        secret: Secret::parse(SECRET).ok(),
        allow_private_addresses: true,
        retry_pauses_s: Pauses(vec![0; retries]),
        ..default_settings("webhooks")
    }
}

fn job(harness: &Harness, url: String) -> Job {
    let mut job = harness.new_job("demo");
    job.spec.webhook_url = Some(url);
    job
}

/// A job that was cancelled just now, with a pending webhook.
async fn cancelled(harness: &Harness, url: String) -> JobId {
    let id = harness.submit(job(harness, url)).await;
    let mut tx = harness.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    tx.jobs().cancel(id, now).await.unwrap();
    tx.webhooks().enqueue(id, now).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn delivery(harness: &Harness, job: JobId) -> Delivery {
    let filter = DeliveryFilter { job: Some(job), ..DeliveryFilter::default() };
    let mut found = harness.db.read().await.unwrap().webhooks().list(filter, None, 10).await.unwrap();
    assert_eq!(found.len(), 1, "one end, one event: {found:?}");
    found.remove(0)
}

async fn until(harness: &Harness, job: JobId, wanted: impl Fn(&Delivery) -> bool) -> Delivery {
    eventually("the delivery is as wanted", LIMIT, async || Some(delivery(harness, job).await).filter(&wanted)).await
}

async fn until_status(harness: &Harness, job: JobId, status: DeliveryStatus) -> Delivery {
    until(harness, job, |delivery| delivery.status == status).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trained_job_is_delivered_once_and_both_secrets_verify_it() {
    let (harness, receiver) = (Harness::new().await, Receiver::start());
    let changing = WebhookConfig { previous_secret: Secret::parse(PREVIOUS).ok(), ..config(0) };
    let (sweep, worker) = (harness.sweep_with_webhooks("s", changing), harness.worker(train_task(), harness.config()));
    let id = harness.submit(job(&harness, receiver.url("/hook"))).await;
    harness.submit_named("demo").await;
    harness.until_status(id, JobStatus::Succeeded).await;
    let outcome = until_status(&harness, id, DeliveryStatus::Delivered).await;
    worker.drain().await;
    sweep.stop().await;

    let [request] = &receiver.received()[..] else { panic!("{:?}", receiver.received()) };
    assert_eq!(request.verified(SECRET), request.verified(PREVIOUS));
    assert_eq!(request.header("webhook-id"), outcome.id.to_string());
    assert!(request.path == "/hook" && request.header("user-agent").starts_with("trainyard/"), "{request:?}");
    let body = request.verified(SECRET);
    assert_eq!((&body["type"], &body["data"]["model"]["version"]), (&"training.succeeded".into(), &1.into()));
    assert_eq!(body["data"]["job_id"], id.to_string());
    assert!(body["data"]["metrics"]["accuracy"].as_f64().unwrap() > 0.5, "{body}");
    assert_eq!((outcome.attempts, outcome.last_status, outcome.last_error), (1, Some(204), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_is_retried_with_the_same_id_and_redirects_are_not_followed() {
    let (harness, receiver, elsewhere) = (Harness::new().await, Receiver::start(), Receiver::start());
    let redirect = |status| Reply::Header(status, "location", elsewhere.url("/"));
    receiver.reply([Reply::Status(500), redirect(302), redirect(307), Reply::Status(404)]);
    let id = cancelled(&harness, receiver.url("/")).await;
    let sweep = harness.sweep_with_webhooks("s", config(4));
    let outcome = until_status(&harness, id, DeliveryStatus::Delivered).await;
    sweep.stop().await;
    let received = receiver.received();
    assert_eq!((received.len(), outcome.attempts), (5, 5));
    for request in &received {
        assert_eq!(request.verified(SECRET)["type"], "training.cancelled");
        assert_eq!(request.header("webhook-id"), outcome.id.to_string());
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_fails_after_its_last_attempt_and_after_410() {
    let (harness, receiver) = (Harness::new().await, Receiver::start());
    receiver.reply([Reply::Status(503), Reply::Status(301), Reply::Status(410)]);
    let sweep = harness.sweep_with_webhooks("s", config(1));
    let stubborn = cancelled(&harness, receiver.url("/")).await;
    let outcome = until_status(&harness, stubborn, DeliveryStatus::Failed).await;
    assert_eq!((outcome.attempts, outcome.last_status), (2, Some(301)));
    assert!(outcome.last_error.unwrap().contains("redirects are not followed"));
    let gone = cancelled(&harness, receiver.url("/")).await;
    let outcome = until_status(&harness, gone, DeliveryStatus::Failed).await;
    assert_eq!((outcome.attempts, outcome.last_status), (1, Some(410)));
    let free = trainyard_testkit::free_port();
    let refusing = cancelled(&harness, format!("http://127.0.0.1:{free}/")).await;
    let outcome = until_status(&harness, refusing, DeliveryStatus::Failed).await;
    assert!(outcome.last_error.as_ref().unwrap().starts_with("could not connect"), "{outcome:?}");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_honoured() {
    let (harness, receiver) = (Harness::new().await, Receiver::start());
    receiver.reply([Reply::Header(429, "retry-after", "600".into())]);
    let pauses = WebhookConfig { retry_pauses_s: Pauses(vec![0, 3_600]), ..config(0) };
    let sweep = harness.sweep_with_webhooks("s", pauses);
    let id = cancelled(&harness, receiver.url("/")).await;
    let outcome = until(&harness, id, |delivery| delivery.last_status == Some(429)).await;
    assert_eq!(outcome.status, DeliveryStatus::Pending);
    let pause = outcome.next_attempt_at - outcome.created_at;
    assert!((600..700).contains(&pause.num_seconds()), "{pause}");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_has_a_time_limit() {
    let (harness, receiver) = (Harness::new().await, Receiver::start());
    receiver.reply([Reply::Hang]);
    let sweep = harness.sweep_with_webhooks("s", WebhookConfig { timeout_s: 1, ..config(0) });
    let id = cancelled(&harness, receiver.url("/")).await;
    let outcome = until_status(&harness, id, DeliveryStatus::Failed).await;
    assert_eq!((outcome.last_status, outcome.last_error.as_deref()), (None, Some("no answer within 1 s")));
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_does_not_delay_others() {
    let (harness, slow, quick) = (Harness::new().await, Receiver::start(), Receiver::start());
    slow.reply(vec![Reply::Hang; 10]);
    let slow_config = WebhookConfig { timeout_s: 600, concurrency: 4, ..config(0) };
    let sweep = harness.sweep_with_webhooks("s", slow_config);
    let waits = cancelled(&harness, slow.url("/")).await;
    for i in 0..9 {
        cancelled(&harness, slow.url(&format!("/{i}"))).await;
    }
    slow.wait_for(1).await;
    for _ in 0..5 {
        let id = cancelled(&harness, quick.url("/")).await;
        until_status(&harness, id, DeliveryStatus::Delivered).await;
    }
    let waits = delivery(&harness, waits).await;
    assert_eq!((waits.status, waits.attempts, waits.last_error), (DeliveryStatus::Pending, 1, None), "still active");
    assert_eq!(slow.received().len(), 1, "one of four attempts");
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_used_only_if_allowed() {
    let (harness, receiver) = (Harness::new().await, Receiver::start());
    let strict = WebhookConfig { allow_private_addresses: false, ..config(0) };
    let sweep = harness.sweep_with_webhooks("s", strict);
    // As if submitted while private addresses were allowed.
    for url in [receiver.url("/"), receiver.url("/").replace("http", "https"), "https://localhost/".into()] {
        let id = cancelled(&harness, url).await;
        let outcome = until_status(&harness, id, DeliveryStatus::Failed).await;
        assert!(outcome.last_error.unwrap().starts_with("webhook_url must"));
    }
    sweep.stop().await;
    assert!(receiver.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_deliveries_wait() {
    let (harness, receiver) = (Harness::new().await, Receiver::start());
    let id = cancelled(&harness, receiver.url("/")).await;
    let silent = harness.sweep_with("s", quick_sweep());
    // Webhooks come after the dispatch in a round, so the second dispatch proves that a whole round has passed.
    for sent in 1..=2 {
        harness.submit_named("demo").await;
        harness.until_enqueued(sent).await;
    }
    silent.stop().await;
    assert_eq!(delivery(&harness, id).await.attempts, 0);
    let sweep = harness.sweep_with_webhooks("s", config(0));
    until_status(&harness, id, DeliveryStatus::Delivered).await;
    sweep.stop().await;
}

/// Thirty webhooks to a port that refuses connections, retried at once, while `api` stores jobs. The process that sweeps
/// delivers them over the connections of `harness`.
async fn submissions_beside_failing_webhooks(harness: &Harness, api: &Db) {
    let refusing = format!("http://127.0.0.1:{}/", trainyard_testkit::free_port());
    for _ in 0..30 {
        cancelled(harness, refusing.clone()).await;
    }
    let sweep = harness.sweep_with_webhooks("s", config(10_000));
    let attempts = async || {
        let filter = DeliveryFilter::default();
        let all = api.read().await.unwrap().webhooks().list(filter, None, 100).await.unwrap();
        all.iter().map(|delivery| delivery.attempts).sum::<i64>()
    };
    let (began, mut slowest) = (Instant::now(), Duration::ZERO);
    while attempts().await < 500 {
        let submitted = Instant::now();
        harness.submit_to(api, harness.new_job("demo")).await;
        slowest = slowest.max(submitted.elapsed());
        assert!(began.elapsed() < Duration::from_secs(10), "{} attempts in {:?}", attempts().await, began.elapsed());
    }
    sweep.stop().await;
    assert!(slowest < Duration::from_millis(300), "a submission took {slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_do_not_wait_for_webhooks_on_sqlite() {
    let harness = Harness::new().await;
    submissions_beside_failing_webhooks(&harness, &harness.db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_do_not_wait_for_webhooks_on_few_connections_to_postgres() {
    for connections in 2..=4 {
        let harness = Harness::on_postgres(connections).await;
        submissions_beside_failing_webhooks(&harness, &harness.db).await;
    }
}

/// The worker process leads the sweep, on connections of its own, and has a run in each slot.
#[tokio::test(flavor = "multi_thread")]
async fn submissions_do_not_wait_for_webhooks_of_a_worker_with_two_connections() {
    let harness = Harness::on_postgres(2).await;
    let api = harness.connect(2).await;
    let config = WorkerConfig { concurrency: 2, grace_s: 0, ..harness.config() };
    let worker = harness.worker(&harness.script("hang", HANG), config);
    for _ in 0..2 {
        let job = harness.new_job("busy");
        let ready = ReadyJob { job: job.id, user: job.created_by, class: PriorityClass::Normal };
        let id = harness.submit(job).await;
        harness.queue.enqueue(&[ready], 10, EnqueueFrom::Sweep).await.unwrap();
        harness.until_status(id, JobStatus::Running).await;
    }
    submissions_beside_failing_webhooks(&harness, &api).await;
    worker.drain().await;
}
