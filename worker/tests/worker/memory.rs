//! Any memory limit that is too small is `out_of_memory` with the setting in the message, and not a crash, which would count
//! towards poison.

use serde_json::{Value, json};
use trainyard_domain::outcome::Counts;
use trainyard_domain::params::Params;
use trainyard_domain::{Algorithm, FailureCode, Job, JobStatus};
use trainyard_worker::WorkerConfig;

use crate::harness::{Harness, train_task, training};

/// From less than the program's size, over the size of its libraries and threads, to enough.
const LIMITS_MB: [u64; 16] = [1, 2, 4, 6, 8, 10, 12, 14, 18, 22, 26, 30, 36, 44, 60, 512];

fn job_with(harness: &Harness, algorithm: Algorithm, params: &Value) -> Job {
    let mut job = harness.new_job(algorithm.as_str());
    training(&mut job).algorithm = algorithm;
    training(&mut job).params = Params::parse(algorithm, params.as_object().unwrap()).unwrap().as_map().clone();
    job
}

/// Runs each algorithm under the limit, and returns the number of trained models.
async fn trained_under(child_memory_mb: u64) -> usize {
    let harness = Harness::new().await;
    let mut jobs = Vec::new();
    for (algorithm, params) in [
        (Algorithm::RandomForest, json!({"n_trees": 100})),
        (Algorithm::Svm, json!({})),
        (Algorithm::DecisionTree, json!({})),
        (Algorithm::LogisticRegression, json!({})),
    ] {
        jobs.push(harness.submit(job_with(&harness, algorithm, &params)).await);
    }
    let config = WorkerConfig { child_memory_mb, child_threads: 2, concurrency: 2, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), config));
    let mut trained = 0;
    for id in jobs {
        let job = harness.until(id, |job| job.status.is_final()).await;
        if job.status == JobStatus::Succeeded {
            trained += 1;
            continue;
        }
        let error = job.error.unwrap();
        let context = format!("{} in {child_memory_mb} MB: {error:?}", job.spec.algorithm().as_str());
        assert_eq!(error.code, FailureCode::OutOfMemory, "{context}");
        let setting = format!("the {child_memory_mb} MB of worker.child_memory_mb");
        assert!(error.message.contains(&setting), "{context}");
        assert_eq!(job.counts, Counts { attempts: 1, ..Counts::default() }, "{context}");
    }
    worker.drain().await;
    sweep.stop().await;
    trained
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_that_is_too_small_is_out_of_memory() {
    let mut trained = Vec::new();
    for limits in LIMITS_MB.chunks(2) {
        trained.extend(futures::future::join_all(limits.iter().map(|limit| trained_under(*limit))).await);
    }
    assert_eq!((trained.first(), trained.last()), (Some(&0), Some(&4)), "{trained:?}");
}
