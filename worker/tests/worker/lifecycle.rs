//! Jobs that succeed, alone, in numbers, and after a failure.

use std::collections::BTreeSet;
use std::time::Duration;

use trainyard_artifacts::Key;
use trainyard_domain::{FailureCode, JobStatus};
use trainyard_ml::predict::Predictor;
use trainyard_worker::WorkerConfig;

use crate::harness::{Harness, train_task, training};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_trained_in_a_process_and_published_once() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), harness.config()));
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    worker.health.check(Duration::from_secs(30)).unwrap();
    worker.drain().await;
    sweep.stop().await;

    let metrics = job.metrics.unwrap();
    assert!(metrics["accuracy"].as_f64().unwrap() > 0.7, "{metrics}");
    assert_eq!((job.claim, job.model_version, job.progress), (1, Some(1), 1.0));
    let versions = harness.versions("demo").await;
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0].aliases, ["production"]);
    assert_eq!((versions[0].job_id, versions[0].dataset_id), (id, harness.dataset.id));
    let key = Key::parse(&versions[0].artifact_key).unwrap();
    let bytes = harness.store.get_bytes(&key, &versions[0].sha256, 1 << 30).await.unwrap();
    assert_eq!(bytes.len() as i64, versions[0].size);
    Predictor::load(&bytes).unwrap();
    let left: Vec<_> = std::fs::read_dir(harness.folder.path().join("work/runs")).unwrap().collect();
    assert!(left.is_empty(), "the work folder is not empty: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_jobs_on_two_workers_each_run_once() {
    let harness = Harness::new().await;
    let mut jobs = Vec::new();
    for i in 0..50 {
        jobs.push(harness.submit_named(&format!("model-{}", i % 5)).await);
    }
    let sweep = harness.sweep("s");
    let config = |name| WorkerConfig { concurrency: 2, work_dir: harness.folder.path().join(name), ..harness.config() };
    let workers = [harness.worker(train_task(), config("one")), harness.worker(train_task(), config("two"))];
    let mut workers_used = BTreeSet::new();
    for id in jobs {
        let job = harness.until_status(id, JobStatus::Succeeded).await;
        assert_eq!(job.claim, 1, "claimed more than once");
        workers_used.insert(job.worker);
    }
    for worker in workers {
        worker.drain().await;
    }
    sweep.stop().await;
    assert_eq!(workers_used.len(), 2, "both workers took jobs");
    for model in 0..5 {
        let versions = harness.versions(&format!("model-{model}")).await;
        let numbers: BTreeSet<_> = versions.iter().map(|version| version.version).collect();
        assert_eq!(numbers, (1..=10).collect());
    }
    assert_eq!(harness.artifacts().await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_retried_after_a_storage_failure() {
    let harness = Harness::new().await;
    let (store, away) = (harness.folder.path().join("store"), harness.folder.path().join("away"));
    std::fs::rename(&store, &away).unwrap();
    let mut order = harness.new_job("demo");
    order.spec.max_attempts = 10;
    let id = harness.submit(order).await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), harness.config()));
    let waiting = harness.until(id, |job| job.counts.attempts >= 1).await;
    let error = waiting.error.unwrap();
    assert_eq!((error.code, error.retryable), (FailureCode::StorageUnavailable, true));
    assert!(!error.message.contains('/'), "the message contains a path: {}", error.message);
    std::fs::rename(&away, &store).unwrap();
    let job = harness.until_status(id, JobStatus::Succeeded).await;
    assert!(job.error.is_none() || job.counts.attempts > 0);
    assert_eq!(harness.versions("demo").await.len(), 1);
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_stored_while_a_job_runs() {
    let harness = Harness::new().await;
    let script = harness.script(
        "steps",
        r#"echo '{"type":"progress","phase":"training","fraction":0.25}'
        while [ ! -e "$folder/go" ]; do sleep 0.02; done
        exec "$real" train-task"#,
    );
    let id = harness.submit_named("demo").await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&script, harness.config()));
    let job = harness.until(id, |job| job.phase.as_deref() == Some("training")).await;
    assert_eq!((job.status, job.progress), (JobStatus::Running, 0.25));
    harness.go();
    harness.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_does_not_fit_its_data_fails_without_a_retry() {
    let harness = Harness::new().await;
    let mut order = harness.new_job("demo");
    training(&mut order).features = vec!["no_such_column".into()];
    let id = harness.submit(order).await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), harness.config()));
    let job = harness.until_status(id, JobStatus::Failed).await;
    assert_eq!(job.error.unwrap().code, FailureCode::BadData);
    assert_eq!((job.counts.attempts, harness.artifacts().await), (1, 0));
    worker.drain().await;
    sweep.stop().await;
}
