//! Looking at single jobs: requests that come at the same time share one visit to the database, and the line of waiting
//! jobs is not counted anew for each of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::{Coalesce, Db, StorageError, Tx};

/// Most looks that share a visit.
const MAX_LOOKS: usize = 128;
/// The furthest that places in line are counted.
const COUNTED: i64 = 10_000;
/// The line is read again after this many times what reading it took: a short one at once, a long one within a second.
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
    let (db, line) = (db.clone(), Arc::new(Line::default()));
    Coalesce::start(MAX_LOOKS, move |ids: Vec<JobId>| {
        let (db, line) = (db.clone(), Arc::clone(&line));
        async move {
            // The line may be read a moment after the job, as it may have been read a moment before.
            let mut tx = db.glance().await?;
            let at = tx.now().await?;
            let mut wanted = ids.clone();
            wanted.sort();
            wanted.dedup();
            let mut found = Vec::with_capacity(wanted.len());
            for job in tx.jobs().get_many(&wanted).await? {
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
#[derive(Default)]
struct Line(Mutex<Option<Read>>);

#[derive(Clone)]
struct Read {
    /// Priority, negated, and id: sorted as they run.
    places: Arc<[(i64, JobId)]>,
    good_until: Instant,
}

impl Line {
    async fn position(&self, tx: &mut Tx, job: &Job, now: DateTime<Utc>) -> Result<i64, StorageError> {
        // One that is not due yet has others before it that are not due yet either.
        if job.run_at > now {
            return tx.jobs().queue_position(job).await;
        }
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let read = match known.filter(|read| Instant::now() < read.good_until) {
            Some(read) => read,
            None => self.read(tx, now).await?,
        };
        let place = (-job.spec.priority, job.id);
        let ahead = read.places.partition_point(|other| *other < place);
        Ok(i64::try_from(ahead).unwrap_or(COUNTED) + 1)
    }

    async fn read(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<Read, StorageError> {
        let began = Instant::now();
        let line = tx.jobs().line(now, COUNTED).await?;
        let places = line.into_iter().map(|(priority, id)| (-priority, id)).collect();
        let read = Read { places, good_until: Instant::now() + (began.elapsed() * WORTH).min(LONGEST) };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(read.clone());
        Ok(read)
    }
}
