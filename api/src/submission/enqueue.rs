//! Enqueues stored jobs. A failure is only logged: the sweep enqueues the job ids that are missing in the queue.

use std::collections::HashSet;

use trainyard_domain::{Job, PriorityClass};
use trainyard_queue::{EnqueueFrom, Enqueued, QueueError, ReadyJob};
use trainyard_telemetry::trace::SpanKind;
use trainyard_telemetry::{Span, TraceParent};

use crate::state::Dependencies;

/// The queue entry of a stored job.
pub(crate) fn queue_entry(job: &Job) -> ReadyJob {
    ReadyJob { job: job.id, user: job.created_by, class: PriorityClass::of(job.spec.priority) }
}

/// The trace context of the request that submitted a job.
pub(crate) fn trace_parent(job: &Job) -> Option<TraceParent> {
    job.traceparent.as_deref().and_then(TraceParent::parse)
}

/// Enqueues jobs that are due. Each user has a dispatch window; the sweep enqueues the jobs beyond it later, by fair
/// scheduling. `traces` are the trace contexts of the jobs.
pub(crate) async fn enqueue(dependencies: &Dependencies, jobs: &[ReadyJob], mut traces: Vec<Option<TraceParent>>) {
    if jobs.is_empty() {
        return;
    }
    // The jobs of one submission are adjacent and share one span.
    traces.dedup();
    let span = |parent| Span::child_of(Some(parent), "queue.offer").kind(SpanKind::Producer);
    let mut spans: Vec<_> = traces.into_iter().flatten().map(span).collect();
    let failure =
        match tokio::time::timeout(dependencies.config.dispatch_timeout(), enqueue_by_user(dependencies, jobs)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(jobs = jobs.len(), error, "jobs were not enqueued; the sweep will enqueue them");
                "not enqueued"
            }
            Err(_) => {
                tracing::warn!(jobs = jobs.len(), "enqueueing timed out; the sweep will enqueue the jobs");
                "timed out"
            }
        };
    spans.iter_mut().for_each(|span| span.fail(failure));
}

/// Enqueues the first job of each user and priority class before the others. If the queue refuses the first job, the window
/// is full, and the others are not enqueued.
async fn enqueue_by_user(dependencies: &Dependencies, jobs: &[ReadyJob]) -> Result<(), QueueError> {
    let window = dependencies.config.dispatch_window;
    let mut seen = HashSet::new();
    let (first, others): (Vec<_>, Vec<_>) = jobs.iter().partition(|ready| seen.insert((ready.user, ready.class)));
    let answers = dependencies.queue.enqueue(&first, window, EnqueueFrom::Submission).await?;
    let refused = first.iter().zip(answers).filter(|(_, answer)| *answer == Enqueued::Refused);
    let refused: HashSet<_> = refused.map(|(ready, _)| (ready.user, ready.class)).collect();
    let others: Vec<_> =
        others.into_iter().filter(|ready: &ReadyJob| !refused.contains(&(ready.user, ready.class))).collect();
    if !others.is_empty() {
        dependencies.queue.enqueue(&others, window, EnqueueFrom::Submission).await?;
    }
    Ok(())
}
