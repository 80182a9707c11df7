//! Traces: from a client's `traceparent` to the first prediction, without delays for requests.

use std::time::Duration;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use trainyard_testkit::{Answer, Client, ReceivedSpan, Receiver, Reply, Stack, System, eventually, free_port, unique};

use crate::support::{BINARY, quick_job, send_signal, shared, training_process};

const LIMIT: Duration = Duration::from_secs(60);
const SENT: &str = "00f067aa0ba902b7";

/// A trace id that no other test uses.
fn new_trace() -> String {
    unique("").trim_start_matches('-').repeat(4)[..32].to_owned()
}

async fn system(stack: Stack, endpoint: String) -> System {
    tokio::task::spawn_blocking(move || {
        let settings = &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
        System::start_with(BINARY, stack, 1, settings)
    })
    .await
    .unwrap()
}

/// Whether a process has the thread that exports spans.
fn has_export_thread(system: &System, role: usize) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", system.pid(role))).unwrap().flatten();
    let mut names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.any(|name| name == "traces\n")
}

/// Submits a job with the given `traceparent`, if any.
async fn submit_in(trace: &str, flags: &str, client: &Client, body: &Value) -> Answer {
    let request = client.request(Method::POST, "/training").header("traceparent", format!("00-{trace}-{SENT}-{flags}"));
    client.send(request.json(body)).await
}

/// The only span with this name.
fn only<'s>(spans: &'s [ReceivedSpan], name: &str) -> &'s ReceivedSpan {
    let mut found = spans.iter().filter(|span| span.name == name);
    match (found.next(), found.next()) {
        (Some(span), None) => span,
        _ => panic!("not one {name} in {spans:#?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_covers_submission_run_and_first_prediction() {
    let collector = Receiver::start();
    let system = system(Stack::Distributed, collector.url("")).await;
    let admin = system.client().admin().await;
    let (name, trace) = (unique("traced"), new_trace());
    let body = json!({
        "name": name, "algorithm": "random_forest", "features": ["*"], "params": {"n_trees": 500}
    });
    let answer = submit_in(&trace, "01", &admin, &body).await;
    let request_id = answer.header("x-request-id").to_owned();
    let job = answer.expect(202)["job_id"].as_str().unwrap().to_owned();
    let pid = eventually("it trains", LIMIT, async || training_process(&job)).await;
    send_signal(pid, Signal::KILL);
    assert_eq!(admin.finished(&job).await["status"], "succeeded");
    let row = json!({"model": name, "features": {"sex": "female", "age": 29, "pclass": 1}});
    admin.served(row.clone(), &json!(1)).await;
    admin.infer(row).await.expect(200);

    let of_trace = || collector.spans().into_iter().filter(|span| span.trace == trace).collect::<Vec<_>>();
    let spans = eventually("the first prediction is in the trace", LIMIT, async || {
        Some(of_trace()).filter(|spans| spans.iter().any(|span| span.name == "inference.predict"))
    })
    .await;

    let runs: Vec<_> = spans.iter().filter(|span| span.name == "job.train").collect();
    let (killed, run) = match runs.as_slice() {
        [a, b] if a.time < b.time => (a, b),
        [a, b] => (b, a),
        _ => panic!("not two attempts in {spans:#?}"),
    };
    let below = |parent: &ReceivedSpan, name: &str| {
        let found = spans.iter().find(|span| span.name == name && span.parent == parent.id);
        found.unwrap_or_else(|| panic!("no {name} below {parent:#?} in {spans:#?}")).clone()
    };
    let request = only(&spans, "POST /training");
    assert_eq!((request.parent.as_str(), request.service()), (SENT, "trainyard-api"));
    assert_eq!(
        (request.attribute("http.response.status_code"), request.attribute("request.id")),
        ("202", &*request_id)
    );
    let submit = below(request, "api.training.submit");
    assert_eq!(submit.attribute("job.id"), job);
    assert_eq!(below(&submit, "queue.offer").service(), "trainyard-api");
    for (run, attempt) in [(killed, "1"), (run, "2")] {
        assert_eq!((&run.parent, run.service()), (&submit.id, "trainyard-worker"));
        assert_eq!((run.attribute("job.id"), run.attribute("job.attempt")), (&*job, attempt));
        below(run, "db.jobs.claim");
        below(run, "job.fetch");
    }
    assert_eq!(killed.failure.as_deref(), Some("crashed"));
    assert_eq!(below(killed, "job.train_task").failure.as_deref(), Some("crashed"));
    let child = below(run, "job.train_task");
    let phases: Vec<_> = spans.iter().filter(|span| span.parent == child.id).collect();
    assert!(phases.len() > 1 && phases.iter().all(|phase| phase.name.starts_with("train_task.")), "{phases:#?}");
    assert!(phases.iter().all(|phase| phase.time.0 >= child.time.0 && phase.time.1 <= child.time.1), "{phases:#?}");
    let publish = below(run, "job.publish");
    let load = below(&publish, "inference.load");
    let predict = below(&load, "inference.predict");
    assert_eq!((load.service(), predict.service()), ("trainyard-inference", "trainyard-inference"));
    assert_eq!((predict.attribute("first"), predict.attribute("model.version")), ("true", "1"));
    assert_eq!(run.failure, None);

    let (linked, request_of) = &predict.links[0];
    eventually("the request it points at is there too", LIMIT, async || {
        collector.spans().into_iter().find(|span| &span.trace == linked && &span.id == request_of)
    })
    .await;
    eventually("the second prediction belongs to its request alone", LIMIT, async || {
        collector
            .spans()
            .into_iter()
            .find(|span| span.name == "inference.predict" && span.attribute("first") == "false")
    })
    .await;
    assert_eq!(of_trace().iter().filter(|span| span.name == "inference.predict").count(), 1);
    for service in ["trainyard-api", "trainyard-worker", "trainyard-inference"] {
        let span = spans.iter().find(|span| span.service() == service).unwrap();
        assert!(!span.resource["service.instance.id"].is_empty() && !span.resource["service.version"].is_empty());
    }

    let lines = |role: usize| {
        let log = system.log(role);
        log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).collect::<Vec<_>>()
    };
    let answered = eventually("the access log has the submission", LIMIT, async || {
        lines(0).into_iter().find(|line| line["job_id"] == *job && line["message"] == "request completed")
    })
    .await;
    let worker = lines(system.workers()[0]);
    let of_job: Vec<_> = worker.iter().filter(|line| line["job_id"] == *job).collect();
    assert!(of_job.iter().any(|line| line["attempt"] == 2) && of_job.len() > 3, "{of_job:#?}");
    for line in of_job.into_iter().chain([&answered]) {
        assert_eq!((&line["trace_id"], &line["request_id"]), (&json!(trace), &json!(request_id)), "{line}");
        assert!(line["user_id"].is_string(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsampled_trace_is_not_exported() {
    let collector = Receiver::start();
    let system = system(Stack::Embedded, collector.url("")).await;
    let admin = system.client().admin().await;
    assert!(has_export_thread(&system, 0));
    let (hidden, shown) = (new_trace(), new_trace());
    for (trace, flags) in [(&hidden, "00"), (&shown, "01")] {
        let answer = submit_in(trace, flags, &admin, &quick_job(&unique("flags"))).await.expect(202);
        admin.finished(answer["job_id"].as_str().unwrap()).await;
    }
    eventually("the other one's trace is there", LIMIT, async || {
        collector.spans().into_iter().find(|span| span.trace == shown && span.name == "job.train")
    })
    .await;
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace != hidden && span.service() == "trainyard-up"), "{spans:#?}");
    assert!(system.log(0).lines().any(|line| line.contains(&hidden) && line.contains("succeeded")), "the log knows it");
}

#[tokio::test(flavor = "multi_thread")]
async fn tracing_is_off_without_a_collector() {
    let system = shared(Stack::Distributed);
    for role in ["api", "worker", "inference"] {
        assert!(!has_export_thread(system, system.roles(role)[0]), "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_or_refusing_collector_loses_only_spans() {
    let hanging = Receiver::start();
    hanging.reply(std::iter::repeat_n(Reply::Hang, 100));
    let failing = Receiver::start();
    failing.reply(std::iter::repeat_n(Reply::Status(500), 1_000));
    let away = format!("http://127.0.0.1:{}", free_port());
    for (endpoint, reason) in [(hanging.url(""), ""), (failing.url(""), "export_failed"), (away, "export_failed")] {
        let mut system = system(Stack::Embedded, endpoint.clone()).await;
        let admin = system.client().admin().await;
        let name = unique("lost");
        let answer = submit_in(&new_trace(), "01", &admin, &quick_job(&name)).await.expect(202);
        assert_eq!(admin.finished(answer["job_id"].as_str().unwrap()).await["status"], "succeeded", "{endpoint}");
        let row = json!({"model": name, "features": {"sex": "male", "age": 30, "pclass": 3}});
        admin.served(row, &json!(1)).await;
        if !reason.is_empty() {
            let counted = format!("trainyard_traces_spans_dropped_total{{reason=\"{reason}\"}}");
            eventually("lost spans are counted", LIMIT, async || {
                let metrics = admin.get("/metrics").await.expect(200);
                metrics.as_str().unwrap().contains(&counted).then_some(())
            })
            .await;
        }
        let ended = tokio::task::spawn_blocking(move || system.terminate(0)).await.unwrap();
        assert!(ended.success(), "{endpoint}: {ended}");
    }
}
