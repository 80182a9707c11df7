//! The conversation with one training process: the task, the reports, and the files that the worker stores meanwhile.

use std::process::ExitStatus;
use std::time::Duration;

use tokio::time::timeout;
use trainyard_domain::LogLevel;

use super::Limits;
use super::pipes::{PipeError, Reports};
use super::spawn::Process;
use crate::active_runs::StopReason;
use crate::checkpoint::Checkpoints;
use crate::job::RunError;
use crate::job_metrics;
use crate::predict::Parts;
use crate::progress::Progress;
use crate::protocol::{Done, INTERRUPT, Report, STORED, Task};
use crate::trace::Phases;

/// How long an interrupted process may take to write its last checkpoint, and the worker to store the checkpoint. Less than the
/// time from the end of the grace period to the end of the worker.
const INTERRUPT_LIMIT: Duration = Duration::from_secs(8);

/// What the worker stores while the process runs.
pub(crate) enum Files<'f, 'w> {
    /// The parts of a prediction.
    Parts(&'f mut Parts<'w>),
    /// The checkpoints of a training.
    Checkpoints(&'f mut Checkpoints<'w>),
}

/// Why reading the reports ended.
pub(super) enum Verdict {
    Final(Report),
    /// The process ended. `started` is true if it had sent a report.
    Ended {
        status: ExitStatus,
        started: bool,
    },
    PipeError(PipeError),
    NotStored(RunError),
    FolderFull,
    TimedOut,
    Stopped(StopReason),
}

/// A running process with its reports.
pub(super) struct Session<'s, 'f, 'w> {
    pub(super) process: Process,
    reports: Reports,
    progress: &'s Progress,
    phases: Phases,
    files: Files<'f, 'w>,
    started: bool,
}

impl<'s, 'f, 'w> Session<'s, 'f, 'w> {
    pub(super) fn new(
        mut process: Process,
        limits: &Limits,
        progress: &'s Progress,
        phases: Phases,
        files: Files<'f, 'w>,
    ) -> Self {
        let reports = Reports::new(process.stdout.take(), limits.output_mb << 20);
        Self { process, reports, progress, phases, files, started: false }
    }

    /// Sends the task and reads reports until the last report, the end of the process, an invalid report, or a part that can't
    /// be stored.
    pub(super) async fn run(&mut self, task: &Task) -> Verdict {
        self.process.send(task).await;
        self.read().await
    }

    /// Lets a training write a last checkpoint, and stores the checkpoint, within [`INTERRUPT_LIMIT`]. After the limit, the next run
    /// continues from an earlier checkpoint. Returns the last report of a training that finishes its model within the limit.
    pub(super) async fn interrupt(&mut self) -> Option<Done> {
        let Files::Checkpoints(checkpoints) = &self.files else { return None };
        // A process without a report has not begun to train.
        if !checkpoints.is_enabled() || !self.started {
            return None;
        }
        let ended = async {
            self.process.signal(INTERRUPT).await;
            if let Verdict::Final(Report::Done(done)) = self.read().await {
                return Some(done);
            }
            // The process may have ended before its last checkpoint is stored.
            if let Files::Checkpoints(checkpoints) = &mut self.files {
                checkpoints.finish().await;
            }
            None
        };
        timeout(INTERRUPT_LIMIT, ended).await.unwrap_or_else(|_| {
            tracing::warn!("the last checkpoint was not stored in time; the next run continues from an earlier one");
            None
        })
    }

    /// Reads reports until the last one.
    async fn read(&mut self) -> Verdict {
        loop {
            let next = tokio::select! {
                next = self.reports.next() => next,
                is_last = stored(&mut self.files) => {
                    self.process.signal(STORED).await;
                    // The process has nothing more to report, and may take long to end.
                    if is_last { return Verdict::Final(Report::Interrupted) } else { continue }
                }
            };
            self.started |= matches!(next, Ok(Some(_)));
            match next {
                Ok(Some(report)) => {
                    if let Err(verdict) = self.handle(report).await {
                        return verdict;
                    }
                }
                Ok(None) => {
                    let status = self.process.ended().await;
                    return Verdict::Ended { status, started: self.started };
                }
                Err(error) => return Verdict::PipeError(error),
            }
        }
    }

    /// Handles a report; `Err` is the end.
    async fn handle(&mut self, report: Report) -> Result<(), Verdict> {
        let progress = self.progress;
        match (report, &mut self.files) {
            (Report::Started, _) => {}
            (Report::Progress { phase, fraction }, _) => progress.set(&phase, fraction),
            (Report::Warning { message }, _) => {
                tracing::info!(message, "warning about the data");
                progress.log_from_child(LogLevel::Warning, &message);
            }
            (Report::Phase { name, seconds }, _) => {
                self.phases.ended(&name, seconds);
                progress.log_from_child(LogLevel::Info, &format!("{name} took {seconds:.3} s"));
            }
            (Report::Log { message }, _) => progress.log_from_child(LogLevel::Info, &message),
            (Report::Metric { name, value, step }, _) => progress.metric(&name, value, step),
            (Report::Part(part), Files::Parts(parts)) => {
                // Reading stops meanwhile, so the process waits for a slow store.
                parts.store(part).await.map_err(Verdict::NotStored)?;
                self.process.signal(STORED).await;
            }
            (Report::Checkpoint(done), Files::Checkpoints(checkpoints)) => {
                if done.is_last {
                    let message = format!("the last checkpoint of this run: {} ({} bytes)", done.done, done.size);
                    progress.log_from_child(LogLevel::Info, &message);
                }
                checkpoints.store(done).await;
            }
            (Report::Resumed { done }, Files::Checkpoints(_)) => {
                job_metrics::record_resume(true);
                progress.log_from_child(LogLevel::Info, &format!("resumed from checkpoint: {done}"));
            }
            (Report::CheckpointIgnored { reason }, Files::Checkpoints(_)) => {
                job_metrics::record_resume(false);
                tracing::warn!(reason, "the checkpoint of an earlier run is ignored");
                let message = format!(
                    "the checkpoint of an earlier run is ignored: {reason}; training starts from the beginning"
                );
                progress.log_from_child(LogLevel::Warning, &message);
            }
            (
                Report::Part(_) | Report::Checkpoint(_) | Report::Resumed { .. } | Report::CheckpointIgnored { .. },
                _,
            ) => {
                return Err(Verdict::PipeError(PipeError::InvalidReport));
            }
            (last, _) => return Err(Verdict::Final(last)),
        }
        Ok(())
    }
}

/// Waits until a checkpoint is stored; returns whether it was the last one.
async fn stored(files: &mut Files<'_, '_>) -> bool {
    match files {
        Files::Checkpoints(checkpoints) => checkpoints.stored().await,
        Files::Parts(_) => std::future::pending().await,
    }
}
