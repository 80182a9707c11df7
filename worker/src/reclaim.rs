//! The quick restart of a process that owns its database alone: what its predecessor left running is put back at once
//! instead of waiting for leases to run out.

use trainyard_domain::outcome::Ending;
use trainyard_domain::{Job, JobStatus};
use trainyard_storage::{Db, JobFilter, Result};

use crate::ending::{self, Holder};

const PAGE: i64 = 100;

/// Puts every running job back to the queue, unspent, and returns how many there were. The sweep's lead is free at once too.
///
/// Only for embedded mode, before its worker starts: nobody else may be running jobs of this database.
///
/// # Errors
/// As every query; calling it again goes on where it stopped.
pub async fn reclaim_orphans(db: &Db) -> Result<u64> {
    let mut tx = db.begin().await?;
    tx.leaders().vacate().await?;
    tx.commit().await?;
    let mut reclaimed = 0;
    loop {
        let orphans = running(db).await?;
        let mut moved = 0;
        for job in &orphans {
            moved += u64::from(ending::end(db, job, Ending::Interrupted, Holder::Us, 0.0).await?.is_some());
        }
        reclaimed += moved;
        if moved == 0 {
            return Ok(reclaimed);
        }
    }
}

async fn running(db: &Db) -> Result<Vec<Job>> {
    let filter = JobFilter { status: Some(JobStatus::Running), ..JobFilter::default() };
    db.read().await?.jobs().list(&filter, None, PAGE).await
}
