//! What watchers are told, from the first look to the end, and after a break.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use trainyard_domain::params::Params;
use trainyard_domain::{Algorithm, DatasetId, DatasetName, JobSpec, LogLevel, LogLine, ModelName, UserId};

use super::*;

fn now() -> DateTime<Utc> {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn job() -> Job {
    let params = Params::parse(Algorithm::RandomForest, &serde_json::Map::new()).unwrap();
    let spec = JobSpec {
        name: ModelName::parse("demo").unwrap(),
        algorithm: Algorithm::RandomForest,
        features: vec!["sex".into()],
        dataset: DatasetName::parse("titanic").unwrap(),
        dataset_version: 1,
        target: "survived".into(),
        params: params.as_map().clone(),
        priority: 0,
        run_at: None,
        max_attempts: 3,
        timeout_s: 60,
        webhook_url: None,
        seed: 1,
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

/// The job with lines up to `seq`, each read in a piece of its own, of a log that has `all`.
fn sight(job: Job, seq: i64, all: i64) -> Sight {
    let line = |seq: i64| {
        let entry = LogEntry::Log { level: LogLevel::Info, message: format!("line {seq}") };
        Arc::from([NumberedLine { seq, line: LogLine { at: now(), entry } }])
    };
    Sight { job, at: now(), lines: (1..=seq).map(line).collect(), read_to: seq, is_whole: seq == all }
}

/// Events as `event id`, with what is worth knowing.
fn told(feed: &mut Feed, sight: &Sight) -> Vec<String> {
    let events = feed.next(sight).into_iter().map(|told| {
        let what = match told.event {
            "status" => told.data["status"].to_string(),
            "progress" => told.data["progress"].to_string(),
            _ => told.data["message"].to_string(),
        };
        format!("{} {} {}", told.id, told.event, what.trim_matches('"'))
    });
    events.collect()
}

#[test]
fn a_watcher_hears_everything_once_and_the_end_last() {
    let mut feed = Feed::from(None);
    assert_eq!(told(&mut feed, &sight(job(), 0, 0)), ["r1-l0 status queued"]);
    assert_eq!(told(&mut feed, &sight(job(), 0, 0)), Vec::<String>::new());
    assert_eq!(told(&mut feed, &sight(running(2, 0.0), 1, 1)), ["r2-l0 status running", "r2-l1 log line 1"]);
    assert_eq!(told(&mut feed, &sight(running(3, 0.5), 2, 2)), ["r3-l1 progress 0.5", "r3-l2 log line 2"]);
    // The end is seen before the rest of the log is read.
    let half = sight(succeeded(4), 3, 4);
    assert_eq!(told(&mut feed, &half), ["r3-l3 log line 3"]);
    assert!(!feed.is_over(&half));
    let whole = sight(succeeded(4), 4, 4);
    assert_eq!(told(&mut feed, &whole), ["r3-l4 log line 4", "r4-l4 status succeeded"]);
    assert!(feed.is_over(&whole));
}

#[test]
fn after_a_break_at_any_event_nothing_is_missing_or_repeated() {
    let sights =
        [sight(job(), 0, 0), sight(running(2, 0.1), 2, 2), sight(running(3, 0.5), 3, 3), sight(succeeded(4), 5, 5)];
    let mut unbroken = Feed::from(None);
    let all: Vec<Told> = sights.iter().flat_map(|sight| unbroken.next(sight)).collect();
    for (broken_at, last) in all.iter().enumerate() {
        let position = Position::parse(&last.id.to_string());
        assert_eq!(position, Some(last.id));
        let mut resumed = Feed::from(position);
        let rest: Vec<Told> = sights.iter().flat_map(|sight| resumed.next(sight)).collect();
        let ids = |told: &[Told]| told.iter().map(|told| told.id).collect::<Vec<_>>();
        assert_eq!(ids(&rest), ids(&all[broken_at + 1..]), "after {}", last.id);
        assert!(resumed.is_over(&sights[3]));
    }
}

#[test]
fn a_finished_job_is_told_in_whole_and_ends() {
    let mut feed = Feed::from(None);
    let end = sight(succeeded(9), 1, 1);
    assert_eq!(told(&mut feed, &end), ["r0-l1 log line 1", "r9-l1 status succeeded"]);
    assert!(feed.is_over(&end));
    assert!(Feed::from(Position::parse("r9-l1")).is_over(&end), "who has seen the end has nothing to come back for");
    assert!(!Feed::from(Position::parse("r9-l0")).is_over(&end));
}

#[test]
fn figures_and_estimates_are_told_as_such() {
    let mut feed = Feed::from(None);
    let running = sight(running(2, 0.5), 0, 0);
    let status = feed.next(&running).remove(0);
    assert_eq!((&status.data["phase"], &status.data["eta_s"]), (&json!("training"), &json!(3.0)));
    let entry = LogEntry::Metric { name: "oob_accuracy".into(), value: 0.8, step: Some(10) };
    let line = NumberedLine { seq: 5, line: LogLine { at: now(), entry } };
    let sight = Sight { lines: vec![Arc::from([line])], read_to: 5, ..running };
    let expected = json!({"at": "2026-01-31T12:00:00Z", "name": "oob_accuracy", "value": 0.8, "step": 10});
    let event = feed.next(&sight).remove(0);
    assert_eq!((event.event, event.data), ("metric", expected));
}

#[test]
fn other_ids_are_as_good_as_none() {
    for id in ["", "7", "r1", "r1-l", "r-1-l2", "rx-ly", "l1-r2", "r1-l2-l3"] {
        assert_eq!(Position::parse(id), None, "{id}");
    }
}
