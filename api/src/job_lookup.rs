//! Reads single jobs. Concurrent requests share one read, and the queue is not read anew for each queue position.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::{Batcher, Db, JobBatch, StorageError, Tx};

/// Most lookups that share a read.
const MAX_BATCH: usize = 128;
/// The highest queue position that is counted.
const MAX_POSITION: i64 = 10_000;
/// A queue snapshot serves this many times as long as reading it took, up to [`MAX_AGE`]. A short queue is thus read often,
/// a long one once a second.
const AGE_PER_READ_TIME: u32 = 20;
const MAX_AGE: Duration = Duration::from_secs(1);

/// A job read at one moment.
#[derive(Debug, Clone)]
pub(crate) struct JobSnapshot {
    pub(crate) job: Job,
    /// The queue position of a queued job, from 1.
    pub(crate) queue_position: Option<i64>,
    /// The database's time of the read.
    pub(crate) at: DateTime<Utc>,
}

/// The result of one lookup: `None` for a job that does not exist, an error for an unreadable one.
type Found = Result<Option<JobSnapshot>, StorageError>;

/// Looks up jobs by id.
pub(crate) type JobLookup = Batcher<JobId, Found>;

/// Starts the task that answers lookups. Call it within a Tokio runtime.
pub(crate) fn start(db: &Db) -> JobLookup {
    let positions = QueuePositions { db: db.clone(), snapshot: Mutex::default(), refreshing: AtomicBool::default() };
    let (db, positions) = (db.clone(), Arc::new(positions));
    Batcher::start(MAX_BATCH, move |ids: Vec<JobId>| {
        let (db, positions) = (db.clone(), Arc::clone(&positions));
        async move { look_up(&db, &positions, ids).await }
    })
}

/// The snapshots of `ids`, in the same order. Jobs and queue positions may be read at slightly different moments.
async fn look_up(db: &Db, positions: &Arc<QueuePositions>, ids: Vec<JobId>) -> Result<Vec<Found>, StorageError> {
    let mut tx = db.read_autocommit().await?;
    let mut distinct = ids.clone();
    distinct.sort();
    distinct.dedup();
    let mut found = Vec::with_capacity(distinct.len());
    let JobBatch { at, jobs, unreadable } = tx.jobs().get_many_with_time(&distinct).await?;
    for job in jobs {
        let queue_position = match job.status {
            JobStatus::Queued => Some(positions.position(&mut tx, &job, at).await?),
            _ => None,
        };
        found.push(JobSnapshot { job, queue_position, at });
    }
    // The commit returns the connection with its prepared statements to the pool.
    tx.commit().await?;
    found.sort_by_key(|snapshot| snapshot.job.id);
    let find = |id: JobId| match unreadable.iter().find(|(other, _)| *other == id) {
        Some((_, StorageError::Corrupt(what))) => Err(StorageError::Corrupt(what.clone())),
        _ => {
            let index = found.binary_search_by_key(&id, |snapshot: &JobSnapshot| snapshot.job.id).ok();
            Ok(index.map(|index| found[index].clone()))
        }
    };
    Ok(ids.into_iter().map(find).collect())
}

/// The queue positions of jobs, from a cached snapshot of the queue.
struct QueuePositions {
    db: Db,
    snapshot: Mutex<Option<QueueSnapshot>>,
    /// Whether a background refresh is running.
    refreshing: AtomicBool,
}

#[derive(Clone)]
struct QueueSnapshot {
    /// Negated priority and id of each due job, in the order of execution.
    jobs: Arc<[(i64, JobId)]>,
    fresh_until: Instant,
    /// Until then a stale snapshot is still used while a background task refreshes it.
    usable_until: Instant,
}

impl QueuePositions {
    async fn position(self: &Arc<Self>, tx: &mut Tx, job: &Job, now: DateTime<Utc>) -> Result<i64, StorageError> {
        // The snapshot holds due jobs only.
        if job.run_at > now {
            return tx.jobs().queue_position(job).await;
        }
        let (cached, instant) = (self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone(), Instant::now());
        let snapshot = match cached {
            Some(snapshot) if instant < snapshot.fresh_until => snapshot,
            Some(snapshot) if instant < snapshot.usable_until => {
                self.refresh();
                snapshot
            }
            _ => self.read(tx).await?,
        };
        let key = (-job.spec.priority, job.id);
        let ahead = snapshot.jobs.partition_point(|other| *other < key);
        Ok(i64::try_from(ahead).unwrap_or(MAX_POSITION) + 1)
    }

    fn refresh(self: &Arc<Self>) {
        let positions = Arc::clone(self);
        self.refresh_with(async move {
            let mut tx = positions.db.read_autocommit().await?;
            positions.read(&mut tx).await?;
            tx.commit().await
        });
    }

    /// Runs `read` in the background, unless another refresh is running.
    fn refresh_with(self: &Arc<Self>, read: impl Future<Output = Result<(), StorageError>> + Send + 'static) {
        let Some(guard) = RefreshGuard::acquire(self) else { return };
        tokio::spawn(async move {
            if let Err(error) = read.await {
                tracing::debug!(%error, "the queue positions could not be refreshed");
            }
            drop(guard);
        });
    }

    async fn read(&self, tx: &mut Tx) -> Result<QueueSnapshot, StorageError> {
        let began = Instant::now();
        let queue = tx.jobs().queue_order(MAX_POSITION).await?;
        let jobs = queue.into_iter().map(|(priority, id)| (-priority, id)).collect();
        let (ended, age) = (Instant::now(), (began.elapsed() * AGE_PER_READ_TIME).min(MAX_AGE));
        let snapshot = QueueSnapshot { jobs, fresh_until: ended + age, usable_until: ended + age * 2 };
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot.clone());
        Ok(snapshot)
    }
}

/// Held by the one background refresh. Dropping it, also in a panic, allows the next refresh.
struct RefreshGuard(Arc<QueuePositions>);

impl RefreshGuard {
    fn acquire(positions: &Arc<QueuePositions>) -> Option<Self> {
        (!positions.refreshing.swap(true, Ordering::SeqCst)).then(|| Self(Arc::clone(positions)))
    }
}

impl Drop for RefreshGuard {
    fn drop(&mut self) {
        self.0.refreshing.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use trainyard_storage::PoolOptions;

    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_refresh_does_not_block_the_next_refresh() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let db = Db::connect(&url, &PoolOptions::default()).await.unwrap();
        let positions = Arc::new(QueuePositions { db, snapshot: Mutex::default(), refreshing: AtomicBool::default() });
        let (panicked, ended) = oneshot::channel::<()>();
        positions.refresh_with(async move {
            let _dropped_by_the_panic = panicked;
            panic!("a defect");
        });
        ended.await.unwrap_err();
        let (runs, ran) = oneshot::channel();
        positions.refresh_with(async move {
            let _ = runs.send(());
            Ok(())
        });
        ran.await.unwrap();
    }
}
