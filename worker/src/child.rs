//! Runs one training process and returns its [`Outcome`]. The process may hang, crash or write too much; the worker
//! continues.

mod exit;
mod log_excerpt;
mod pipes;
mod session;
mod spawn;
mod usage;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use trainyard_domain::{FailureCode, JobError};
use trainyard_telemetry::Span;

use crate::active_runs::{StopReason, StopSignal};
use crate::job::RunError;
use crate::progress::Progress;
use crate::protocol::{Done, Report, Task};
use crate::trace::Phases;
use pipes::{PipeError, Reports, StderrTail};
pub(crate) use session::Files;
use session::{Session, Verdict};
pub(crate) use spawn::Limits;
use spawn::Process;
use usage::Usage;

/// The time between SIGTERM and SIGKILL.
const TERM_GRACE: Duration = Duration::from_secs(1);
/// The time from the last report of a process to SIGKILL.
const EXIT_GRACE: Duration = Duration::from_secs(1);
/// Time limit for the first report of a process that only checks whether it starts.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Longest error message of a training process, in characters.
const MAX_MESSAGE: usize = 1_000;

/// How a training process ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The process wrote a model.
    Trained(Done),
    /// The process predicted all rows, and every part is stored.
    Predicted {
        /// Number of rows of the dataset.
        rows: u64,
        /// Warnings that concern every row.
        warnings: Vec<String>,
    },
    /// A part could not be stored.
    NotStored(RunError),
    /// The job failed.
    Failed(JobError),
    /// The process died. The message names the signal or the exit status.
    Crashed(JobError),
    /// The worker stopped the process.
    Stopped(StopReason),
}

/// Performs `task` in a new process. `stop` and the limits end the process. `files` are stored while the process runs. The phases of the process become child spans of `span`.
pub(crate) async fn run(
    task: &Task,
    limits: &Limits,
    stop: &StopSignal,
    progress: &Progress,
    span: &Span,
    files: Files<'_, '_>,
) -> Outcome {
    let kills_before = exit::oom_kills();
    let usage = Usage::watch(&limits.folder, limits.folder_mb << 20).await;
    let process = match Process::spawn(limits).await {
        Ok(process) => process,
        Err(error) => return spawn_failure(&error, limits),
    };
    let mut session = Session::new(process, limits, progress, Phases::new(span), files);
    let mut tail = StderrTail::follow(session.process.stderr.take(), limits.output_mb << 20);
    let mut verdict = tokio::select! {
        verdict = session.run(task) => verdict,
        () = tail.exceeded() => Verdict::PipeError(PipeError::TooMuchOutput),
        () = usage.exceeded() => Verdict::FolderFull,
        () = sleep(limits.timeout) => Verdict::TimedOut,
        reason = stop.raised() => Verdict::Stopped(reason),
    };
    if let Verdict::Stopped(StopReason::Drained) = verdict {
        // The process has all limits until it has ended.
        tokio::select! {
            done = session.interrupt() => {
                if let Some(done) = done { verdict = Verdict::Final(Report::Done(done)) }
            }
            () = tail.exceeded() => verdict = Verdict::PipeError(PipeError::TooMuchOutput),
            () = usage.exceeded() => verdict = Verdict::FolderFull,
            reason = stop.raised_except(Some(StopReason::Drained)) => verdict = Verdict::Stopped(reason),
        }
    }
    let process = &session.process;
    match verdict {
        // A run that lost its lease or broke a limit has no result, so it is killed at once.
        Verdict::Stopped(StopReason::LeaseLost)
        | Verdict::PipeError(_)
        | Verdict::NotStored(_)
        | Verdict::FolderFull => process.kill().await,
        Verdict::Stopped(_) | Verdict::TimedOut => process.terminate(TERM_GRACE).await,
        Verdict::Final(_) => {
            let _ = timeout(EXIT_GRACE, process.ended()).await;
            process.kill().await;
        }
        Verdict::Ended { .. } => {}
    }
    let log = tail.finish().await;
    if !log.is_empty() {
        tracing::debug!(stderr = log, "log of the training process");
    }
    let verdict = match verdict {
        // The process ended before the limit was checked.
        Verdict::Ended { .. } if tail.is_exceeded() => Verdict::PipeError(PipeError::TooMuchOutput),
        verdict => verdict,
    };
    let oom_killed = exit::oom_kills() > kills_before;
    let outcome = match verdict {
        Verdict::Ended { status, started: false } if too_small_to_start(status, limits).await => {
            Outcome::Failed(exit::out_of_memory(limits))
        }
        verdict => outcome_of(verdict, &log, oom_killed, limits),
    };
    match outcome {
        Outcome::Failed(error) => Outcome::Failed(error.with_log_tail(log_excerpt::excerpt(&log))),
        Outcome::Crashed(error) => Outcome::Crashed(error.with_log_tail(log_excerpt::excerpt(&log))),
        outcome => outcome,
    }
}

fn spawn_failure(error: &io::Error, limits: &Limits) -> Outcome {
    tracing::error!(%error, "the training process did not start");
    let no_memory = error.raw_os_error() == Some(libc::ENOMEM) && limits.memory_mb > 0;
    Outcome::Failed(if no_memory {
        exit::out_of_memory(limits)
    } else {
        JobError::new(FailureCode::Internal, format!("the {} process could not be started", limits.work))
    })
}

/// Whether a process died before its first report because of its memory limit. Without room for its program, its libraries
/// or its stack, it dies by SIGSEGV or in the loader. Then the program starts without the limit and not with it. A process
/// that was killed by a signal starts with the limit too.
async fn too_small_to_start(status: ExitStatus, limits: &Limits) -> bool {
    let died_at_start = status.signal() == Some(libc::SIGSEGV) || status.code() == Some(exit::NOT_LOADED);
    if limits.memory_mb == 0 || !died_at_start {
        return false;
    }
    !starts(limits).await && starts(&Limits { memory_mb: 0, ..limits.clone() }).await
}

/// Whether a training process under these limits sends its first report.
async fn starts(limits: &Limits) -> bool {
    let Ok(mut process) = Process::spawn(limits).await else { return false };
    let mut reports = Reports::new(process.stdout.take(), limits.output_mb << 20);
    let first = timeout(START_LIMIT, reports.next()).await;
    process.kill().await;
    matches!(first, Ok(Ok(Some(Report::Started))))
}

/// The outcome for a verdict.
fn outcome_of(verdict: Verdict, log: &str, oom_killed: bool, limits: &Limits) -> Outcome {
    let error = match verdict {
        Verdict::Final(Report::Done(done)) => return Outcome::Trained(done),
        Verdict::Final(Report::Predicted { rows, warnings }) => return Outcome::Predicted { rows, warnings },
        Verdict::NotStored(error) => return Outcome::NotStored(error),
        Verdict::Final(Report::Failed { code: FailureCode::OutOfMemory, .. }) => exit::out_of_memory(limits),
        Verdict::Final(Report::Failed { code, message }) => {
            let message: String = message.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
            JobError::new(code, message)
        }
        Verdict::Final(_) => exit::protocol_error(limits.work, "ended without a result"),
        Verdict::Ended { status, .. } => return exit::explain(status, log, oom_killed, limits),
        Verdict::PipeError(PipeError::InvalidReport) => exit::protocol_error(limits.work, "sent an invalid report"),
        Verdict::PipeError(PipeError::TooMuchOutput) => JobError::new(
            FailureCode::OutputLimit,
            format!(
                "the {} process wrote more than {} MB to its output or log (worker.child_output_mb)",
                limits.work, limits.output_mb
            ),
        ),
        Verdict::FolderFull => JobError::new(
            FailureCode::DiskLimit,
            format!(
                "{} wrote more than {} MB to its work folder (worker.child_folder_mb)",
                limits.work, limits.folder_mb
            ),
        ),
        Verdict::TimedOut => JobError::new(
            FailureCode::Timeout,
            format!("{} took longer than its timeout_s of {}", limits.work, limits.timeout.as_secs()),
        ),
        Verdict::Stopped(reason) => return Outcome::Stopped(reason),
    };
    Outcome::Failed(error)
}
