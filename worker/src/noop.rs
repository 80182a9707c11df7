//! No-op jobs: claimed and finished as succeeded. Benchmarks measure the queue with them. Only the cargo feature `noop`
//! compiles this module.

use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::{Batcher, Db};

use crate::active_runs::RunGuard;
use crate::job_metrics;
use crate::retry::Retry;
use crate::worker::Worker;

/// Batches simultaneous finishes of runs (job and claim) into one statement.
pub(crate) type NoopFinishes = Batcher<(JobId, i64), bool>;

/// Most finishes per statement.
const MAX_FINISHES: usize = 1024;

/// The name of no-op jobs.
const NAME: &str = "noop";

/// Whether `job` is a no-op job. A job with a webhook trains, because a finish without a model sends no webhook.
pub(crate) fn is_noop(job: &Job) -> bool {
    job.spec.name.as_str() == NAME && job.spec.training().is_some() && job.spec.webhook_url.is_none()
}

/// Starts the batching of finishes.
pub(crate) fn start_finishes(db: &Db) -> NoopFinishes {
    tracing::warn!("this build is for benchmarks: it finishes jobs with the name `{NAME}` without training");
    let db = db.clone();
    Batcher::start(MAX_FINISHES, move |runs: Vec<(JobId, i64)>| {
        let db = db.clone();
        async move {
            let mut tx = db.write_autocommit().await?;
            let ended = tx.jobs().succeed_without_model(&runs, None).await?;
            tx.commit().await?;
            Ok(runs.iter().map(|(id, _)| ended.contains(id)).collect())
        }
    })
}

/// Finishes a no-op job as succeeded.
pub(crate) async fn run(worker: &Worker, job: &Job, _run: RunGuard) {
    let mut retry = Retry::for_at_most(worker.config.storage_timeout());
    loop {
        match worker.noop_finishes.call((job.id, job.claim)).await {
            Ok(true) => {
                job_metrics::record_finish(job, JobStatus::Succeeded, worker.deps.clock.now());
                return tracing::debug!("succeeded");
            }
            Ok(false) => return job_metrics::record_fenced_write(),
            Err(error) if error.is_retryable() && retry.wait().await => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                return tracing::error!(job_id = %job.id, error, "the run was not finished; its lease will expire");
            }
        }
    }
}
