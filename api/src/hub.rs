//! Watches jobs for everybody at once: one task asks the database for news of all watched jobs in one query a round, and
//! wakes whoever watches one that has some. A job that nobody watches costs nothing, and a thousand watchers of one job
//! cost as much as one.
//!
//! Rounds are numbered, and what a watcher begins with comes of a round that began after the watcher did: what others saw
//! before may be outdated, as of a job that was retried since.

mod round;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use trainyard_domain::{Job, JobId};
use trainyard_storage::{Db, NumberedLine};

/// A job as the hub last saw it.
#[derive(Debug)]
pub(crate) struct Sight {
    /// The job.
    pub(crate) job: Job,
    /// The database's time then.
    pub(crate) at: DateTime<Utc>,
    /// Its log as far as it was read, oldest first, in the pieces it was read in. Nothing while only long polls watch.
    pub(crate) lines: Vec<Arc<[NumberedLine]>>,
    /// The number of the last line read.
    pub(crate) read_to: i64,
    /// Whether the log was asked for and read to its end.
    pub(crate) is_whole: bool,
}

/// What a watcher sees.
#[derive(Debug, Clone)]
pub(crate) enum Seen {
    /// Nothing yet: the first look is on its way.
    NotYet,
    /// The database did not answer the first look; it is tried again.
    Unavailable,
    /// There is no such job.
    Missing,
    /// The job.
    Here(Arc<Sight>),
}

/// What a round saw of a job.
#[derive(Debug, Clone)]
struct Observed {
    round: u64,
    seen: Seen,
}

/// One watcher of a job.
pub(crate) struct JobWatch {
    observed: watch::Receiver<Observed>,
    /// The first round that began after the watcher did.
    from: u64,
}

impl JobWatch {
    /// The job, with its log to the end, as a round sees it that began after this watcher.
    ///
    /// # Errors
    /// When the hub is gone.
    pub(crate) async fn first(&mut self) -> Result<Seen, watch::error::RecvError> {
        let (from, whole) = (self.from, |seen: &Seen| match seen {
            Seen::Here(sight) => sight.is_whole,
            Seen::NotYet => false,
            Seen::Missing | Seen::Unavailable => true,
        });
        let observed = self.observed.wait_for(|observed| observed.round >= from && whole(&observed.seen)).await?;
        Ok(observed.seen.clone())
    }

    /// Waits until what is seen passes `wanted`.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Seen) -> bool) {
        let _ = self.observed.wait_for(|observed| wanted(&observed.seen)).await;
    }

    /// Has [`JobWatch::changed`] answer once more with what is seen now.
    pub(crate) fn mark_changed(&mut self) {
        self.observed.mark_changed();
    }

    /// What is seen when that has changed; `None` when the hub is gone.
    pub(crate) async fn changed(&mut self) -> Option<Seen> {
        self.observed.changed().await.ok()?;
        Some(self.observed.borrow_and_update().seen.clone())
    }
}

/// The hub. Clones share it.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Shared>);

struct Shared {
    db: Db,
    every: Duration,
    watched: Mutex<Watched>,
    /// Somebody watches something new.
    asked: Notify,
}

#[derive(Default)]
struct Watched {
    jobs: HashMap<JobId, Entry>,
    /// The round that began last.
    round: u64,
    /// Runs while jobs are watched.
    task: Option<JoinHandle<()>>,
}

struct Entry {
    observed: watch::Sender<Observed>,
    wants_lines: bool,
    /// Somebody began to watch since the last round began.
    asked: bool,
}

/// What is known of a watched job, and so what is news.
struct Known {
    id: JobId,
    wants_lines: bool,
    /// Whether somebody waits for this round.
    asked: bool,
    sight: Option<Arc<Sight>>,
}

impl Known {
    /// Whether somebody waits for a first look.
    fn is_fresh(&self) -> bool {
        self.asked || self.sight.as_ref().is_none_or(|sight| self.wants_lines && !sight.is_whole)
    }
}

impl Hub {
    /// A hub that asks `db` for news every so often.
    pub(crate) fn new(db: Db, every: Duration) -> Self {
        Self(Arc::new(Shared { db, every, watched: Mutex::default(), asked: Notify::new() }))
    }

    /// Watches a job, with its log or without, until the receiver is dropped. Call it within a Tokio runtime.
    pub(crate) fn watch(&self, id: JobId, lines: bool) -> JobWatch {
        let mut watched = self.0.watched();
        let from = watched.round + 1;
        let nothing = Observed { round: 0, seen: Seen::NotYet };
        let entry = watched.jobs.entry(id).or_insert_with(|| Entry {
            observed: watch::Sender::new(nothing),
            wants_lines: false,
            asked: false,
        });
        entry.wants_lines |= lines;
        entry.asked = true;
        let observed = entry.observed.subscribe();
        // Also when the last task died of a defect.
        if watched.task.as_ref().is_none_or(JoinHandle::is_finished) {
            watched.task = Some(tokio::spawn(run(Arc::clone(&self.0))));
        }
        self.0.asked.notify_one();
        JobWatch { observed, from }
    }
}

/// Goes round while anything is watched.
async fn run(hub: Arc<Shared>) {
    let mut fresh_alone = false;
    let mut next_round = Instant::now();
    while let Some((round, mut known)) = hub.known() {
        if fresh_alone {
            known.retain(Known::is_fresh);
        } else {
            next_round = Instant::now() + hub.every;
        }
        match round::look(&hub.db, &known).await {
            Ok(news) => hub.tell(round, news),
            Err(error) => {
                tracing::debug!(%error, "watched jobs could not be looked at");
                hub.tell_unavailable(round, &known);
            }
        }
        // New watchers get their first look at once, and leave the others to the next round.
        fresh_alone = tokio::select! {
            biased;
            () = tokio::time::sleep_until(next_round) => false,
            () = hub.asked.notified() => true,
        };
    }
}

impl Shared {
    /// Begins a round: its number, and what is known of the jobs that are still watched; `None`, and no task any more, when
    /// there are none.
    fn known(&self) -> Option<(u64, Vec<Known>)> {
        let mut watched = self.watched();
        watched.jobs.retain(|_, entry| entry.observed.receiver_count() > 0);
        if watched.jobs.is_empty() {
            watched.task = None;
            return None;
        }
        watched.round += 1;
        let round = watched.round;
        let known = watched.jobs.iter_mut().map(|(id, entry)| Known {
            id: *id,
            wants_lines: entry.wants_lines,
            asked: std::mem::take(&mut entry.asked),
            sight: match &entry.observed.borrow().seen {
                Seen::Here(sight) => Some(Arc::clone(sight)),
                Seen::NotYet | Seen::Unavailable | Seen::Missing => None,
            },
        });
        Some((round, known.collect()))
    }

    fn tell(&self, round: u64, news: Vec<(JobId, Option<Sight>)>) {
        let watched = self.watched();
        for (id, sight) in news {
            if let Some(entry) = watched.jobs.get(&id) {
                let seen = sight.map_or(Seen::Missing, |sight| Seen::Here(Arc::new(sight)));
                entry.observed.send_replace(Observed { round, seen });
            }
        }
    }

    /// Those who have seen their job go on waiting; those who wait for this round are told.
    fn tell_unavailable(&self, round: u64, known: &[Known]) {
        let watched = self.watched();
        for entry in known.iter().filter(|known| known.asked).filter_map(|known| watched.jobs.get(&known.id)) {
            entry.observed.send_replace(Observed { round, seen: Seen::Unavailable });
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
