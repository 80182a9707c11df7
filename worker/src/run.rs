//! The worker role: an apalis worker over the queue's consumer, the heartbeat, the cancel listener and the drain.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use apalis::prelude::{Data, Monitor, WorkerBuilder, WorkerBuilderExt};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tower::limit::ConcurrencyLimitLayer;
use trainyard_queue::Delivery;

use crate::active_runs::{ActiveRuns, StopReason};
use crate::config::WorkerConfig;
use crate::folder::WorkFolder;
use crate::health::Health;
use crate::job;
use crate::lease::Heartbeat;
use crate::pod::Pod;
use crate::worker::{Worker, WorkerDeps, new_id};
use crate::{cancel, claim, isolation, job_metrics};

/// How long the process waits, after the grace period, until stopped runs are finished in the database.
const FINISH_LIMIT: Duration = Duration::from_secs(15);
const STOP_EVERY: Duration = Duration::from_millis(100);
/// Time limit for deleting the worker's row.
const DEREGISTER_LIMIT: Duration = Duration::from_secs(5);

/// Runs jobs until `drain` is cancelled or `max_jobs` have run. Then running jobs may finish within `grace_s`; the others
/// return to the queue without a counted attempt.
///
/// # Errors
/// When the worker can't start, when the queue's reader panicked, or when runs were not finished in the database in time.
/// The sweep finishes such runs once their leases have expired.
pub async fn run(
    deps: WorkerDeps,
    config: WorkerConfig,
    drain: CancellationToken,
    health: Health,
) -> anyhow::Result<()> {
    let id = new_id(&deps.clock);
    let folder = WorkFolder::open(&config.work_dir, &id)
        .with_context(|| format!("worker.work_dir: can't use {}", config.work_dir.display()))?;
    let sandbox = isolation::decide(&config)?;
    let (closing, taken) = (drain.child_token(), AtomicU64::new(0));
    let claims = claim::start_claims(&deps.db, &id, config.lease());
    let worker = Arc::new(Worker {
        #[cfg(feature = "noop")]
        noop_finishes: crate::noop::start_finishes(&deps.db),
        id,
        deps,
        config,
        folder,
        sandbox,
        runs: ActiveRuns::default(),
        health,
        closing,
        taken,
        claims,
    });
    let heartbeat = Heartbeat::start(Arc::clone(&worker)).context("the heartbeat can't start")?;
    let cancels = AbortOnDropHandle::new(tokio::spawn(cancel::listen(Arc::clone(&worker))));
    let pod =
        Pod::find(&worker.config).map(|pod| AbortOnDropHandle::new(tokio::spawn(pod.track_cost(worker.runs.count()))));
    job_metrics::set_slots(worker.config.slots());
    tracing::info!(worker = worker.id, slots = worker.config.slots(), "the worker takes jobs");

    let ended = tokio::select! {
        ended = consume(&worker) => ended,
        () = stop_late_runs(&worker, &drain) => Err(anyhow::anyhow!("some runs were not finished at the deadline")),
    };

    drop((cancels, pod));
    heartbeat.stop().await;
    deregister(&worker).await;
    tracing::info!(worker = worker.id, "the worker has stopped");
    ended
}

/// Runs the apalis worker. It polls the queue while a slot is free, stops polling when the worker closes, and returns when
/// the last job has ended.
async fn consume(worker: &Arc<Worker>) -> anyhow::Result<()> {
    let build = {
        let worker = Arc::clone(worker);
        move |_restarts: usize| {
            let consumer = worker.deps.queue.consume(&worker.id, worker.config.slots());
            worker.health.set_reader(consumer.liveness());
            WorkerBuilder::new(worker.id.as_str())
                .backend(consumer)
                .data(Arc::clone(&worker))
                .layer(ConcurrencyLimitLayer::new(worker.config.slots()))
                .catch_panic()
                .build(handle)
        }
    };
    let closing = async {
        worker.closing.cancelled().await;
        worker.health.set_draining();
        Ok(())
    };
    Monitor::new().register(build).run_with_signal(closing).await.context("the apalis worker failed")?;
    // A panic of the task that reads the queue ends the apalis worker without an error.
    anyhow::ensure!(worker.closing.is_cancelled(), "the task that reads the queue ended; see the log above");
    Ok(())
}

async fn handle(delivery: Delivery, worker: Data<Arc<Worker>>) {
    // On the heap: apalis moves the future several times, and the future of a run is large.
    Box::pin(job::handle(Arc::clone(&worker), delivery)).await;
}

/// Waits for the drain and the grace period, stops the remaining runs, and returns after [`FINISH_LIMIT`].
async fn stop_late_runs(worker: &Worker, drain: &CancellationToken) {
    drain.cancelled().await;
    let grace = Duration::from_secs(worker.config.grace_s);
    if worker.runs.len() > 0 {
        tracing::info!(
            running = worker.runs.len(),
            grace_s = worker.config.grace_s,
            "draining: running jobs may finish"
        );
    }
    tokio::time::sleep(grace).await;
    // Repeated, because a claim in progress adds its run late.
    let stop = async {
        loop {
            worker.runs.stop_all(StopReason::Drained);
            tokio::time::sleep(STOP_EVERY).await;
        }
    };
    let _ = tokio::time::timeout(FINISH_LIMIT, stop).await;
}

/// Deletes this worker's row.
async fn deregister(worker: &Worker) {
    let removed = async {
        let mut tx = worker.deps.db.begin().await?;
        tx.workers().remove(&worker.id).await?;
        tx.commit().await
    };
    if !matches!(tokio::time::timeout(DEREGISTER_LIMIT, removed).await, Ok(Ok(()))) {
        tracing::debug!("the worker's row was not deleted; it expires");
    }
}
