//! Handles one delivered job: claim → fetch → train or predict → publish.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::FutureExt;
use tracing::Instrument;
use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::{Dataset, FailureCode, Job, JobError, LogLevel, Training, Work};
use trainyard_queue::Delivery;
use trainyard_telemetry::Span;

use crate::active_runs::{RunGuard, StopReason, StopSignal};
use crate::checkpoint::Checkpoints;
use crate::child::{self, Files, Limits, Outcome};
use crate::claim::{ClaimResult, claim};
use crate::folder::{MODEL, RunFolder};
use crate::progress::Progress;
use crate::protocol::{Done, Task, TrainTask};
use crate::sandbox::DATASET;
use crate::worker::Worker;
use crate::{fetch, finish, job_metrics, predict, publish, trace};

/// How long an id is kept before it returns to a queue that this worker may still read.
const GIVE_BACK_PAUSE: Duration = Duration::from_millis(500);

/// Why a run published nothing.
#[derive(Debug)]
pub(crate) enum RunError {
    /// The run must be finished with this result.
    Ended(RunOutcome),
    /// Another claim owns the job, so nothing may be written.
    Fenced,
}

impl RunError {
    pub(crate) fn failed(code: FailureCode, message: impl Into<String>) -> Self {
        Self::Ended(RunOutcome::Failed(JobError::new(code, message)))
    }
}

impl From<StopReason> for RunError {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::Cancelled => Self::Ended(RunOutcome::Cancelled),
            StopReason::Drained => Self::Ended(RunOutcome::Interrupted),
            StopReason::LeaseLost => Self::Fenced,
        }
    }
}

/// Handles one delivery.
pub(crate) async fn handle(worker: Arc<Worker>, delivery: Delivery) {
    let delivered = SystemTime::now();
    match claim(&worker, delivery.job).await {
        ClaimResult::Claimed(mut job, active) => {
            // The claim is durable. The run does not wait for the acknowledgement.
            delivery.ack();
            let mut trace = trace::start_run_span(&mut job, delivered);
            #[cfg(feature = "noop")]
            if crate::noop::is_noop(&job) {
                return crate::noop::run(&worker, &job, active).await;
            }
            let span = tracing::info_span!(
                "job.train",
                job_id = %job.id,
                user_id = %job.created_by,
                request_id = job.request_id.as_deref(),
                trace_id = trace::trace_parent(&job).map(|parent| tracing::field::display(parent.trace_id())),
                attempt = job.attempt(),
                claim = job.claim,
            );
            // On the heap, so that the future of a refused delivery stays small.
            Box::pin(run(&worker, &job, active, &mut trace)).instrument(span).await;
        }
        ClaimResult::Refused => {
            job_metrics::record_dropped_id();
            delivery.ack();
        }
        ClaimResult::Closing => Box::pin(give_back(&worker, &delivery)).await,
    }
}

/// Returns an id to the queue that was read and not claimed.
async fn give_back(worker: &Worker, delivery: &Delivery) {
    // Until the claim of its last job is committed, this worker still polls and would read the id again.
    let _ = tokio::time::timeout(GIVE_BACK_PAUSE, worker.closing.cancelled()).await;
    delivery.give_back().await;
}

async fn run(worker: &Worker, job: &Job, active: RunGuard, trace: &mut Span) {
    job_metrics::set_running(worker.runs.len());
    let (kind, algorithm) = (job.spec.kind().as_str(), job.spec.algorithm().as_str());
    tracing::info!(kind, algorithm, model = %job.spec.name, "running");
    let (db, clock, max_lines) = (worker.deps.db.clone(), worker.deps.clock.clone(), worker.config.max_log_lines);
    let progress = Progress::start(db, clock, job.id, job.claim, max_lines);
    progress.log(LogLevel::Info, &format!("attempt {} runs on worker {}", job.attempt(), worker.id));
    // A panic fails the job, and neither the worker nor the jobs in other slots.
    let attempt = AssertUnwindSafe(attempt(worker, job, &active.stop, &progress)).catch_unwind().await;
    let panicked = || RunError::failed(FailureCode::Internal, "the worker panicked; see its log");
    match attempt.unwrap_or_else(|_| Err(panicked())) {
        Ok(()) => tracing::info!(model = %job.spec.name, "succeeded"),
        Err(RunError::Ended(end)) => {
            trace.fail(finish::reason(&end));
            log_end(&progress, &end).await;
            finish::finish_run(worker, job, end).await;
        }
        Err(RunError::Fenced) => {
            job_metrics::record_fenced_write();
            trace.fail("lease_lost");
            tracing::warn!("the lease was lost; another claim owns the job, and this run writes nothing");
        }
    }
    drop(active);
    job_metrics::set_running(worker.runs.len());
}

/// Logs why a run publishes nothing, before the run is finished.
async fn log_end(progress: &Progress, end: &RunOutcome) {
    let (level, message) = match end {
        RunOutcome::Failed(error) => (LogLevel::Error, format!("failed: {} ({})", error.message, error.code.as_str())),
        RunOutcome::Crashed(error) => (LogLevel::Error, format!("{} ({})", error.message, error.code.as_str())),
        RunOutcome::Interrupted => {
            (LogLevel::Warning, "the worker stops; the job returns to the queue and no attempt is counted".into())
        }
        RunOutcome::Cancelled => (LogLevel::Info, "cancelled".into()),
    };
    progress.log(level, &message);
    progress.flush().await;
}

/// Runs the job once.
async fn attempt(worker: &Worker, job: &Job, stop: &StopSignal, progress: &Progress) -> Result<(), RunError> {
    let folder =
        worker.folder.run(job.id, job.claim, worker.sandbox.uid).map_err(|error| fetch::disk_failure(&error))?;
    progress.set_phase("fetching");
    let fetching = Span::child_of(trace::trace_parent(job), "job.fetch");
    let dataset = tokio::select! {
        fetched = fetch::inputs(worker, job, &folder) => fetched?,
        reason = stop.raised() => return Err(reason.into()),
    };
    drop(fetching);
    let training = match &job.spec.work {
        Work::Training(training) => training,
        Work::Prediction(prediction) => {
            return predict::predict(worker, job, prediction, &folder, &dataset, stop, progress).await;
        }
    };
    let (done, checkpoints) = train(worker, job, training, &folder, &dataset, stop, progress).await?;
    progress.log(LogLevel::Info, &format!("publishing the model ({} bytes)", done.size));
    progress.set_phase("publishing");
    // The log must be complete before the job ends, because clients stop reading then.
    progress.flush().await;
    publish::publish_model(worker, job, training, &folder, &done, stop.for_publication(), progress).await?;
    checkpoints.discard(stop).await;
    Ok(())
}

async fn train<'w>(
    worker: &'w Worker,
    job: &Job,
    training: &Training,
    folder: &'w RunFolder,
    dataset: &Dataset,
    stop: &StopSignal,
    progress: &Progress,
) -> Result<(Done, Checkpoints<'w>), RunError> {
    let config = &worker.config;
    let mut checkpoints = tokio::select! {
        checkpoints = Checkpoints::open(worker, job, training.algorithm, folder, progress) => checkpoints,
        reason = stop.raised() => return Err(reason.into()),
    };
    let task = TrainTask {
        spec: training.clone(),
        dataset_path: DATASET.into(),
        dataset_sha256: dataset.sha256.clone(),
        schema: dataset.schema(),
        artifact_path: MODEL.into(),
        max_artifact_bytes: config.max_artifact_bytes,
        memory_mb: config.child_memory_mb,
        checkpoints: checkpoints.task(),
    };
    let limits = limits(worker, job, folder, "training", config.max_artifact_bytes);
    let started = Instant::now();
    let mut span = Span::child_of(trace::trace_parent(job), "job.train_task");
    let task = Task::Train(Box::new(task));
    let outcome = child::run(&task, &limits, stop, progress, &span, Files::Checkpoints(&mut checkpoints)).await;
    if let Outcome::Failed(error) | Outcome::Crashed(error) = &outcome {
        span.fail(error.code.as_str());
    }
    drop(span);
    progress.close_log();
    job_metrics::record_training(job, started.elapsed());
    match outcome {
        Outcome::Trained(done) => Ok((done, checkpoints)),
        outcome => Err(run_error(outcome)),
    }
}

/// The limits of the process of a run. `work` names what it does, for messages.
pub(crate) fn limits(worker: &Worker, job: &Job, folder: &RunFolder, work: &'static str, file_bytes: u64) -> Limits {
    let config = &worker.config;
    Limits {
        program: worker.deps.train_command.clone(),
        folder: folder.output(),
        sandbox: worker.sandbox,
        work,
        timeout: Duration::from_secs(u64::try_from(job.spec.timeout_s).unwrap_or(1).max(1)),
        memory_mb: config.child_memory_mb,
        file_bytes,
        folder_mb: config.child_folder_mb,
        output_mb: config.child_output_mb,
        open_files: config.child_open_files,
        threads: config.threads(),
    }
}

/// The error for a process that did not do its work.
pub(crate) fn run_error(outcome: Outcome) -> RunError {
    match outcome {
        Outcome::Failed(error) => RunError::Ended(RunOutcome::Failed(error)),
        Outcome::Crashed(error) => RunError::Ended(RunOutcome::Crashed(error)),
        Outcome::Stopped(reason) => reason.into(),
        Outcome::NotStored(error) => error,
        Outcome::Trained(_) | Outcome::Predicted { .. } => {
            RunError::failed(FailureCode::Internal, "the process reported another result than its task asks for")
        }
    }
}
