//! One delivered job from its claim to its end: claim → fetch → train → publish.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::FutureExt;
use tracing::Instrument;
use trainyard_domain::outcome::Ending;
use trainyard_domain::{Algorithm, FailureCode, Job, JobError, LogLevel};
use trainyard_queue::Delivery;
use trainyard_telemetry::Span;

use crate::child::{self, Limits, Outcome};
use crate::claim::{Claimed, claim};
use crate::folder::{MODEL, RunFolder};
use crate::held::{Entered, Stop, StopSignal};
use crate::progress::Progress;
use crate::protocol::{Done, Task};
use crate::sandbox::DATASET;
use crate::worker::Worker;
use crate::{ending, fetch, measure, noop, publish, trace};

/// How long an id waits before it goes back to a queue that this worker may still read.
const GIVE_BACK_PAUSE: Duration = Duration::from_millis(500);

/// Why a run has no model to show.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// To be recorded.
    Ended(Ending),
    /// The job is somebody else's now: nothing may be recorded.
    Fenced,
}

impl Unfinished {
    pub(crate) fn failed(code: FailureCode, message: impl Into<String>) -> Self {
        Self::Ended(Ending::Failed(JobError::new(code, message)))
    }
}

impl From<Stop> for Unfinished {
    fn from(why: Stop) -> Self {
        match why {
            Stop::Cancelled => Self::Ended(Ending::Cancelled),
            Stop::Drained => Self::Ended(Ending::Interrupted),
            Stop::LeaseLost => Self::Fenced,
        }
    }
}

/// Handles one delivery to its end.
pub(crate) async fn handle(worker: Arc<Worker>, delivery: Delivery) {
    let delivered = SystemTime::now();
    match claim(&worker, delivery.job).await {
        Claimed::Ours(mut job, entered) => {
            // The claim is durable, so the id has served; a slow queue does not hold the run up.
            delivery.ack();
            let mut trace = trace::run(&mut job, delivered);
            if job.spec.algorithm == Algorithm::Noop {
                return noop::run(&worker, &job, entered).await;
            }
            let span = tracing::info_span!(
                "job.train",
                job_id = %job.id,
                user_id = %job.created_by,
                request_id = job.request_id.as_deref(),
                trace_id = trace::place(&job).map(|place| tracing::field::display(place.trace_id())),
                attempt = job.attempt(),
                claim = job.claim,
            );
            // On the heap, for the sake of jobs that end at once.
            Box::pin(run(&worker, &job, entered, &mut trace)).instrument(span).await;
        }
        Claimed::Refused => {
            measure::dropped();
            delivery.ack();
        }
        Claimed::Closing => Box::pin(give_back(&worker, &delivery)).await,
    }
}

/// Sends an id that was read but not claimed to the other workers. Where that fails the sweep does it.
async fn give_back(worker: &Worker, delivery: &Delivery) {
    // Until the claim that makes this job the last one is through, the worker still polls, and the id would only come
    // straight back.
    let _ = tokio::time::timeout(GIVE_BACK_PAUSE, worker.closing.cancelled()).await;
    delivery.give_back().await;
}

async fn run(worker: &Worker, job: &Job, entered: Entered, trace: &mut Span) {
    measure::running(worker.runs.len());
    tracing::info!(algorithm = job.spec.algorithm.as_str(), model = %job.spec.name, "running");
    let (db, clock, max_lines) = (worker.deps.db.clone(), worker.deps.clock.clone(), worker.config.max_log_lines);
    let progress = Progress::report(db, clock, job.id, job.claim, max_lines);
    progress.log(LogLevel::Info, &format!("attempt {} runs on worker {}", job.attempt(), worker.id));
    // A defect of ours fails the job, never the worker or the jobs in other slots.
    let attempt = AssertUnwindSafe(attempt(worker, job, &entered.stop, &progress)).catch_unwind().await;
    match attempt.unwrap_or_else(|_| Err(Unfinished::failed(FailureCode::Internal, "the worker made a mistake"))) {
        Ok(version) => tracing::info!(model = %job.spec.name, version, "succeeded"),
        Err(Unfinished::Ended(end)) => {
            trace.fail(ending::reason(&end));
            tell(&progress, &end).await;
            ending::record(worker, job, end).await;
        }
        Err(Unfinished::Fenced) => {
            measure::fenced();
            trace.fail("lease_lost");
            tracing::warn!("the lease was lost: another run has the job, and this one leaves no trace");
        }
    }
    drop(entered);
    measure::running(worker.runs.len());
}

/// Has the log say why a run ends without a model, before it does.
async fn tell(progress: &Progress, end: &Ending) {
    let (level, why) = match end {
        Ending::Failed(error) => (LogLevel::Error, format!("failed: {} ({})", error.message, error.code.as_str())),
        Ending::Crashed(error) => (LogLevel::Error, format!("{} ({})", error.message, error.code.as_str())),
        Ending::Interrupted => (LogLevel::Warning, "the worker stops; the job goes back to the queue, unspent".into()),
        Ending::Cancelled => (LogLevel::Info, "cancelled".into()),
    };
    progress.log(level, &why);
    progress.flush().await;
}

/// Runs the job once.
async fn attempt(worker: &Worker, job: &Job, stop: &StopSignal, progress: &Progress) -> Result<i64, Unfinished> {
    let folder = worker.folder.run(job.id, job.claim, worker.sandbox.uid).map_err(|error| fetch::disk(&error))?;
    progress.enter("fetching");
    let fetching = Span::child_of(trace::place(job), "job.fetch");
    let sha256 = tokio::select! {
        fetched = fetch::dataset(worker, job, &folder) => fetched?,
        why = stop.raised() => return Err(why.into()),
    };
    folder.share_dataset().map_err(|error| fetch::disk(&error))?;
    drop(fetching);
    let done = train(worker, job, &folder, sha256, stop, progress).await?;
    progress.log(LogLevel::Info, &format!("publishing the model ({} bytes)", done.size));
    progress.enter("publishing");
    // What was said must stand before the job ends: nobody listens after that.
    progress.flush().await;
    publish::publish(worker, job, &folder, &done, stop).await
}

async fn train(
    worker: &Worker,
    job: &Job,
    folder: &RunFolder,
    dataset_sha256: String,
    stop: &StopSignal,
    progress: &Progress,
) -> Result<Done, Unfinished> {
    let config = &worker.config;
    let task = Task {
        spec: job.spec.clone(),
        dataset_path: DATASET.into(),
        dataset_sha256,
        artifact_path: MODEL.into(),
        max_artifact_bytes: config.max_artifact_bytes,
    };
    let limits = Limits {
        program: worker.deps.train_command.clone(),
        folder: folder.output(),
        sandbox: worker.sandbox,
        timeout: Duration::from_secs(u64::try_from(job.spec.timeout_s).unwrap_or(1).max(1)),
        memory_mb: config.child_memory_mb,
        file_bytes: config.max_artifact_bytes,
        folder_mb: config.child_folder_mb,
        output_mb: config.child_output_mb,
        open_files: config.child_open_files,
        threads: config.threads(),
    };
    let started = Instant::now();
    let mut span = Span::child_of(trace::place(job), "job.train_task");
    let outcome = child::train(&task, &limits, stop, progress, &span).await;
    if let Outcome::Failed(error) | Outcome::Crashed(error) = &outcome {
        span.fail(error.code.as_str());
    }
    drop(span);
    progress.close();
    measure::trained(job, started.elapsed());
    match outcome {
        Outcome::Trained(done) => Ok(done),
        Outcome::Failed(error) => Err(Unfinished::Ended(Ending::Failed(error))),
        Outcome::Crashed(error) => Err(Unfinished::Ended(Ending::Crashed(error))),
        Outcome::Stopped(why) => Err(why.into()),
    }
}
