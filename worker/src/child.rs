//! Runs one training process from its start to its end and says how it ended. Whatever the process does (hang, crash,
//! flood, lie), the answer is an [`Outcome`] and the worker goes on.

mod exit;
mod pipes;
mod spawn;
mod usage;
mod words;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use trainyard_domain::{FailureCode, JobError, LogLevel};
use trainyard_telemetry::Span;

use crate::held::{Stop, StopSignal};
use crate::progress::Progress;
use crate::protocol::{Done, Report, Task};
use crate::trace::Phases;
use pipes::{Breach, Reports, Tail};
pub(crate) use spawn::Limits;
use spawn::Process;
use usage::Usage;

/// A process that was asked to end has this long before it is killed.
const TERM_GRACE: Duration = Duration::from_secs(1);
/// A process that sent its last report has this long to end by itself.
const EXIT_GRACE: Duration = Duration::from_secs(1);
/// A process that is only asked whether it starts has this long.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Longest message of a training process that is kept, in characters.
const MAX_MESSAGE: usize = 1_000;

/// How a training process ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It wrote a model.
    Trained(Done),
    /// The job's own failure.
    Failed(JobError),
    /// It died; the message says how.
    Crashed(JobError),
    /// The worker stopped it.
    Stopped(Stop),
}

/// What reading the reports came to.
enum Verdict {
    Final(Report),
    /// It died. `started` says whether it had reported anything.
    Ended {
        status: ExitStatus,
        started: bool,
    },
    Broken(Breach),
    Outgrown,
    TimedOut,
    Stopped(Stop),
}

/// Trains `task` in a process of its own, stopped by `stop` or by the limits. Its phases become spans below `span`.
pub(crate) async fn train(
    task: &Task,
    limits: &Limits,
    stop: &StopSignal,
    progress: &Progress,
    span: &Span,
) -> Outcome {
    let kills_before = exit::oom_kills();
    let usage = Usage::watch(&limits.folder, limits.folder_mb << 20).await;
    let mut process = match Process::spawn(limits).await {
        Ok(process) => process,
        Err(error) => return not_spawned(&error, limits),
    };
    let mut tail = Tail::follow(process.stderr.take(), limits.output_mb << 20);
    let verdict = tokio::select! {
        verdict = converse(&mut process, task, limits, progress, Phases::new(span)) => verdict,
        () = tail.flooded() => Verdict::Broken(Breach::Flood),
        () = usage.outgrown() => Verdict::Outgrown,
        () = sleep(limits.timeout) => Verdict::TimedOut,
        why = stop.raised() => Verdict::Stopped(why),
    };
    match verdict {
        // Nothing of a run that lost its lease counts any more, so it gets no time to say goodbye.
        Verdict::Stopped(Stop::LeaseLost) | Verdict::Broken(_) | Verdict::Outgrown => process.kill().await,
        Verdict::Stopped(_) | Verdict::TimedOut => process.terminate(TERM_GRACE).await,
        Verdict::Final(_) => {
            let _ = timeout(EXIT_GRACE, process.ended()).await;
            process.kill().await;
        }
        Verdict::Ended { .. } => {}
    }
    let log = tail.finish().await;
    if !log.is_empty() {
        tracing::debug!(stderr = log, "what the training process logged");
    }
    let verdict = match verdict {
        // It ended before the flood was seen.
        Verdict::Ended { .. } if tail.is_flooded() => Verdict::Broken(Breach::Flood),
        verdict => verdict,
    };
    let oom_killed = exit::oom_kills() > kills_before;
    let outcome = match verdict {
        Verdict::Ended { status, started: false } if too_small_to_start(status, limits).await => {
            Outcome::Failed(exit::out_of_memory(limits.memory_mb))
        }
        verdict => judge(verdict, &log, oom_killed, limits),
    };
    match outcome {
        Outcome::Failed(error) => Outcome::Failed(error.with_log_tail(words::tail(&log))),
        Outcome::Crashed(error) => Outcome::Crashed(error.with_log_tail(words::tail(&log))),
        outcome => outcome,
    }
}

fn not_spawned(error: &io::Error, limits: &Limits) -> Outcome {
    tracing::error!(%error, "the training process did not start");
    let no_memory = error.raw_os_error() == Some(libc::ENOMEM) && limits.memory_mb > 0;
    Outcome::Failed(if no_memory {
        exit::out_of_memory(limits.memory_mb)
    } else {
        JobError::new(FailureCode::Internal, "the training process could not be started")
    })
}

/// Whether a process that died before its first report did so for want of memory. Where its program, its libraries or its
/// stack have no room, it ends by a fault without a word, or in the loader. Then the same program fails to start again with
/// the limit, and starts without it. A process that somebody killed at that moment starts with the limit, too.
async fn too_small_to_start(status: ExitStatus, limits: &Limits) -> bool {
    let died_at_start = status.signal() == Some(libc::SIGSEGV) || status.code() == Some(exit::NOT_LOADED);
    if limits.memory_mb == 0 || !died_at_start {
        return false;
    }
    !starts(limits).await && starts(&Limits { memory_mb: 0, ..limits.clone() }).await
}

/// Whether a training process under these limits gets as far as its first report.
async fn starts(limits: &Limits) -> bool {
    let Ok(mut process) = Process::spawn(limits).await else { return false };
    let mut reports = Reports::new(process.stdout.take(), limits.output_mb << 20);
    let first = timeout(START_LIMIT, reports.next()).await;
    process.kill().await;
    matches!(first, Ok(Ok(Some(Report::Started))))
}

/// What a verdict makes of the run.
fn judge(verdict: Verdict, log: &str, oom_killed: bool, limits: &Limits) -> Outcome {
    let error = match verdict {
        Verdict::Final(Report::Done(done)) => return Outcome::Trained(done),
        Verdict::Final(Report::Failed { code: FailureCode::OutOfMemory, .. }) => exit::out_of_memory(limits.memory_mb),
        Verdict::Final(Report::Failed { code, message }) => {
            let message: String = message.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
            JobError::new(code, message)
        }
        Verdict::Final(_) => exit::broken("ended without a result"),
        Verdict::Ended { status, .. } => return exit::explain(status, log, oom_killed, limits.memory_mb),
        Verdict::Broken(Breach::Nonsense) => exit::broken("did not keep to its protocol"),
        Verdict::Broken(Breach::Flood) => JobError::new(
            FailureCode::OutputLimit,
            format!("the training process wrote more to its output or log than its {} MB", limits.output_mb),
        ),
        Verdict::Outgrown => JobError::new(
            FailureCode::DiskLimit,
            format!("training took more room in the work folder than its {} MB", limits.folder_mb),
        ),
        Verdict::TimedOut => JobError::new(
            FailureCode::Timeout,
            format!("training took longer than its timeout_s of {}", limits.timeout.as_secs()),
        ),
        Verdict::Stopped(why) => return Outcome::Stopped(why),
    };
    Outcome::Failed(error)
}

/// Hands the task over and reads reports until the last one, the end of the process, or nonsense.
async fn converse(
    process: &mut Process,
    task: &Task,
    limits: &Limits,
    progress: &Progress,
    mut phases: Phases,
) -> Verdict {
    let mut reports = Reports::new(process.stdout.take(), limits.output_mb << 20);
    process.send(task).await;
    let mut started = false;
    loop {
        let next = reports.next().await;
        started |= matches!(next, Ok(Some(_)));
        match next {
            Ok(Some(Report::Started)) => {}
            Ok(Some(Report::Progress { phase, fraction })) => progress.set(&phase, fraction),
            Ok(Some(Report::Warning { message })) => {
                tracing::info!(message, "training warns");
                progress.hear(LogLevel::Warning, &message);
            }
            Ok(Some(Report::Phase { name, seconds })) => {
                phases.ended(&name, seconds);
                progress.hear(LogLevel::Info, &format!("{name} took {seconds:.3} s"));
            }
            Ok(Some(Report::Log { message })) => progress.hear(LogLevel::Info, &message),
            Ok(Some(Report::Metric { name, value, step })) => progress.measure(&name, value, step),
            Ok(Some(last)) => return Verdict::Final(last),
            Ok(None) => return Verdict::Ended { status: process.ended().await, started },
            Err(breach) => return Verdict::Broken(breach),
        }
    }
}
