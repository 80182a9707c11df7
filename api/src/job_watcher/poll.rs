//! One poll of all watched jobs: a query finds the jobs that changed, and only these are read.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId};
use trainyard_storage::{Db, JobRevision, Result, Tx};

use super::{Target, WatchedJob};

/// Log writes that one poll reads per job. The next poll reads the rest.
const MAX_LOG_WRITES: i64 = 500;

/// The jobs that changed since the last poll; `None` for a job that does not exist.
pub(super) async fn read_changed(db: &Db, targets: &[Target]) -> Result<Vec<(JobId, Option<WatchedJob>)>> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<JobId> = targets.iter().map(|target| target.id).collect();
    let mut tx = db.read().await?;
    let heads: HashMap<JobId, JobRevision> =
        tx.jobs().job_revisions(&ids).await?.into_iter().map(|head| (head.id, head)).collect();
    let changed: Vec<(&Target, JobRevision)> = targets
        .iter()
        .filter_map(|target| Some((target, *heads.get(&target.id)?)))
        .filter(|(target, head)| has_changed(target, head))
        .collect();
    let mut result: Vec<_> =
        targets.iter().filter(|target| !heads.contains_key(&target.id)).map(|target| (target.id, None)).collect();
    if changed.is_empty() {
        return Ok(result);
    }
    let now = tx.now().await?;
    let ids: Vec<JobId> = changed.iter().map(|(target, _)| target.id).collect();
    let mut jobs: HashMap<JobId, Job> = tx.jobs().get_many(&ids).await?.into_iter().map(|job| (job.id, job)).collect();
    for (target, head) in changed {
        if let Some(job) = jobs.remove(&target.id) {
            result.push((target.id, Some(read_log(&mut tx, target, head, job, now).await?)));
        }
    }
    Ok(result)
}

fn has_changed(target: &Target, head: &JobRevision) -> bool {
    target.has_new_subscriber
        || target.last.as_ref().is_none_or(|last| {
            last.job.revision != head.revision
                || (target.wants_log && (!last.log_complete || last.last_seq != head.last_seq))
        })
}

/// Reads the log lines that were added since the last poll.
async fn read_log(tx: &mut Tx, target: &Target, head: JobRevision, job: Job, at: DateTime<Utc>) -> Result<WatchedJob> {
    let (mut log, mut last_seq) = match &target.last {
        Some(last) => (last.log.clone(), last.last_seq),
        None => (Vec::new(), 0),
    };
    if target.wants_log && last_seq < head.last_seq {
        let added = tx.logs().after(job.id, last_seq, MAX_LOG_WRITES).await?;
        last_seq = added.read_to;
        if !added.lines.is_empty() {
            log.push(Arc::from(added.lines));
        }
    }
    let log_complete = target.wants_log && last_seq >= head.last_seq;
    Ok(WatchedJob { job, at, log, last_seq, log_complete })
}
