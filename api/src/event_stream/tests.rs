//! The events of a stream from the first observation to the end, and after a reconnect.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use trainyard_domain::params::Params;
use trainyard_domain::spec::LearningOptions;
use trainyard_domain::{
    Algorithm, DatasetId, DatasetName, JobSpec, LogLevel, LogLine, ModelName, Training, UserId, Work,
};

use super::*;

fn now() -> DateTime<Utc> {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn job() -> Job {
    let params = Params::parse(Algorithm::RandomForest, &serde_json::Map::new()).unwrap();
    let spec = JobSpec {
        name: ModelName::parse("demo").unwrap(),
        dataset: DatasetName::parse("titanic").unwrap(),
        dataset_version: 1,
        priority: 0,
        run_at: None,
        max_attempts: 3,
        timeout_s: 60,
        webhook_url: None,
        work: Work::Training(Training {
            algorithm: Algorithm::RandomForest,
            features: vec!["sex".into()],
            target: "survived".into(),
            params: params.as_map().clone(),
            learning: LearningOptions::default(),
            warnings: vec![],
            auto_promote: None,
            seed: 1,
        }),
    };
    Job::submitted(spec, DatasetId::at(now()), UserId::at(now()), None, now())
}

fn running(revision: i64, progress: f64) -> Job {
    Job {
        status: JobStatus::Running,
        started_at: Some(now() - TimeDelta::seconds(3)),
        phase: Some("training".into()),
        progress,
        revision,
        ..job()
    }
}

fn succeeded(revision: i64) -> Job {
    Job { status: JobStatus::Succeeded, model_version: Some(2), progress: 1.0, revision, ..job() }
}

/// A job with the log lines up to `seq` of `all`, each read by a poll of its own.
fn watched(job: Job, seq: i64, all: i64) -> WatchedJob {
    let line = |seq: i64| {
        let entry = LogEntry::Log { level: LogLevel::Info, message: format!("line {seq}") };
        Arc::from([NumberedLine { seq, line: LogLine { at: now(), entry } }])
    };
    WatchedJob { job, at: now(), log: (1..=seq).map(line).collect(), last_seq: seq, log_complete: seq == all }
}

/// The next events as `id name value`.
fn next(stream: &mut EventStream, watched: &WatchedJob) -> Vec<String> {
    let events = stream.next_events(watched).into_iter().map(|event| {
        let field = match event.name {
            "status" => "status",
            "progress" => "progress",
            _ => "message",
        };
        format!("{} {} {}", event.id, event.name, event.data[field].to_string().trim_matches('"'))
    });
    events.collect()
}

#[test]
fn every_change_is_sent_once_and_the_final_status_last() {
    let mut stream = EventStream::resume(None);
    assert_eq!(next(&mut stream, &watched(job(), 0, 0)), ["r1-l0 status queued"]);
    assert_eq!(next(&mut stream, &watched(job(), 0, 0)), Vec::<String>::new());
    assert_eq!(next(&mut stream, &watched(running(2, 0.0), 1, 1)), ["r2-l0 status running", "r2-l1 log line 1"]);
    assert_eq!(next(&mut stream, &watched(running(3, 0.5), 2, 2)), ["r3-l1 progress 0.5", "r3-l2 log line 2"]);
    // The final status is known before the log is complete.
    let partial = watched(succeeded(4), 3, 4);
    assert_eq!(next(&mut stream, &partial), ["r3-l3 log line 3"]);
    assert!(!stream.is_over(&partial));
    let complete = watched(succeeded(4), 4, 4);
    assert_eq!(next(&mut stream, &complete), ["r3-l4 log line 4", "r4-l4 status succeeded"]);
    assert!(stream.is_over(&complete));
}

#[test]
fn a_client_that_reconnects_after_any_event_misses_and_repeats_nothing() {
    let observations = [
        watched(job(), 0, 0),
        watched(running(2, 0.1), 2, 2),
        watched(running(3, 0.5), 3, 3),
        watched(succeeded(4), 5, 5),
    ];
    let mut unbroken = EventStream::resume(None);
    let all: Vec<StreamEvent> = observations.iter().flat_map(|watched| unbroken.next_events(watched)).collect();
    for (disconnected_at, last) in all.iter().enumerate() {
        let position = EventId::parse(&last.id.to_string());
        assert_eq!(position, Some(last.id));
        let mut resumed = EventStream::resume(position);
        let rest: Vec<StreamEvent> = observations.iter().flat_map(|watched| resumed.next_events(watched)).collect();
        let ids = |events: &[StreamEvent]| events.iter().map(|event| event.id).collect::<Vec<_>>();
        assert_eq!(ids(&rest), ids(&all[disconnected_at + 1..]), "after {}", last.id);
        assert!(resumed.is_over(&observations[3]));
    }
}

#[test]
fn the_stream_of_a_finished_job_sends_its_log_and_ends() {
    let mut stream = EventStream::resume(None);
    let end = watched(succeeded(9), 1, 1);
    assert_eq!(next(&mut stream, &end), ["r0-l1 log line 1", "r9-l1 status succeeded"]);
    assert!(stream.is_over(&end));
    assert!(
        EventStream::resume(EventId::parse("r9-l1")).is_over(&end),
        "a client with the final status needs no reconnect"
    );
    assert!(!EventStream::resume(EventId::parse("r9-l0")).is_over(&end));
}

#[test]
fn metrics_and_estimates_are_sent_as_numbers() {
    let mut stream = EventStream::resume(None);
    let running = watched(running(2, 0.5), 0, 0);
    let status = stream.next_events(&running).remove(0);
    assert_eq!((&status.data["phase"], &status.data["eta_s"]), (&json!("training"), &json!(3.0)));
    let entry = LogEntry::Metric { name: "oob_accuracy".into(), value: 0.8, step: Some(10) };
    let line = NumberedLine { seq: 5, line: LogLine { at: now(), entry } };
    let watched = WatchedJob { log: vec![Arc::from([line])], last_seq: 5, ..running };
    let expected = json!({"at": "2026-01-31T12:00:00Z", "name": "oob_accuracy", "value": 0.8, "step": 10});
    let event = stream.next_events(&watched).remove(0);
    assert_eq!((event.name, event.data), ("metric", expected));
}

#[test]
fn an_id_of_another_form_is_ignored() {
    for id in ["", "7", "r1", "r1-l", "r-1-l2", "rx-ly", "l1-r2", "r1-l2-l3"] {
        assert_eq!(EventId::parse(id), None, "{id}");
    }
}
