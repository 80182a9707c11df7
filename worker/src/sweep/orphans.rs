//! Deletes objects without a row: artifacts and parts of runs that did not publish, checkpoints of jobs that have ended, and
//! datasets whose upload or deletion was interrupted.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use trainyard_artifacts::{Key, Store};
use trainyard_domain::JobId;
use trainyard_storage::Db;

use super::SweepError;

/// The folders of models, datasets, results of predictions, and checkpoints.
const ARTIFACTS: &str = "artifacts";
const DATASETS: &str = "datasets";
const PREDICTIONS: &str = "predictions";
const CHECKPOINTS: &str = "checkpoints";
/// Most objects per query, and in memory.
const BATCH: usize = 500;

/// Checks every object that was written before `before`. The row of a dataset is committed within `api.upload_timeout_s` of
/// its upload, so `before` must be earlier than that.
pub(super) async fn run(db: Db, store: Store, before: DateTime<Utc>) -> Result<(), SweepError> {
    for folder in [ARTIFACTS, DATASETS, PREDICTIONS, CHECKPOINTS] {
        let removed = search(&db, &store, folder, before).await?;
        if removed > 0 {
            tracing::info!(folder, removed, "deleted objects without a row");
        }
    }
    Ok(())
}

async fn search(db: &Db, store: &Store, folder: &str, before: DateTime<Utc>) -> Result<usize, SweepError> {
    let mut removed = 0;
    let mut objects = store.stream(folder);
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(object) = objects.next().await {
        let (key, _, modified) = object?;
        if modified < before {
            batch.push(key);
        }
        if batch.len() == BATCH {
            removed += delete_orphans(db, store, folder, std::mem::take(&mut batch)).await?;
        }
    }
    Ok(removed + delete_orphans(db, store, folder, batch).await?)
}

async fn delete_orphans(db: &Db, store: &Store, folder: &str, batch: Vec<Key>) -> Result<usize, SweepError> {
    if batch.is_empty() {
        return Ok(0);
    }
    let in_use = match folder {
        DATASETS => named_datasets(db, &batch).await?,
        PREDICTIONS | CHECKPOINTS => named_outputs(db, folder, &batch).await?,
        _ => named_artifacts(db, &batch).await?,
    };
    let mut removed = 0;
    for key in batch.iter().filter(|key| !in_use.contains(key.as_str())) {
        store.delete(key).await?;
        removed += 1;
    }
    Ok(removed)
}

async fn named_datasets(db: &Db, batch: &[Key]) -> Result<HashSet<String>, SweepError> {
    let keys: Vec<&str> = batch.iter().map(Key::as_str).collect();
    let mut tx = db.read_autocommit().await?;
    let named = tx.datasets().named(&keys).await?;
    tx.commit().await?;
    Ok(named)
}

/// The artifacts of versions and of active runs. An active run may publish at any time, however old its artifact is. Both are
/// read in one snapshot, so a run that publishes meanwhile is seen before or after.
async fn named_artifacts(db: &Db, batch: &[Key]) -> Result<HashSet<String>, SweepError> {
    let keys: Vec<&str> = batch.iter().map(Key::as_str).collect();
    let runs: Vec<_> = batch.iter().filter_map(run_of).collect();
    let mut tx = db.read().await?;
    let mut named = tx.models().named(&keys).await?;
    let renewals = if runs.is_empty() { Vec::new() } else { tx.jobs().check_leases(&runs).await? };
    tx.commit().await?;
    let active = renewals.into_iter().filter(|run| run.is_current);
    named.extend(active.map(|run| Key::artifact(run.id, run.claim).as_str().to_owned()));
    Ok(named)
}

/// The recorded parts or checkpoints that are in use, and all those of active runs, which may record theirs at any time. Both
/// are read in one snapshot.
async fn named_outputs(db: &Db, folder: &str, batch: &[Key]) -> Result<HashSet<String>, SweepError> {
    let keys: Vec<&str> = batch.iter().map(Key::as_str).collect();
    let runs: Vec<_> = batch.iter().map(output_of).collect();
    let mut distinct: Vec<_> = runs.iter().flatten().copied().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let mut tx = db.read().await?;
    let mut named = match folder {
        CHECKPOINTS => tx.checkpoints().named(&keys).await?,
        _ => tx.predictions().named(&keys).await?,
    };
    let renewals = if distinct.is_empty() { Vec::new() } else { tx.jobs().check_leases(&distinct).await? };
    tx.commit().await?;
    let active: HashSet<_> = renewals.into_iter().filter(|run| run.is_current).map(|run| (run.id, run.claim)).collect();
    let of_active = batch.iter().zip(runs).filter(|(_, run)| run.is_some_and(|run| active.contains(&run)));
    named.extend(of_active.map(|(key, _)| key.as_str().to_owned()));
    Ok(named)
}

/// The job and claim in the key of a part or a checkpoint.
fn output_of(key: &Key) -> Option<(JobId, i64)> {
    let mut segments = key.as_str().split('/').skip(1);
    let (job, claim) = (segments.next()?.parse().ok()?, segments.next()?.parse().ok()?);
    let number = segments.next()?.split_once('.')?.0.parse().ok()?;
    [Key::prediction_part(job, claim, number), Key::checkpoint(job, claim, number)]
        .contains(key)
        .then_some((job, claim))
}

/// The job and claim in an artifact's key.
fn run_of(key: &Key) -> Option<(JobId, i64)> {
    let (job, claim) = key.as_str().strip_prefix(ARTIFACTS)?.strip_prefix('/')?.split_once('/')?;
    let run = (job.parse().ok()?, claim.strip_suffix(".tym")?.parse().ok()?);
    (Key::artifact(run.0, run.1) == *key).then_some(run)
}
