//! The worker role from start to drained: an apalis worker over the queue's consumer, with the heartbeat, the cancel
//! listener and the drain beside it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use apalis::prelude::{Data, Monitor, WorkerBuilder, WorkerBuilderExt};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tower::limit::ConcurrencyLimitLayer;
use trainyard_queue::Delivery;

use crate::config::WorkerConfig;
use crate::folder::WorkFolder;
use crate::health::Health;
use crate::held::{Runs, Stop};
use crate::job;
use crate::lease::Heartbeat;
use crate::pod::Pod;
use crate::worker::{Worker, WorkerDeps, new_id};
use crate::{cancel, claim, isolation, measure, noop};

/// After the grace, stopped runs have this long to be recorded before the process gives up on them.
const RECORD_LIMIT: Duration = Duration::from_secs(15);
const STOP_EVERY: Duration = Duration::from_millis(100);
/// How long leaving the list of workers may take.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);

/// Runs jobs until `drain` is cancelled or `max_jobs` have run, then lets running jobs finish for `grace_s`, puts the
/// others back unspent, and returns.
///
/// # Errors
/// When the worker can't start, or runs could not be recorded before it had to go (the sweep then finds their leases
/// run out, and nothing is lost).
pub async fn run(
    deps: WorkerDeps,
    config: WorkerConfig,
    drain: CancellationToken,
    health: Health,
) -> anyhow::Result<()> {
    let id = new_id(&deps.clock);
    let folder = WorkFolder::open(&config.work_dir, &id).context("the work folder can't be used")?;
    let sandbox = isolation::decide(&config)?;
    let (closing, taken) = (drain.child_token(), AtomicU64::new(0));
    let (claims, bare_ends) = (claim::together(&deps.db, &id, config.lease()), noop::together(&deps.db));
    let runs = Runs::default();
    let worker = Worker { id, deps, config, folder, sandbox, runs, health, closing, taken, claims, bare_ends };
    let worker = Arc::new(worker);
    let heartbeat = Heartbeat::start(Arc::clone(&worker)).context("the heartbeat can't start")?;
    let cancels = AbortOnDropHandle::new(tokio::spawn(cancel::listen(Arc::clone(&worker))));
    let pod = Pod::find(&worker.config).map(|pod| AbortOnDropHandle::new(tokio::spawn(pod.mark(worker.runs.count()))));
    measure::slots(worker.config.slots());
    tracing::info!(worker = worker.id, slots = worker.config.slots(), "the worker takes jobs");

    let ended = tokio::select! {
        ended = consume(&worker) => ended,
        () = put_back_late_runs(&worker, &drain) => Err(anyhow::anyhow!("runs were still unrecorded at the deadline")),
    };

    drop((cancels, pod));
    heartbeat.stop().await;
    leave(&worker).await;
    tracing::info!(worker = worker.id, "the worker has stopped");
    ended
}

/// The apalis worker: polls the queue while a slot is free, stops polling once the worker closes, and returns when the
/// last job has ended.
async fn consume(worker: &Arc<Worker>) -> anyhow::Result<()> {
    let build = {
        let worker = Arc::clone(worker);
        move |_restarts: usize| {
            let consumer = worker.deps.queue.consume(&worker.id, worker.config.slots());
            worker.health.watch(consumer.pulse());
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
        worker.health.drains();
        Ok(())
    };
    Monitor::new().register(build).run_with_signal(closing).await.context("the queue's worker failed")?;
    // A panic of the task that reads the queue ends the worker without an error.
    anyhow::ensure!(worker.closing.is_cancelled(), "the task that reads the queue ended; see the log above");
    Ok(())
}

async fn handle(delivery: Delivery, worker: Data<Arc<Worker>>) {
    // On the heap: apalis moves what it is given several times, and a run is large.
    Box::pin(job::handle(Arc::clone(&worker), delivery)).await;
}

/// Waits for the drain and its grace, stops what still runs, and returns when that was not recorded in time either.
async fn put_back_late_runs(worker: &Worker, drain: &CancellationToken) {
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
    // Again and again: a job whose claim was on its way joins the list late.
    let stop = async {
        loop {
            worker.runs.stop_all(Stop::Drained);
            tokio::time::sleep(STOP_EVERY).await;
        }
    };
    let _ = tokio::time::timeout(RECORD_LIMIT, stop).await;
}

/// Takes this process off the list of workers.
async fn leave(worker: &Worker) {
    let removed = async {
        let mut tx = worker.deps.db.begin().await?;
        tx.workers().remove(&worker.id).await?;
        tx.commit().await
    };
    if !matches!(tokio::time::timeout(LEAVE_LIMIT, removed).await, Ok(Ok(()))) {
        tracing::debug!("the worker's row stays behind until it is too old to be shown");
    }
}
