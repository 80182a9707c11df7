//! Returns the running jobs of a dead predecessor to the queue at once, without waiting for their leases to expire.

use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::{Job, JobFilter, JobStatus};
use trainyard_storage::{Db, Result};

use crate::finish::{self, FinishedBy};

const PAGE: i64 = 100;

/// Returns every running job to the queue without a counted attempt, releases the lead of the sweep, and returns the number
/// of jobs.
///
/// Only for embedded mode, before its worker starts: no other process may run jobs of this database.
///
/// # Errors
/// Database errors. A second call continues where the first stopped.
pub async fn reclaim_orphans(db: &Db) -> Result<u64> {
    let mut tx = db.begin().await?;
    tx.leaders().release_all().await?;
    tx.commit().await?;
    let mut reclaimed = 0;
    loop {
        let orphans = running(db).await?;
        let mut moved = 0;
        for job in &orphans {
            moved += u64::from(
                finish::try_finish(db, job, RunOutcome::Interrupted, FinishedBy::Worker, 0.0).await?.is_some(),
            );
        }
        reclaimed += moved;
        if moved == 0 {
            return Ok(reclaimed);
        }
    }
}

async fn running(db: &Db) -> Result<Vec<Job>> {
    let filter = JobFilter { status: JobStatus::Running.into(), ..JobFilter::default() };
    Ok(db.read().await?.jobs().list(&filter, None, PAGE).await?.jobs)
}
