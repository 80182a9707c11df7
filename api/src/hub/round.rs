//! One look at all watched jobs: a query that says which have news, and for those the news.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId};
use trainyard_storage::{Db, JobHead, Result, Tx};

use super::{Known, Sight};

/// Writes of one log read in a round; the next round goes on from there.
const WRITES: i64 = 500;

/// The jobs with news, each with what is seen now; `None` for one that is not there.
///
/// # Errors
/// As every query.
pub(super) async fn look(db: &Db, known: &[Known]) -> Result<Vec<(JobId, Option<Sight>)>> {
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<JobId> = known.iter().map(|known| known.id).collect();
    let mut tx = db.read().await?;
    let heads: HashMap<JobId, JobHead> = tx.jobs().heads(&ids).await?.into_iter().map(|head| (head.id, head)).collect();
    let changed: Vec<(&Known, JobHead)> = known
        .iter()
        .filter_map(|known| Some((known, *heads.get(&known.id)?)))
        .filter(|(known, head)| has_news(known, head))
        .collect();
    let mut news: Vec<_> =
        known.iter().filter(|known| !heads.contains_key(&known.id)).map(|known| (known.id, None)).collect();
    if changed.is_empty() {
        return Ok(news);
    }
    let now = tx.now().await?;
    let ids: Vec<JobId> = changed.iter().map(|(known, _)| known.id).collect();
    let mut jobs: HashMap<JobId, Job> = tx.jobs().get_many(&ids).await?.into_iter().map(|job| (job.id, job)).collect();
    for (known, head) in changed {
        if let Some(job) = jobs.remove(&known.id) {
            news.push((known.id, Some(see(&mut tx, known, head, job, now).await?)));
        }
    }
    Ok(news)
}

fn has_news(known: &Known, head: &JobHead) -> bool {
    known.asked
        || known.sight.as_ref().is_none_or(|sight| {
            sight.job.revision != head.revision
                || (known.wants_lines && (!sight.is_whole || sight.read_to != head.last_seq))
        })
}

async fn see(tx: &mut Tx, known: &Known, head: JobHead, job: Job, at: DateTime<Utc>) -> Result<Sight> {
    let (mut lines, mut read_to) = match &known.sight {
        Some(sight) => (sight.lines.clone(), sight.read_to),
        None => (Vec::new(), 0),
    };
    if known.wants_lines && read_to < head.last_seq {
        let more = tx.logs().after(job.id, read_to, WRITES).await?;
        if let Some(last) = more.last() {
            read_to = last.seq;
            lines.push(Arc::from(more));
        }
    }
    let is_whole = known.wants_lines && read_to >= head.last_seq;
    Ok(Sight { job, at, lines, read_to, is_whole })
}
