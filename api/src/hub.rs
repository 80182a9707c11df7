//! Watches jobs for everybody at once: one task asks the database for news of all watched jobs in one query a round, and
//! wakes whoever watches one that has some. A job that nobody watches costs nothing, and a thousand watchers of one job
//! cost as much as one.

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
    /// Runs while jobs are watched.
    task: Option<JoinHandle<()>>,
}

struct Entry {
    seen: watch::Sender<Seen>,
    wants_lines: bool,
}

/// What is known of a watched job, and so what is news.
struct Known {
    id: JobId,
    wants_lines: bool,
    sight: Option<Arc<Sight>>,
}

impl Known {
    /// Whether somebody waits for a first look.
    fn is_fresh(&self) -> bool {
        self.sight.as_ref().is_none_or(|sight| self.wants_lines && !sight.is_whole)
    }
}

impl Hub {
    /// A hub that asks `db` for news every so often.
    pub(crate) fn new(db: Db, every: Duration) -> Self {
        Self(Arc::new(Shared { db, every, watched: Mutex::default(), asked: Notify::new() }))
    }

    /// Watches a job, with its log or without, until the receiver is dropped. Call it within a Tokio runtime.
    pub(crate) fn watch(&self, id: JobId, lines: bool) -> watch::Receiver<Seen> {
        let mut watched = self.0.watched();
        let entry = watched
            .jobs
            .entry(id)
            .or_insert_with(|| Entry { seen: watch::Sender::new(Seen::NotYet), wants_lines: false });
        entry.wants_lines |= lines;
        let receiver = entry.seen.subscribe();
        // Also when the last task died of a defect.
        if watched.task.as_ref().is_none_or(JoinHandle::is_finished) {
            watched.task = Some(tokio::spawn(run(Arc::clone(&self.0))));
        }
        if !matches!(&*receiver.borrow(), Seen::Here(sight) if sight.is_whole || !lines) {
            self.0.asked.notify_one();
        }
        receiver
    }
}

/// Goes round while anything is watched.
async fn run(hub: Arc<Shared>) {
    let mut fresh_alone = false;
    let mut next_round = Instant::now();
    while let Some(mut known) = hub.known() {
        if fresh_alone {
            known.retain(Known::is_fresh);
        } else {
            next_round = Instant::now() + hub.every;
        }
        match round::look(&hub.db, &known).await {
            Ok(news) => hub.tell(news),
            Err(error) => {
                tracing::debug!(%error, "watched jobs could not be looked at");
                hub.tell_unavailable();
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
    /// What is known of the jobs that are still watched; `None`, and no task any more, when there are none.
    fn known(&self) -> Option<Vec<Known>> {
        let mut watched = self.watched();
        watched.jobs.retain(|_, entry| entry.seen.receiver_count() > 0);
        if watched.jobs.is_empty() {
            watched.task = None;
            return None;
        }
        let known = watched.jobs.iter().map(|(id, entry)| Known {
            id: *id,
            wants_lines: entry.wants_lines,
            sight: match &*entry.seen.borrow() {
                Seen::Here(sight) => Some(Arc::clone(sight)),
                Seen::NotYet | Seen::Unavailable | Seen::Missing => None,
            },
        });
        Some(known.collect())
    }

    fn tell(&self, news: Vec<(JobId, Option<Sight>)>) {
        let watched = self.watched();
        for (id, sight) in news {
            if let Some(entry) = watched.jobs.get(&id) {
                entry.seen.send_replace(sight.map_or(Seen::Missing, |sight| Seen::Here(Arc::new(sight))));
            }
        }
    }

    /// Those who have seen their job go on waiting; those who have not are told.
    fn tell_unavailable(&self) {
        for entry in self.watched().jobs.values() {
            entry.seen.send_if_modified(|seen| {
                let waits = matches!(seen, Seen::NotYet);
                if waits {
                    *seen = Seen::Unavailable;
                }
                waits
            });
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
