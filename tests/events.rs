//! Event streams: order, final status, reconnects and many clients.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use trainyard_testkit::{Client, Event, Stack, System, eventually, unique};

use crate::support::{BINARY, api_metric, long_job, on_both_stacks, quick_job};

on_both_stacks!(
    a_stream_follows_a_job_to_its_final_status,
    a_stream_resumes_after_the_last_event_id,
    two_hundred_streams_of_one_job_do_not_slow_the_api_down,
    streams_of_unreadable_jobs_are_refused,
);

/// A job that stays queued.
fn distant_job() -> Value {
    let mut job = quick_job(&unique("events"));
    job["run_at"] = json!("2999-01-01T00:00:00Z");
    job
}

/// A job that runs for some seconds.
fn watched_job() -> Value {
    json!({"name": unique("events"), "algorithm": "random_forest", "features": ["*"], "params": {"n_trees": 2000}})
}

fn of<'a>(events: &'a [Event], kind: &str) -> Vec<&'a Event> {
    events.iter().filter(|event| event.event == kind).collect()
}

async fn a_stream_follows_a_job_to_its_final_status(system: &System) {
    let admin = system.client().admin().await;
    let id = admin.submit(long_job(&admin, &unique("events"), 1_000).await).await;
    let mut stream = admin.events(&id, None).await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert_eq!((stream.header("cache-control"), stream.header("x-accel-buffering")), ("no-store", "no"));
    let events = stream.rest().await;

    let first = &events[0];
    assert_eq!(
        (first.event.as_str(), &first.data["job_id"], &first.data["attempt"]),
        ("status", &json!(id), &json!(1))
    );
    let last = events.last().unwrap();
    assert_eq!((last.event.as_str(), &last.data["status"]), ("status", &json!("succeeded")), "{last:?}");
    assert_eq!((&last.data["model"]["version"], &last.data["progress"]), (&json!(1), &json!(1.0)));
    let statuses: Vec<_> = of(&events, "status").iter().map(|event| event.data["status"].clone()).collect();
    assert!(statuses.ends_with(&[json!("running"), json!("succeeded")]), "{statuses:?}");

    assert!(!of(&events, "progress").is_empty(), "{events:?}");
    let updates: Vec<_> = events.iter().filter(|event| event.data["progress"].is_f64()).collect();
    let progress: Vec<_> = updates.iter().map(|event| event.data["progress"].as_f64().unwrap()).collect();
    assert!(progress.len() > 3 && progress.is_sorted(), "{progress:?}");
    assert!(
        updates.iter().any(|event| event.data["phase"] == "training" && event.data["eta_s"].is_number()),
        "{updates:?}"
    );
    let lines: Vec<_> = of(&events, "log").iter().map(|event| event.data["message"].as_str().unwrap()).collect();
    for expected in ["attempt 1 runs on worker", "read 20000 rows", "training took", "publishing the model"] {
        assert_eq!(lines.iter().filter(|line| line.starts_with(expected)).count(), 1, "{expected:?} in {lines:?}");
    }
    let curve: Vec<_> = of(&events, "metric").into_iter().filter(|event| event.data["step"].is_u64()).collect();
    assert!(curve.len() > 5 && curve.iter().all(|event| event.data["name"] == "oob_accuracy"), "{curve:?}");
    let view = admin.get(&format!("/training/{id}")).await.expect(200);
    let accuracy = of(&events, "metric").into_iter().find(|event| event.data["name"] == "accuracy").unwrap();
    assert_eq!(accuracy.data["value"], view["metrics"]["accuracy"]);
}

async fn a_stream_resumes_after_the_last_event_id(system: &System) {
    let admin = system.client().admin().await;
    let id = admin.trained(quick_job(&unique("resumed"))).await["job_id"].as_str().unwrap().to_owned();
    let all = admin.events(&id, None).await.rest().await;
    assert_eq!(all.last().unwrap().data["status"], "succeeded", "the stream of a finished job has all events and ends");
    for seen in [0, all.len() / 2, all.len() - 2] {
        let rest = admin.events(&id, Some(&all[seen].id)).await.rest().await;
        assert_eq!(rest, all[seen + 1..], "after {}", all[seen].id);
    }
    let path = format!("/training/{id}/events");
    let over = admin.request(Method::GET, &path).header("last-event-id", &all.last().unwrap().id);
    assert_eq!(admin.send(over).await.status, 204, "a client with the final status needs no reconnect");
    assert_eq!(
        admin.events(&id, Some("tomorrow")).await.rest().await,
        all,
        "an id of another form starts from the beginning"
    );

    // Without following, the stream ends after the current state.
    let waiting = admin.submit(distant_job()).await;
    let text = admin.get(&format!("/training/{waiting}/events?follow=false")).await.expect(200);
    assert!(text.as_str().unwrap().contains("\"status\":\"queued\""), "{text}");
    admin.post(&format!("/training/{waiting}/cancel"), Value::Null).await.expect(202);
}

async fn two_hundred_streams_of_one_job_do_not_slow_the_api_down(system: &System) {
    let admin = system.client().admin().await;
    let id = admin.submit(distant_job()).await;
    let mut streams = join_all((0..200).map(|_| admin.events(&id, None))).await;
    for first in join_all(streams.iter_mut().map(|stream| stream.next())).await {
        assert_eq!(first.unwrap().data["status"], "queued");
    }
    let open = api_metric(&admin, "trainyard_api_event_streams").await;
    assert!(open >= 200, "{open}");
    let asked = Instant::now();
    admin.get(&format!("/training/{id}")).await.expect(200);
    assert!(asked.elapsed() < Duration::from_secs(5), "took {:?}", asked.elapsed());
    admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
    for rest in join_all(streams.iter_mut().map(|stream| stream.rest())).await {
        assert_eq!(rest.last().unwrap().data["status"], "cancelled", "{rest:?}");
    }
}

async fn streams_of_unreadable_jobs_are_refused(system: &System) {
    let admin = system.client().admin().await;
    admin.get("/training/00000000-0000-7000-8000-000000000000/events").await.problem(404);
    admin.get("/training/nonsense/events").await.problem(404);
    let id = admin.submit(distant_job()).await;
    let path = format!("/training/{id}/events");
    system.client().get(&path).await.problem(401);
    admin.get(&format!("{path}?folow=true")).await.refused(&["folow"]);
    let user = system.client().user().await;
    user.get(&path).await.problem(403);
    admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
}

/// Follows a job with reconnects, as a browser does; returns the events and the number of reconnects.
async fn follow(client: &Client, id: &str) -> (Vec<Event>, usize) {
    let (mut events, mut breaks) = (Vec::<Event>::new(), 0);
    loop {
        let last_id = events.last().map(|event| event.id.clone());
        let path = format!("/training/{id}/events");
        let open = async || {
            let request = client.request(Method::GET, &path);
            let request = last_id.iter().fold(request, |request, id| request.header("last-event-id", id));
            request.send().await.ok().filter(|response| response.status() == 200)
        };
        drop(eventually("the API takes watchers", Duration::from_secs(60), open).await);
        let mut stream = client.events(id, last_id.as_deref()).await;
        events.extend(stream.rest().await);
        let last = &events.last().unwrap().data;
        if matches!(last["status"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
            return (events, breaks);
        }
        assert!(stream.has_retry, "a stream that ends early sends retry: {events:?}");
        breaks += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_follows_a_job_over_a_restart_of_the_api() {
    let start = || System::start_with(BINARY, Stack::Distributed, 1, &[]);
    let mut system = tokio::task::spawn_blocking(start).await.unwrap();
    let admin = system.client().admin().await;
    let id = admin.submit(watched_job()).await;
    let restart = async {
        let mut beside = admin.events(&id, None).await;
        while beside.next().await.unwrap().event != "metric" {}
        tokio::task::spawn_blocking(move || {
            assert_eq!(system.terminate(0).code(), Some(0), "open streams do not delay the stop");
            system.resume(0);
            system.wait_ready(0);
            system
        })
        .await
        .unwrap()
    };
    let ((events, breaks), system) = tokio::join!(follow(&admin, &id), restart);
    assert_eq!(breaks, 1);
    assert_eq!(events.last().unwrap().data["status"], "succeeded");
    let lines = |events: &[Event]| -> Vec<Value> {
        events
            .iter()
            .filter(|event| matches!(event.event.as_str(), "log" | "metric"))
            .map(|event| event.data.clone())
            .collect()
    };
    let unbroken = admin.events(&id, None).await.rest().await;
    assert_eq!(lines(&events), lines(&unbroken), "no event is lost or repeated");
    drop(system);
}
