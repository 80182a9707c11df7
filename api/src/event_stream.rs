//! The events of one event stream and their order: the changes between what the client has received and the job now.

use std::sync::Arc;

use serde_json::{Value, json};
use trainyard_domain::{Job, JobError, JobStatus, LogEntry};
use trainyard_storage::NumberedLine;

use crate::job_watcher::WatchedJob;
use crate::schemas::event::JobStatusView;

/// The id of an event. A client sends the last one back as `Last-Event-ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct EventId {
    /// The revision of the job that the client has received; 0 before the first.
    revision: i64,
    /// The number of the last log line that the client has received.
    seq: i64,
}

impl EventId {
    /// Parses an id. An id of another form counts as no id.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let (revision, seq) = id.strip_prefix('r')?.split_once("-l")?;
        let number = |text: &str| text.parse().ok().filter(|number| *number >= 0);
        Some(Self { revision: number(revision)?, seq: number(seq)? })
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "r{}-l{}", self.revision, self.seq)
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StreamEvent {
    /// A client that has received the event resumes after this id.
    pub(crate) id: EventId,
    /// `status`, `progress`, `log` or `metric`.
    pub(crate) name: &'static str,
    pub(crate) data: Value,
}

/// What one client has received.
#[derive(Debug)]
pub(crate) struct EventStream {
    position: EventId,
    last_sent: Option<SentState>,
}

/// The fields of the last `status` or `progress` event.
#[derive(Debug, PartialEq)]
struct SentState {
    status: JobStatus,
    attempt: i64,
    model: Option<i64>,
    error: Option<JobError>,
    progress: f64,
    phase: Option<String>,
}

impl SentState {
    fn of(job: &Job) -> Self {
        Self {
            status: job.status,
            attempt: job.attempt(),
            model: job.model_version,
            error: job.error.clone(),
            progress: job.progress,
            phase: job.phase.clone(),
        }
    }

    /// Whether only `progress` and `phase` may differ.
    fn has_same_status(&self, other: &Self) -> bool {
        (self.status, self.attempt, self.model, &self.error) == (other.status, other.attempt, other.model, &other.error)
    }
}

impl EventStream {
    /// A stream that resumes after `position`, or begins with the job as it is.
    pub(crate) fn resume(position: Option<EventId>) -> Self {
        Self { position: position.unwrap_or_default(), last_sent: None }
    }

    /// Whether the client has received the final status and the complete log.
    pub(crate) fn is_over(&self, watched: &WatchedJob) -> bool {
        let EventId { revision, seq } = self.position;
        watched.log_complete
            && watched.job.status.is_final()
            && revision >= watched.job.revision
            && seq >= watched.last_seq
    }

    /// The events that the client has not received: first the status or progress, then the log. A final status comes last,
    /// once the log is complete: a client that leaves after the final status has missed nothing.
    pub(crate) fn next_events(&mut self, watched: &WatchedJob) -> Vec<StreamEvent> {
        let mut events = Vec::new();
        let is_final = watched.job.status.is_final();
        if !is_final {
            events.extend(self.job_event(watched));
        }
        let is_unread = |lines: &&Arc<[NumberedLine]>| lines.last().is_some_and(|line| line.seq > self.position.seq);
        let unread: Vec<_> = watched.log.iter().rev().take_while(is_unread).collect();
        for line in unread.into_iter().rev().flat_map(|lines| lines.iter()) {
            if line.seq > self.position.seq {
                self.position.seq = line.seq;
                events.push(self.log_event(line));
            }
        }
        if is_final && watched.log_complete {
            events.extend(self.job_event(watched));
        }
        events
    }

    /// A `status` or `progress` event, if the job has changed.
    fn job_event(&mut self, watched: &WatchedJob) -> Option<StreamEvent> {
        let job = &watched.job;
        // The client may come from a process that read the job later than this one.
        if job.revision < self.position.revision {
            return None;
        }
        let is_resumed = self.last_sent.is_none() && job.revision == self.position.revision;
        let state = SentState::of(job);
        let (name, data) = match &self.last_sent {
            _ if is_resumed => {
                self.last_sent = Some(state);
                return None;
            }
            Some(last) if *last == state => return None,
            Some(last) if last.has_same_status(&state) => {
                let eta_s = job.eta_s(watched.at);
                ("progress", json!({"progress": job.progress, "phase": job.phase, "eta_s": eta_s}))
            }
            _ => ("status", serde_json::to_value(JobStatusView::new(job, watched.at)).unwrap_or_default()),
        };
        self.position.revision = job.revision;
        self.last_sent = Some(state);
        Some(StreamEvent { id: self.position, name, data })
    }

    fn log_event(&self, NumberedLine { line, .. }: &NumberedLine) -> StreamEvent {
        let (name, data) = match &line.entry {
            LogEntry::Log { level, message } => ("log", json!({"at": line.at, "level": level, "message": message})),
            LogEntry::Metric { name, value, step } => {
                ("metric", json!({"at": line.at, "name": name, "value": value, "step": step}))
            }
        };
        StreamEvent { id: self.position, name, data }
    }
}

#[cfg(test)]
mod tests;
