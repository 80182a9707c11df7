//! Jobs that train nothing: claimed, and succeeded. They show what the queue itself costs.

use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::{Coalesce, Db};

use crate::held::Entered;
use crate::measure;
use crate::patience::Patience;
use crate::worker::Worker;

/// Ends of runs, each named by job and claim: those that come at the same time share a statement.
pub(crate) type BareEnds = Coalesce<(JobId, i64), bool>;

/// Most ends that share a statement.
const MAX_ENDS: usize = 1024;

/// Starts to end runs.
pub(crate) fn together(db: &Db) -> BareEnds {
    let db = db.clone();
    Coalesce::start(MAX_ENDS, move |runs: Vec<(JobId, i64)>| {
        let db = db.clone();
        async move {
            let mut tx = db.act().await?;
            let ended = tx.jobs().succeed_bare(&runs, None).await?;
            tx.commit().await?;
            Ok(runs.iter().map(|(id, _)| ended.contains(id)).collect())
        }
    })
}

/// Runs a job that trains nothing.
pub(crate) async fn run(worker: &Worker, job: &Job, _entered: Entered) {
    let mut patience = Patience::new(worker.config.storage_patience());
    loop {
        match worker.bare_ends.call((job.id, job.claim)).await {
            Ok(true) => {
                measure::finished(job, JobStatus::Succeeded, worker.deps.clock.now());
                return tracing::debug!("succeeded");
            }
            Ok(false) => return measure::fenced(),
            Err(error) if error.is_retryable() && patience.wait().await => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                return tracing::error!(job_id = %job.id, error, "the end of a run was not recorded");
            }
        }
    }
}
