//! Gauges of the whole queue: waiting, running and failed jobs, the age of the oldest job, and pending webhooks. Only the
//! leader reports them.

use metrics::gauge;
use trainyard_domain::{JobStatus, PriorityClass};
use trainyard_storage::Db;
use trainyard_telemetry::catalogue;

use super::SweepError;

/// A snapshot of the queue.
pub(super) struct Queue {
    depth: Vec<(PriorityClass, i64)>,
    running: i64,
    scheduled: i64,
    oldest_age_s: f64,
    paused: bool,
    webhooks: i64,
}

/// Reads the snapshot: three counts of queued and running jobs, and one end of an index.
pub(super) async fn measure(db: Db) -> Result<Queue, SweepError> {
    let mut tx = db.read().await?;
    let now = tx.now().await?;
    let oldest = tx.jobs().oldest_queued(now).await?;
    Ok(Queue {
        depth: tx.jobs().depth_by_class().await?,
        running: tx.jobs().running_total().await?,
        scheduled: tx.jobs().scheduled_total(now).await?,
        oldest_age_s: oldest.map_or(0.0, |since| (now - since).num_milliseconds().max(0) as f64 / 1000.0),
        paused: tx.jobs().paused().await?,
        webhooks: tx.webhooks().pending().await?,
    })
}

/// Counts the dead letters.
pub(super) async fn count_failed(db: Db) -> Result<i64, SweepError> {
    Ok(db.read().await?.jobs().failed_total().await?)
}

/// Sets the gauges. Ended jobs other than dead letters are not counted, because their number is unbounded.
pub(super) fn set_queue(queue: &Queue) {
    let queued: i64 = queue.depth.iter().map(|(_, jobs)| jobs).sum();
    set_depth(&queue.depth, |jobs| jobs as f64);
    set_statuses(queued as f64, queue.running as f64);
    gauge!(catalogue::QUEUE_SCHEDULED_JOBS).set(queue.scheduled as f64);
    gauge!(catalogue::QUEUE_OLDEST_AGE_SECONDS).set(queue.oldest_age_s);
    gauge!(catalogue::QUEUE_PAUSED).set(f64::from(queue.paused));
    gauge!(catalogue::WEBHOOKS_PENDING).set(queue.webhooks as f64);
}

/// Sets the number of dead letters.
pub(super) fn set_dead_letters(jobs: i64) {
    gauge!(catalogue::QUEUE_DEAD_LETTER_JOBS).set(jobs as f64);
}

/// Hides the gauges when the lead is lost, so that a sum over all processes counts nothing twice.
pub(super) fn hide() {
    set_depth(&PriorityClass::ALL.map(|class| (class, 0)), |_| f64::NAN);
    set_statuses(f64::NAN, f64::NAN);
    for name in [
        catalogue::QUEUE_SCHEDULED_JOBS,
        catalogue::QUEUE_OLDEST_AGE_SECONDS,
        catalogue::QUEUE_DEAD_LETTER_JOBS,
        catalogue::QUEUE_PAUSED,
        catalogue::WEBHOOKS_PENDING,
    ] {
        gauge!(name).set(f64::NAN);
    }
}

fn set_depth(depth: &[(PriorityClass, i64)], value: impl Fn(i64) -> f64) {
    for (class, jobs) in depth {
        gauge!(catalogue::QUEUE_DEPTH_JOBS, "class" => class.as_str()).set(value(*jobs));
    }
}

fn set_statuses(queued: f64, running: f64) {
    for (status, jobs) in [(JobStatus::Queued, queued), (JobStatus::Running, running)] {
        gauge!(catalogue::JOBS_BY_STATUS, "status" => status.as_str()).set(jobs);
    }
}
