//! The spans of a run: `job.train` from the delivery to the finish, and its child spans.
//!
//! The training process can't send traces. It reports its phases, which become spans here.

use std::time::{Duration, SystemTime};

use trainyard_domain::Job;
use trainyard_telemetry::trace::{Attributes, SpanKind};
use trainyard_telemetry::{Span, TraceParent};

/// Most phase spans of one training process.
const MAX_PHASES: usize = 64;

/// The parent span of a job: its submission or, within a run, the run.
pub(crate) fn trace_parent(job: &Job) -> Option<TraceParent> {
    job.traceparent.as_deref().and_then(TraceParent::parse)
}

/// Starts the span of a run whose id was delivered at `delivered`, and makes it the parent span of `job`. Each attempt has
/// its own span.
pub(crate) fn start_run_span(job: &mut Job, delivered: SystemTime) -> Span {
    let mut span = Span::child_of(trace_parent(job), "job.train").kind(SpanKind::Consumer).started_at(delivered);
    span.describe(|span| describe_run(job, span));
    if let Some(parent) = span.context() {
        job.traceparent = Some(parent.to_string());
        drop(Span::child_of(Some(parent), "db.jobs.claim").started_at(delivered));
    }
    span
}

fn describe_run(job: &Job, span: &mut Attributes<'_>) {
    span.text("job.id", job.id);
    span.number("job.attempt", job.attempt());
    span.number("job.claim", job.claim);
    span.text("job.kind", job.spec.kind().as_str());
    span.text("job.algorithm", job.spec.algorithm().as_str());
    span.text("model.name", &job.spec.name);
    span.text("user.id", job.created_by);
    job.worker.iter().for_each(|worker| span.text("worker.id", worker));
}

/// Records a span for a run whose own span was lost with its worker.
pub(crate) fn record_lost_run(job: &Job) {
    let mut span = Span::child_of(trace_parent(job), "job.lost");
    if let Some(began) = job.started_at {
        span = span.started_at(began.into());
    }
    span.describe(|span| describe_run(job, span));
    span.fail("lease_lost");
}

/// Makes child spans of the phases of one training process.
pub(crate) struct Phases {
    parent: Option<TraceParent>,
    started: SystemTime,
    count: usize,
}

impl Phases {
    pub(crate) fn new(parent: &Span) -> Self {
        Self { parent: parent.context(), started: SystemTime::now(), count: 0 }
    }

    /// Records a phase that ended now. Its duration comes from another process, so its start is at earliest the process'.
    pub(crate) fn ended(&mut self, name: &str, seconds: f64) {
        self.count += 1;
        if self.parent.is_none() || self.count > MAX_PHASES {
            return;
        }
        let took = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let start = SystemTime::now().checked_sub(took).map_or(self.started, |start| start.max(self.started));
        let name = || format!("train_task.{}", name.chars().take(64).collect::<String>());
        drop(Span::child_of(self.parent, "train_task").named(name).started_at(start));
    }
}
