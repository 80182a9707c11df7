//! Refuses jobs that need more memory than every worker allows. A worker reports its limit with its heartbeat, so the API
//! needs no setting of the workers.

use chrono::Duration;
use trainyard_domain::params::Params;
use trainyard_domain::training_memory::{TrainingShape, estimate};
use trainyard_domain::{FieldError, IndexedDataset, JobSpec};
use trainyard_storage::StorageError;

use crate::state::Dependencies;

/// Jobs on smaller tables are accepted without an estimate.
const MIN_ROWS: i64 = 2_000;
/// Jobs that need less are accepted without reading the limits.
const MIN_BYTES: u64 = 256 << 20;

/// The memory that a job needs in any case, in bytes. `None` if it is too little to check, or not known before the training.
pub(super) fn least_memory(spec: &JobSpec, dataset: &IndexedDataset) -> Option<u64> {
    if dataset.rows < MIN_ROWS {
        return None;
    }
    let training = spec.training()?;
    let shape = TrainingShape::at_least(training, dataset)?;
    let params = Params::parse(training.algorithm, &training.params).ok()?;
    Some(estimate(&shape, training.algorithm, &params, 1).least).filter(|least| *least >= MIN_BYTES)
}

/// The largest limit of the live workers in megabytes. `None` if a job may find a worker without a limit: there is no worker,
/// or one has no limit, or one has not reported its limit because of an earlier version.
pub(super) async fn largest_limit_mb(dependencies: &Dependencies) -> Result<Option<u64>, StorageError> {
    let mut tx = dependencies.db.read_autocommit().await?;
    let since = tx.now().await? - Duration::seconds(dependencies.config.worker_alive_s);
    let workers = tx.workers().list(since).await?;
    tx.commit().await?;
    Ok(largest(workers.iter().map(|worker| worker.memory_limit_mb)))
}

fn largest(limits: impl Iterator<Item = Option<i64>>) -> Option<u64> {
    let limits = limits.map(|limit| u64::try_from(limit?).ok().filter(|limit| *limit > 0));
    limits.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

/// Why a job that needs `least` bytes is refused; `None` if it fits into `limit_mb`.
pub(super) fn refusal(spec: &JobSpec, least: u64, limit_mb: u64) -> Option<FieldError> {
    let training = spec.training()?;
    let needed_mb = least.div_ceil(1 << 20);
    (needed_mb > limit_mb).then(|| {
        let message = format!(
            "needs at least {needed_mb} MB of memory to train {} on {} features, more than the {limit_mb} MB of \
             worker.child_memory_mb; use fewer features or fewer rows",
            training.algorithm.as_str(),
            training.features.len(),
        );
        FieldError::new("dataset", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_limit_is_known_only_if_every_worker_has_one() {
        let of = |limits: &[Option<i64>]| largest(limits.iter().copied());
        assert_eq!(of(&[Some(1_024), Some(4_096), Some(2_048)]), Some(4_096));
        assert_eq!(of(&[]), None, "no worker");
        assert_eq!(of(&[Some(1_024), Some(0)]), None, "a worker without a limit");
        assert_eq!(of(&[Some(1_024), None]), None, "a worker of an earlier version");
    }
}
