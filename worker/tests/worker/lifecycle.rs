//! Jobs that go well, alone and in numbers, and jobs that go well at the second try.

use std::collections::BTreeSet;
use std::time::Duration;

use trainyard_artifacts::Key;
use trainyard_domain::{FailureCode, JobStatus};
use trainyard_ml::predict::Predictor;
use trainyard_worker::WorkerConfig;

use crate::yard::{Yard, train_task};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_trained_in_a_process_and_published_once() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    let job = yard.until_status(id, JobStatus::Succeeded).await;
    worker.health.check(Duration::from_secs(30)).unwrap();
    worker.drain().await;
    sweep.stop().await;

    let metrics = job.metrics.unwrap();
    assert!(metrics["accuracy"].as_f64().unwrap() > 0.7, "{metrics}");
    assert_eq!((job.claim, job.model_version, job.progress), (1, Some(1), 1.0));
    let versions = yard.versions("demo").await;
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0].aliases, ["production"]);
    assert_eq!((versions[0].job_id, versions[0].dataset_id), (id, yard.dataset.id));
    let key = Key::parse(&versions[0].artifact_key).unwrap();
    let bytes = yard.store.get_bytes(&key, &versions[0].sha256, 1 << 30).await.unwrap();
    assert_eq!(bytes.len() as i64, versions[0].size);
    Predictor::load(&bytes).unwrap();
    let left: Vec<_> = std::fs::read_dir(yard.folder.path().join("work/runs")).unwrap().collect();
    assert!(left.is_empty(), "the work folder is left clean: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_jobs_on_two_workers_each_run_once() {
    let yard = Yard::new().await;
    let mut jobs = Vec::new();
    for i in 0..50 {
        jobs.push(yard.submit_named(&format!("model-{}", i % 5)).await);
    }
    let sweep = yard.sweep("s");
    let config = |name| WorkerConfig { concurrency: 2, work_dir: yard.folder.path().join(name), ..yard.config() };
    let workers = [yard.worker(train_task(), config("one")), yard.worker(train_task(), config("two"))];
    let mut hands = BTreeSet::new();
    for id in jobs {
        let job = yard.until_status(id, JobStatus::Succeeded).await;
        assert_eq!(job.claim, 1, "ran more than once");
        hands.insert(job.worker);
    }
    for worker in workers {
        worker.drain().await;
    }
    sweep.stop().await;
    assert_eq!(hands.len(), 2, "both workers took jobs");
    for model in 0..5 {
        let versions = yard.versions(&format!("model-{model}")).await;
        let numbers: BTreeSet<_> = versions.iter().map(|version| version.version).collect();
        assert_eq!(numbers, (1..=10).collect());
    }
    assert_eq!(yard.artifacts().await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_out_a_storage_failure() {
    let yard = Yard::new().await;
    let (store, away) = (yard.folder.path().join("store"), yard.folder.path().join("away"));
    std::fs::rename(&store, &away).unwrap();
    let mut order = yard.new_job("demo");
    order.spec.max_attempts = 10;
    let id = yard.submit(order).await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    let waiting = yard.until(id, |job| job.counts.attempts >= 1).await;
    let error = waiting.error.unwrap();
    assert_eq!((error.code, error.retryable), (FailureCode::StorageUnavailable, true));
    assert!(!error.message.contains('/'), "no paths for people: {}", error.message);
    std::fs::rename(&away, &store).unwrap();
    let job = yard.until_status(id, JobStatus::Succeeded).await;
    assert!(job.error.is_none() || job.counts.attempts > 0);
    assert_eq!(yard.versions("demo").await.len(), 1);
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_seen_while_a_job_runs() {
    let yard = Yard::new().await;
    let script = yard.script(
        "steps",
        r#"echo '{"type":"progress","phase":"training","fraction":0.25}'
        while [ ! -e "$yard/go" ]; do sleep 0.02; done
        exec "$real" train-task"#,
    );
    let id = yard.submit_named("demo").await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&script, yard.config()));
    let job = yard.until(id, |job| job.phase.as_deref() == Some("training")).await;
    assert_eq!((job.status, job.progress), (JobStatus::Running, 0.25));
    yard.go();
    yard.until_status(id, JobStatus::Succeeded).await;
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_data_does_not_allow_fails_at_once_with_the_reason() {
    let yard = Yard::new().await;
    let mut order = yard.new_job("demo");
    order.spec.features = vec!["no_such_column".into()];
    let id = yard.submit(order).await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    let job = yard.until_status(id, JobStatus::Failed).await;
    assert_eq!(job.error.unwrap().code, FailureCode::BadData);
    assert_eq!((job.counts.attempts, yard.artifacts().await), (1, 0));
    worker.drain().await;
    sweep.stop().await;
}
