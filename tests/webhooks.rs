//! Webhook deliveries, at the receiver and in the API.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trainyard_testkit::{Client, Receiver, Reply, Stack, System, WEBHOOK_SECRET, eventually, unique};

use crate::support::{BINARY, later_job, on_both_stacks, quick_job};

on_both_stacks!(a_webhook_url_with_a_private_address_is_refused,);

const ALLOW: (&str, &str) = ("TRAINYARD__WEBHOOKS__ALLOW_PRIVATE_ADDRESSES", "true");

async fn own(stack: Stack, settings: &'static [(&str, &str)]) -> System {
    tokio::task::spawn_blocking(move || System::start_with(BINARY, stack, 1, settings)).await.unwrap()
}

fn webhook_job(name: &str, receiver: &Receiver) -> Value {
    let mut job = quick_job(name);
    job["webhook_url"] = json!(receiver.url("/hook"));
    job
}

async fn deliveries(client: &Client, filter: &str) -> Vec<Value> {
    client.get(&format!("/webhooks/deliveries?{filter}")).await.expect(200)["items"].as_array().unwrap().clone()
}

/// The only delivery of a job, after it succeeded.
async fn delivered(client: &Client, job: &str) -> Value {
    eventually("the webhook is delivered", Duration::from_secs(120), async || {
        let found = deliveries(client, &format!("job_id={job}&status=delivered")).await;
        assert!(found.len() <= 1, "{found:?}");
        found.into_iter().next()
    })
    .await
}

async fn a_webhook_url_with_a_private_address_is_refused(system: &System) {
    let admin = system.client().admin().await;
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost:8080/x",
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
        "https://user@example.com/",
        "ftp://example.com/",
        "hook",
    ] {
        let mut job = quick_job("webhook-refused");
        job["webhook_url"] = json!(url);
        admin.post("/training", job).await.refused(&["webhook_url"]);
    }
    assert!(admin.get("/training?name=webhook-refused").await.expect(200)["items"].as_array().unwrap().is_empty());
    admin.get("/webhooks/deliveries?status=sent&job_id=x").await.refused(&["status", "job_id"]);
    admin.get("/webhooks/deliveries/0").await.problem(404);
    admin.post(&format!("/webhooks/deliveries/{}/replay", uuid::Uuid::now_v7()), Value::Null).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_job_sends_a_webhook_that_can_be_replayed() {
    // `trainyard up` generates its signing secret; the distributed system is configured with one.
    for (stack, settings) in
        [(Stack::Embedded, &[ALLOW, ("TRAINYARD__WEBHOOKS__SECRET", "")][..]), (Stack::Distributed, &[ALLOW][..])]
    {
        let (system, receiver) = (own(stack, settings).await, Receiver::start());
        let secret = match stack {
            Stack::Embedded => std::fs::read_to_string(system.folder().join("data/webhook_secret")).unwrap(),
            Stack::Distributed => WEBHOOK_SECRET.to_owned(),
        };
        let admin = system.client().admin().await;
        let name = unique("webhook");
        let job = admin.trained(webhook_job(&name, &receiver)).await["job_id"].as_str().unwrap().to_owned();
        let delivery = delivered(&admin, &job).await;
        let [request] = &receiver.received()[..] else { panic!("{:?}", receiver.received()) };
        let body = request.verified(&secret);
        assert_eq!(body["type"], "training.succeeded");
        assert_eq!(body["data"]["model"], json!({"name": name, "version": 1}));
        assert_eq!((&body["data"]["job_id"], &body), (&json!(job), &delivery["payload"]));
        assert_eq!(delivery["id"], request.header("webhook-id"));
        assert_eq!((&delivery["attempts"], &delivery["last_status"]), (&json!(1), &json!(204)));
        assert_eq!(delivery["next_attempt_at"], Value::Null);

        let path = format!("/webhooks/deliveries/{}", delivery["id"].as_str().unwrap());
        let user = admin.user().await;
        assert_eq!(admin.get(&path).await.expect(200), delivery);
        user.get(&path).await.problem(403);
        user.post(&format!("{path}/replay"), Value::Null).await.problem(403);
        assert_eq!(admin.post(&format!("{path}/replay"), Value::Null).await.expect(202)["status"], "pending");
        let received = receiver.wait_for(2).await;
        assert_eq!(received[1].header("webhook-id"), received[0].header("webhook-id"));
        assert_eq!(received[1].verified(&secret), body);
        delivered(&admin, &job).await;
        let trail = admin.get("/admin/audit").await.expect(200);
        assert!(trail.to_string().contains("webhook.replay"), "{trail}");

        // A job that never ran sends a webhook as well.
        let mut later = webhook_job(&name, &receiver);
        later["run_at"] = json!("2999-01-01T00:00:00Z");
        let id = admin.submit(later).await;
        admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
        delivered(&admin, &id).await;
        let last = receiver.received().pop().unwrap().verified(&secret);
        assert_eq!((&last["type"], &last["data"]["job_id"]), (&json!("training.cancelled"), &json!(id)));
        assert_eq!(receiver.received().len(), 3, "each event once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_loses_no_webhook() {
    const SETTINGS: &[(&str, &str)] =
        &[ALLOW, ("TRAINYARD__WEBHOOKS__TIMEOUT_S", "2"), ("TRAINYARD__SWEEP__LEASE_S", "2")];
    for stack in [Stack::Embedded, Stack::Distributed] {
        let (mut system, receiver) = (own(stack, SETTINGS).await, Receiver::start());
        let admin = system.client().admin().await;
        receiver.reply([Reply::Hang]);
        let job = admin.trained(webhook_job(&unique("killed"), &receiver)).await["job_id"].as_str().unwrap().to_owned();
        receiver.wait_for(1).await;
        let leads = |role: usize| system.log(role).contains("this process leads the sweep");
        let leader = (0..system.urls().len()).find(|role| leads(*role)).expect("a process is the sweep leader");
        system.kill(leader);
        system.resume(leader);
        let system = tokio::task::spawn_blocking(move || {
            system.wait_ready(leader);
            system
        })
        .await
        .unwrap();
        let delivery = delivered(&admin, &job).await;
        let received = receiver.received();
        let ids: HashSet<_> = received.iter().map(|request| request.header("webhook-id")).collect();
        assert_eq!(ids, HashSet::from([delivery["id"].as_str().unwrap()]), "all attempts have the id of one delivery");
        assert!(received.len() >= 2);
        received.last().unwrap().verified(WEBHOOK_SECRET);
        drop(system);
    }
}

/// Who leads the sweep, and so delivers webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leader {
    /// The process of the embedded stack.
    Up,
    Api,
    Worker,
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_webhooks_slow_neither_submissions_nor_each_other() {
    const RETRIES: &str = "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0";
    const SETTINGS: &[(&str, &str)] = &[
        ALLOW,
        ("TRAINYARD__DATABASE__MAX_CONNECTIONS", "2"),
        ("TRAINYARD__WEBHOOKS__RETRY_PAUSES_S", RETRIES),
        ("TRAINYARD__SWEEP__LEASE_S", "2"),
    ];
    for leader in [Leader::Up, Leader::Api, Leader::Worker] {
        let stack = if leader == Leader::Up { Stack::Embedded } else { Stack::Distributed };
        let system = led_by(leader, own(stack, SETTINGS).await).await;
        let admin = system.client().admin().await;
        let refuses = format!("http://127.0.0.1:{}/", trainyard_testkit::free_port());
        for _ in 0..30 {
            let mut job = later_job("cancelled");
            job["webhook_url"] = json!(refuses);
            let id = admin.submit(job).await;
            admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
        }
        let (began, mut every, mut slowest) =
            (Instant::now(), tokio::time::interval(Duration::from_millis(300)), Duration::ZERO);
        loop {
            every.tick().await;
            let submitted = Instant::now();
            admin.submit(later_job("beside")).await;
            slowest = slowest.max(submitted.elapsed());
            let all = deliveries(&admin, "limit=100").await;
            let attempts: i64 = all.iter().map(|delivery| delivery["attempts"].as_i64().unwrap()).sum();
            if attempts >= 600 {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(12), "{leader:?}: {attempts} attempts");
        }
        assert!(slowest < Duration::from_millis(300), "{leader:?}: a submission took {slowest:?}");
    }
}

/// Restarts the process that leads, where it is not the wanted one, so that another takes over.
async fn led_by(leader: Leader, mut system: System) -> System {
    let role = match leader {
        Leader::Up | Leader::Api => 0,
        Leader::Worker => system.workers()[0],
    };
    let leads = |system: &System, role: usize| system.log(role).contains("this process leads the sweep");
    let other = if role == 0 { system.urls().len() - 1 } else { 0 };
    let first = eventually("a process leads the sweep", Duration::from_secs(30), async || {
        [role, other].into_iter().find(|role| leads(&system, *role))
    })
    .await;
    if first == role {
        return system;
    }
    tokio::task::block_in_place(|| system.terminate(first));
    eventually("the other process leads the sweep", Duration::from_secs(30), async || {
        leads(&system, role).then_some(())
    })
    .await;
    system.resume(first);
    tokio::task::block_in_place(|| system.wait_ready(first));
    system
}
