//! What one watcher of a job is told, and in which order: the difference between what it has seen and what there is.

use serde_json::{Value, json};
use trainyard_domain::{Job, JobError, JobStatus, LogEntry};
use trainyard_storage::NumberedLine;

use crate::hub::Sight;
use crate::views::event::JobStatusView;

/// How far a watcher has come: the id of an event, which a client sends back as `Last-Event-ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    /// The revision of the job it was told of; 0 before the first.
    revision: i64,
    /// The last line it was told.
    seq: i64,
}

impl Position {
    /// Reads an event's id. What is not one of ours is as good as none.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let (revision, seq) = id.strip_prefix('r')?.split_once("-l")?;
        let number = |text: &str| text.parse().ok().filter(|number| *number >= 0);
        Some(Self { revision: number(revision)?, seq: number(seq)? })
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "r{}-l{}", self.revision, self.seq)
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    /// Where a client that has read it goes on.
    pub(crate) id: Position,
    /// `status`, `progress`, `log` or `metric`.
    pub(crate) event: &'static str,
    /// Its fields.
    pub(crate) data: Value,
}

/// What one watcher has been told.
#[derive(Debug)]
pub(crate) struct Feed {
    position: Position,
    last: Option<Last>,
}

/// What the last event about the job itself said.
#[derive(Debug, PartialEq)]
struct Last {
    status: JobStatus,
    attempt: i64,
    model: Option<i64>,
    error: Option<JobError>,
    progress: f64,
    phase: Option<String>,
}

impl Last {
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

    /// Whether nothing but the progress has changed.
    fn differs_in_progress_alone(&self, other: &Self) -> bool {
        (self.status, self.attempt, self.model, &self.error) == (other.status, other.attempt, other.model, &other.error)
    }
}

impl Feed {
    /// A feed that goes on where the watcher was, or begins with the job as it is.
    pub(crate) fn from(position: Option<Position>) -> Self {
        Self { position: position.unwrap_or_default(), last: None }
    }

    /// Whether a watcher who was told everything up to here has nothing more to expect.
    pub(crate) fn is_over(&self, sight: &Sight) -> bool {
        let Position { revision, seq } = self.position;
        sight.is_whole && sight.job.status.is_final() && revision >= sight.job.revision && seq >= sight.read_to
    }

    /// What is new in `sight`: first where the job stands, then what it said. A final status comes last of all, once the
    /// log is whole, so that whoever leaves with it has missed nothing.
    pub(crate) fn next(&mut self, sight: &Sight) -> Vec<Told> {
        let mut told = Vec::new();
        let ends = sight.job.status.is_final();
        if !ends {
            self.tell_job(sight, &mut told);
        }
        let unread =
            sight.lines.iter().rev().take_while(|piece| piece.last().is_some_and(|line| line.seq > self.position.seq));
        let unread: Vec<_> = unread.collect();
        for line in unread.into_iter().rev().flat_map(|piece| piece.iter()) {
            if line.seq > self.position.seq {
                self.position.seq = line.seq;
                told.push(self.tell_line(line));
            }
        }
        if ends && sight.is_whole {
            self.tell_job(sight, &mut told);
        }
        told
    }

    fn tell_job(&mut self, sight: &Sight, told: &mut Vec<Told>) {
        let job = &sight.job;
        // This process may have looked longer ago than the one that the client comes from.
        if job.revision < self.position.revision {
            return;
        }
        let resumed = self.last.is_none() && job.revision == self.position.revision;
        let news = Last::of(job);
        let (event, view) = match &self.last {
            _ if resumed => {
                self.last = Some(news);
                return;
            }
            Some(last) if *last == news => return,
            Some(last) if last.differs_in_progress_alone(&news) => {
                let eta_s = job.eta_s(sight.at);
                ("progress", json!({"progress": job.progress, "phase": job.phase, "eta_s": eta_s}))
            }
            _ => ("status", serde_json::to_value(JobStatusView::new(job, sight.at)).unwrap_or_default()),
        };
        self.position.revision = job.revision;
        self.last = Some(news);
        told.push(Told { id: self.position, event, data: view });
    }

    fn tell_line(&self, NumberedLine { line, .. }: &NumberedLine) -> Told {
        let (event, data) = match &line.entry {
            LogEntry::Log { level, message } => ("log", json!({"at": line.at, "level": level, "message": message})),
            LogEntry::Metric { name, value, step } => {
                ("metric", json!({"at": line.at, "name": name, "value": value, "step": step}))
            }
        };
        Told { id: self.position, event, data }
    }
}

#[cfg(test)]
mod tests;
