//! Measures what no single process can know: how many jobs wait and run, how long the oldest has waited, and how many
//! webhooks are still to be delivered.

use chrono::{DateTime, Utc};
use metrics::gauge;
use trainyard_domain::JobStatus;
use trainyard_telemetry::catalogue;

use super::{Sweep, SweepError};

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let mut tx = sweep.db.read().await?;
    let mut queued = 0;
    for (class, jobs) in tx.jobs().depth_by_class().await? {
        queued += jobs;
        gauge!(catalogue::QUEUE_DEPTH_JOBS, "class" => class.as_str()).set(jobs as f64);
    }
    // Ended jobs are not counted here: there is no end to them.
    let active = tx.jobs().active_total().await?;
    for (status, jobs) in [(JobStatus::Queued, queued), (JobStatus::Running, active - queued)] {
        gauge!(catalogue::JOBS_BY_STATUS, "status" => status.as_str()).set(jobs as f64);
    }
    let oldest = tx.jobs().oldest_queued(now).await?;
    let age = oldest.map_or(0.0, |since| (now - since).num_milliseconds().max(0) as f64 / 1000.0);
    gauge!(catalogue::QUEUE_OLDEST_AGE_SECONDS).set(age);
    gauge!(catalogue::WEBHOOKS_PENDING).set(tx.webhooks().pending().await? as f64);
    Ok(())
}
