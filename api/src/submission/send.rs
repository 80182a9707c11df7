//! From the database to the queue. Failing to send is no error: the jobs are stored, and the sweep sends what is not there.

use std::collections::HashSet;

use trainyard_domain::{Job, PriorityClass};
use trainyard_queue::{Offered, QueueError, Ready, Turn};
use trainyard_telemetry::trace::Kind;
use trainyard_telemetry::{Span, TraceParent};

use crate::state::Ports;

/// A stored job as the queue hears of it.
pub(crate) fn ready(job: &Job) -> Ready {
    Ready { job: job.id, user: job.created_by, class: PriorityClass::of(job.spec.priority) }
}

/// Where in a trace a job was submitted.
pub(crate) fn traced(job: &Job) -> Option<TraceParent> {
    job.traceparent.as_deref().and_then(TraceParent::parse)
}

/// Offers stored jobs that are due to the queue; it takes what their users' windows have room for, and the sweep sends the
/// rest in fair turns. `traces` are where they were submitted.
pub(crate) async fn send(ports: &Ports, jobs: &[Ready], mut traces: Vec<Option<TraceParent>>) {
    if jobs.is_empty() {
        return;
    }
    // The jobs of one order stand together, and want one span.
    traces.dedup();
    let mut spans: Vec<_> =
        traces.into_iter().flatten().map(|at| Span::child_of(Some(at), "queue.offer").kind(Kind::Producer)).collect();
    let why = match tokio::time::timeout(ports.config.dispatch_timeout(), offer(ports, jobs)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => {
            tracing::warn!(jobs = jobs.len(), error = &error as &dyn std::error::Error, "not sent; the sweep will");
            "not sent"
        }
        Err(_) => {
            tracing::warn!(jobs = jobs.len(), "the queue did not take jobs in time; the sweep will send them");
            "not in time"
        }
    };
    spans.iter_mut().for_each(|span| span.fail(why));
}

/// Where the first job of a user and class has to wait, the others have to as well, and need not be offered.
async fn offer(ports: &Ports, jobs: &[Ready]) -> Result<(), QueueError> {
    let window = ports.config.dispatch_window;
    let mut seen = HashSet::new();
    let (first, others): (Vec<_>, Vec<_>) = jobs.iter().partition(|ready| seen.insert((ready.user, ready.class)));
    let answers = ports.queue.offer(&first, window, Turn::Last).await?;
    let refused = first.iter().zip(answers).filter(|(_, answer)| *answer == Offered::Refused);
    let refused: HashSet<_> = refused.map(|(ready, _)| (ready.user, ready.class)).collect();
    let others: Vec<_> =
        others.into_iter().filter(|ready: &Ready| !refused.contains(&(ready.user, ready.class))).collect();
    if !others.is_empty() {
        ports.queue.offer(&others, window, Turn::Last).await?;
    }
    Ok(())
}
