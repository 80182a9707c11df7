//! The fields of a job in each status.

use chrono::Duration;
use serde_json::{Map, json};
use trainyard_domain::spec::{LearningOptions, OutputColumns, OutputFormat};
use trainyard_domain::{
    Algorithm, DatasetId, DatasetName, FailureCode, JobError, JobSpec, ModelName, Prediction, Training, UserId, Work,
};

use super::*;

fn job(status: JobStatus) -> Job {
    let at = DateTime::UNIX_EPOCH;
    let spec = JobSpec {
        name: ModelName::parse("m").unwrap(),
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
            params: Map::new(),
            learning: LearningOptions::default(),
            warnings: vec![],
            auto_promote: None,
            seed: 42,
        }),
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

#[test]
fn a_prediction_has_its_model_from_the_start_and_its_result_at_the_end() {
    let prediction = |status| {
        let mut job = job(status);
        job.spec.work = Work::Prediction(Prediction {
            version: 7,
            algorithm: Algorithm::Ridge,
            columns: OutputColumns::None,
            output: OutputFormat::Csv,
        });
        job
    };
    let queued = json_of(prediction(JobStatus::Queued));
    assert_eq!((&queued["kind"], &queued["algorithm"]), (&json!("prediction"), &json!("ridge")));
    assert_eq!(queued["model"], json!({"name": "m", "version": 7}));
    assert_eq!(queued.get("result_url"), None);
    let spec = json!({
        "model": "m", "version": 7, "dataset": "titanic", "dataset_version": 1, "columns": "none", "output": "csv",
        "priority": 0, "run_at": null, "max_attempts": 3, "timeout_s": 60, "webhook_url": null,
    });
    assert_eq!(queued["spec"], spec);
    let done = prediction(JobStatus::Succeeded);
    let url = format!("/predictions/{}/result", done.id);
    let metrics = json!({"rows": 3, "missing_values": {"age": 1}, "warnings": []});
    let done = JobView::new(Job { metrics: Some(metrics), ..done }, None, DateTime::UNIX_EPOCH).without_curves();
    assert_eq!((done.result_url, done.metrics), (Some(url), Some(json!({"rows": 3, "warnings": []}))));
    assert_eq!(json_of(job(JobStatus::Queued))["kind"], "training");
}
