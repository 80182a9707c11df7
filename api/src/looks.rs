//! Looking at single jobs: requests that come at the same time share one visit to the database, and the line of waiting
//! jobs is not counted anew for each of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::{Coalesce, Db, StorageError, Tx};

/// Most looks that share a visit.
const MAX_LOOKS: usize = 128;
/// The furthest that places in line are counted.
const COUNTED: i64 = 10_000;
/// The line is read again after this many times what reading it took: a short one at once, a long one after a second.
const WORTH: u32 = 20;
const LONGEST: Duration = Duration::from_secs(1);

/// A job at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The job.
    pub(crate) job: Job,
    /// Where it stands in line, if it waits; from 1.
    pub(crate) position: Option<i64>,
    /// The database's time.
    pub(crate) at: DateTime<Utc>,
}

/// Looks at jobs; `None` for one that is not there.
pub(crate) type Looks = Coalesce<JobId, Option<Look>>;

/// Starts to look. Call it within a Tokio runtime.
pub(crate) fn start(db: &Db) -> Looks {
    let line = Line { db: db.clone(), read: Mutex::default(), renewing: AtomicBool::default() };
    let (db, line) = (db.clone(), Arc::new(line));
    Coalesce::start(MAX_LOOKS, move |ids: Vec<JobId>| {
        let (db, line) = (db.clone(), Arc::clone(&line));
        async move {
            // The line may be read a moment after the job, as it may have been read a moment before.
            let mut tx = db.glance().await?;
            let mut wanted = ids.clone();
            wanted.sort();
            wanted.dedup();
            let mut found = Vec::with_capacity(wanted.len());
            let (at, jobs) = tx.jobs().get_many_now(&wanted).await?;
            for job in jobs {
                let position = match job.status {
                    JobStatus::Queued => Some(line.position(&mut tx, &job, at).await?),
                    _ => None,
                };
                found.push(Look { job, position, at });
            }
            // Gives the connection back warm.
            tx.commit().await?;
            found.sort_by_key(|look| look.job.id);
            let find = |id| found.binary_search_by_key(&id, |look: &Look| look.job.id).ok().map(|i| found[i].clone());
            Ok(ids.into_iter().map(find).collect())
        }
    })
}

/// The jobs that wait, in their order, as last read.
struct Line {
    db: Db,
    read: Mutex<Option<Read>>,
    /// Somebody reads it anew in the background.
    renewing: AtomicBool,
}

#[derive(Clone)]
struct Read {
    /// Priority, negated, and id: sorted as they run.
    places: Arc<[(i64, JobId)]>,
    good_until: Instant,
    /// Until then it still serves while it is read anew, so that nobody waits for a long line.
    serves_until: Instant,
}

impl Line {
    async fn position(self: &Arc<Self>, tx: &mut Tx, job: &Job, now: DateTime<Utc>) -> Result<i64, StorageError> {
        // One that is not due yet has others before it that are not due yet either.
        if job.run_at > now {
            return tx.jobs().queue_position(job).await;
        }
        let (known, moment) = (self.read.lock().unwrap_or_else(PoisonError::into_inner).clone(), Instant::now());
        let read = match known {
            Some(read) if moment < read.good_until => read,
            Some(read) if moment < read.serves_until => {
                self.renew();
                read
            }
            _ => self.read(tx).await?,
        };
        let place = (-job.spec.priority, job.id);
        let ahead = read.places.partition_point(|other| *other < place);
        Ok(i64::try_from(ahead).unwrap_or(COUNTED) + 1)
    }

    fn renew(self: &Arc<Self>) {
        let line = Arc::clone(self);
        self.renew_with(async move {
            let mut tx = line.db.glance().await?;
            line.read(&mut tx).await?;
            tx.commit().await
        });
    }

    /// Runs `read` in the background, unless another renewal is running.
    fn renew_with(self: &Arc<Self>, read: impl Future<Output = Result<(), StorageError>> + Send + 'static) {
        let Some(renewal) = Renewal::begin(self) else { return };
        tokio::spawn(async move {
            if let Err(error) = read.await {
                tracing::debug!(%error, "the line could not be read");
            }
            drop(renewal);
        });
    }

    async fn read(&self, tx: &mut Tx) -> Result<Read, StorageError> {
        let began = Instant::now();
        let line = tx.jobs().line(COUNTED).await?;
        let places = line.into_iter().map(|(priority, id)| (-priority, id)).collect();
        let (ended, worth) = (Instant::now(), (began.elapsed() * WORTH).min(LONGEST));
        let read = Read { places, good_until: ended + worth, serves_until: ended + worth * 2 };
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(read.clone());
        Ok(read)
    }
}

/// The one renewal that is running. Its end, also by a panic, lets the next one begin.
struct Renewal(Arc<Line>);

impl Renewal {
    fn begin(line: &Arc<Line>) -> Option<Self> {
        (!line.renewing.swap(true, Ordering::SeqCst)).then(|| Self(Arc::clone(line)))
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.renewing.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use trainyard_storage::PoolOptions;

    use super::*;

    #[tokio::test]
    async fn after_a_panic_the_next_renewal_runs() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let db = Db::connect(&url, &PoolOptions::default()).await.unwrap();
        let line = Arc::new(Line { db, read: Mutex::default(), renewing: AtomicBool::default() });
        let (panicked, ended) = oneshot::channel::<()>();
        line.renew_with(async move {
            let _dropped_by_the_panic = panicked;
            panic!("a defect");
        });
        ended.await.unwrap_err();
        let (runs, ran) = oneshot::channel();
        line.renew_with(async move {
            let _ = runs.send(());
            Ok(())
        });
        ran.await.unwrap();
    }
}
