//! The spans of a run: `job.train` from the delivered id to the recorded end, and what lies within it.
//!
//! The training process knows nothing of traces and has no way to send any: it reports its phases, and they become spans
//! here.

use std::time::{Duration, SystemTime};

use trainyard_domain::Job;
use trainyard_telemetry::trace::{Attributes, Kind};
use trainyard_telemetry::{Span, TraceParent};

/// Most phases of one training process that become spans.
const MAX_PHASES: usize = 64;

/// Where in a trace a job stands: where it was submitted or, within a run, that run.
pub(crate) fn place(job: &Job) -> Option<TraceParent> {
    job.traceparent.as_deref().and_then(TraceParent::parse)
}

/// Begins the span of a run whose id was delivered at `delivered`; from here on `job` stands within it. An attempt that
/// follows another is one more span beside it.
pub(crate) fn run(job: &mut Job, delivered: SystemTime) -> Span {
    let mut span = Span::child_of(place(job), "job.train").kind(Kind::Consumer).started_at(delivered);
    span.describe(|span| of_run(job, span));
    if let Some(place) = span.context() {
        job.traceparent = Some(place.to_string());
        drop(Span::child_of(Some(place), "db.jobs.claim").started_at(delivered));
    }
    span
}

fn of_run(job: &Job, span: &mut Attributes<'_>) {
    span.text("job.id", job.id);
    span.number("job.attempt", job.attempt());
    span.number("job.claim", job.claim);
    span.text("job.algorithm", job.spec.algorithm.as_str());
    span.text("model.name", &job.spec.name);
    span.text("user.id", job.created_by);
    job.worker.iter().for_each(|worker| span.text("worker.id", worker));
}

/// Records a run that nobody ended: its own span went with its worker.
pub(crate) fn lost(job: &Job) {
    let mut span = Span::child_of(place(job), "job.lost");
    if let Some(began) = job.started_at {
        span = span.started_at(began.into());
    }
    span.describe(|span| of_run(job, span));
    span.fail("lease_lost");
}

/// The phases of one training process, as spans below its own.
pub(crate) struct Phases {
    within: Option<TraceParent>,
    began: SystemTime,
    count: usize,
}

impl Phases {
    pub(crate) fn new(within: &Span) -> Self {
        Self { within: within.context(), began: SystemTime::now(), count: 0 }
    }

    /// A phase has ended now. What it says comes from another process: it can't have begun before that did.
    pub(crate) fn ended(&mut self, name: &str, seconds: f64) {
        self.count += 1;
        if self.within.is_none() || self.count > MAX_PHASES {
            return;
        }
        let took = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let start = SystemTime::now().checked_sub(took).map_or(self.began, |start| start.max(self.began));
        let name = || format!("train_task.{}", name.chars().take(64).collect::<String>());
        drop(Span::child_of(self.within, "train_task").named(name).started_at(start));
    }
}
