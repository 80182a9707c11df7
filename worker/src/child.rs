//! Runs one training process from its start to its end and says how it ended. Whatever the process does (hang, crash,
//! flood, lie), the answer is an [`Outcome`] and the worker goes on.

mod exit;
mod pipes;
mod spawn;

use std::time::Duration;

use tokio::time::{sleep, timeout};
use trainyard_domain::{FailureCode, JobError, LogLevel};

use crate::held::{Stop, StopSignal};
use crate::progress::Progress;
use crate::protocol::{Done, Report, Task};
use pipes::{Reports, Tail};
pub(crate) use spawn::Limits;
use spawn::Process;

/// A process that was asked to end has this long before it is killed.
const TERM_GRACE: Duration = Duration::from_secs(1);
/// A process that sent its last report has this long to end by itself.
const EXIT_GRACE: Duration = Duration::from_secs(1);
/// Longest message of a training process that is kept, in characters.
const MAX_MESSAGE: usize = 1_000;

/// How a training process ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It wrote a model.
    Trained(Done),
    /// The job's own failure.
    Failed(JobError),
    /// It died; the text says how.
    Crashed(String),
    /// The worker stopped it.
    Stopped(Stop),
}

/// What reading the reports came to.
enum Verdict {
    Final(Report),
    Ended(std::process::ExitStatus),
    Broken(&'static str),
    TimedOut,
    Stopped(Stop),
}

/// Trains `task` in a process of its own, stopped by `stop` or by the limits.
pub(crate) async fn train(task: &Task, limits: &Limits, stop: &StopSignal, progress: &Progress) -> Outcome {
    let kills_before = exit::oom_kills();
    let mut process = match Process::spawn(limits).await {
        Ok(process) => process,
        Err(error) => {
            tracing::error!(%error, "the training process did not start");
            return Outcome::Failed(JobError::new(FailureCode::Internal, "the training process could not be started"));
        }
    };
    let tail = Tail::follow(process.stderr.take());
    process.send(task).await;
    let verdict = tokio::select! {
        verdict = listen(&mut process, progress) => verdict,
        () = tail.flooded() => Verdict::Broken("wrote more to its log than it may"),
        () = sleep(limits.timeout) => Verdict::TimedOut,
        why = stop.raised() => Verdict::Stopped(why),
    };
    match verdict {
        // Nothing of a run that lost its lease counts any more, so it gets no time to say goodbye.
        Verdict::Stopped(Stop::LeaseLost) | Verdict::Broken(_) => process.kill().await,
        Verdict::Stopped(_) | Verdict::TimedOut => process.terminate(TERM_GRACE).await,
        Verdict::Final(_) => {
            let _ = timeout(EXIT_GRACE, process.ended()).await;
            process.kill().await;
        }
        Verdict::Ended(_) => {}
    }
    let tail = tail.finish().await;
    if !tail.is_empty() {
        tracing::debug!(stderr = tail, "what the training process logged");
    }
    match verdict {
        Verdict::Final(Report::Done(done)) => Outcome::Trained(done),
        Verdict::Final(Report::Failed { code, message }) => {
            let message: String = message.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
            Outcome::Failed(JobError::new(code, message))
        }
        Verdict::Final(_) => Outcome::Failed(exit::broken("ended without a result")),
        Verdict::Ended(status) => exit::explain(status, &tail, exit::oom_kills() > kills_before, limits.memory_mb),
        Verdict::Broken(how) => Outcome::Failed(exit::broken(how)),
        Verdict::TimedOut => Outcome::Failed(JobError::new(
            FailureCode::Timeout,
            format!("training took longer than its timeout_s of {}", limits.timeout.as_secs()),
        )),
        Verdict::Stopped(why) => Outcome::Stopped(why),
    }
}

/// Reads reports until the last one, the end of the process, or nonsense.
async fn listen(process: &mut Process, progress: &Progress) -> Verdict {
    let mut reports = Reports::new(process.stdout.take());
    loop {
        match reports.next().await {
            Ok(Some(Report::Progress { phase, fraction })) => progress.set(&phase, fraction),
            Ok(Some(Report::Warning { message })) => {
                tracing::info!(message, "training warns");
                progress.hear(LogLevel::Warning, &message);
            }
            Ok(Some(Report::Log { message })) => progress.hear(LogLevel::Info, &message),
            Ok(Some(Report::Metric { name, value, step })) => progress.measure(&name, value, step),
            Ok(Some(last)) => return Verdict::Final(last),
            Ok(None) => return Verdict::Ended(process.ended().await),
            Err(how) => return Verdict::Broken(how),
        }
    }
}
