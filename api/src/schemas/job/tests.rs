//! The fields of a job in each status.

use chrono::Duration;
use serde_json::{Map, json};
use trainyard_domain::{Algorithm, DatasetId, DatasetName, FailureCode, JobError, JobSpec, ModelName, UserId};

use super::*;

fn job(status: JobStatus) -> Job {
    let at = DateTime::UNIX_EPOCH;
    let spec = JobSpec {
        name: ModelName::parse("m").unwrap(),
        algorithm: Algorithm::RandomForest,
        features: vec!["sex".into()],
        dataset: DatasetName::parse("titanic").unwrap(),
        dataset_version: 1,
        target: "survived".into(),
        params: Map::new(),
        learning: trainyard_domain::spec::LearningOptions::default(),
        warnings: vec![],
        priority: 0,
        run_at: None,
        auto_promote: None,
        max_attempts: 3,
        timeout_s: 60,
        webhook_url: None,
        seed: 42,
    };
    Job { status, ..Job::submitted(spec, DatasetId::at(at), UserId::at(at), None, at) }
}

fn json_of(job: Job) -> Value {
    serde_json::to_value(JobView::new(job, Some(4), DateTime::UNIX_EPOCH + Duration::seconds(10))).unwrap()
}

#[test]
fn a_queued_job_has_a_queue_position_and_null_for_fields_of_runs() {
    let view = json_of(job(JobStatus::Queued));
    assert_eq!(view["queue_position"], 4);
    for key in ["phase", "started_at", "finished_at", "duration_s", "worker"] {
        assert_eq!(view.get(key), Some(&Value::Null), "{key}");
    }
    for key in ["eta_s", "metrics", "model", "error"] {
        assert_eq!(view.get(key), None, "{key}");
    }
    assert_eq!(view["spec"]["webhook_url"], Value::Null);
    assert_eq!(view["spec"]["seed"], 42);
}

#[test]
fn a_running_job_has_an_estimate() {
    let view = json_of(Job { progress: 0.25, started_at: Some(DateTime::UNIX_EPOCH), ..job(JobStatus::Running) });
    assert_eq!((view["eta_s"].as_f64(), view["duration_s"].as_f64()), (Some(30.0), Some(10.0)));
    assert_eq!(view.get("queue_position"), None);
}

#[test]
fn a_succeeded_job_has_its_version_and_no_earlier_error() {
    let error = Some(JobError::new(FailureCode::Crashed, "once"));
    let view =
        json_of(Job { model_version: Some(3), metrics: Some(json!({"f1": 1.0})), error, ..job(JobStatus::Succeeded) });
    assert_eq!(view["model"], json!({"name": "m", "version": 3}));
    assert_eq!(view["metrics"]["f1"], 1.0);
    assert_eq!(view.get("error"), None);
}

#[test]
fn a_failed_job_has_an_error() {
    let view = json_of(Job { error: Some(JobError::new(FailureCode::BadData, "one class")), ..job(JobStatus::Failed) });
    assert_eq!(view["error"], json!({"code": "bad_data", "message": "one class", "retryable": false}));
    assert_eq!(view.get("metrics"), None);
    let error = JobError::new(FailureCode::Panicked, "panic").with_log_tail(Some("reading\npanicked: x".into()));
    let view = json_of(Job { error: Some(error), ..job(JobStatus::Failed) });
    assert_eq!(view["error"]["log_tail"], "reading\npanicked: x");
}
