//! How many jobs may be queued and running. Counting them takes longer the more there are, so a submission goes by the last
//! count and what this process has added since; a count that would refuse it is first made anew, an old one afterwards.
//!
//! The limits protect the service from floods and are no ledger: replicas that submit at the same time can together pass
//! them by what they submit between two counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use trainyard_domain::UserId;
use trainyard_http::{Code, Problem};
use trainyard_storage::{Db, StorageError, Tx};

/// How long a client that is over a limit is told to wait.
const COME_BACK_S: u64 = 30;
/// A count is good for this long at least, and for [`WORTH`] times as long as it took.
const GOOD_FOR: Duration = Duration::from_secs(1);
const WORTH: u32 = 100;
/// How long after a submission old counts are made anew. An idle worker has the job by then, and does not wait for a
/// processor that counts.
const RENEW_AFTER: Duration = Duration::from_millis(20);
/// Users whose counts are remembered.
const MAX_USERS: usize = 10_000;

/// Whose jobs are counted: one user's, or everybody's.
type Whose = Option<UserId>;

/// The limits, and what is known of how far they are used up.
#[derive(Debug)]
pub(crate) struct Quota {
    db: Db,
    per_user: i64,
    total: i64,
    counts: Mutex<HashMap<Whose, Count>>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    jobs: i64,
    good_until: Instant,
    /// Somebody is counting anew.
    renewing: bool,
}

impl Quota {
    pub(crate) fn new(db: Db, per_user: i64, total: i64) -> Self {
        Self { db, per_user, total, counts: Mutex::default() }
    }

    /// Whether `jobs` more of `user` may come; the inner error is the refusal.
    pub(crate) async fn admit(
        &self,
        tx: &mut Tx,
        user: UserId,
        jobs: usize,
    ) -> Result<Result<(), Problem>, StorageError> {
        let more = i64::try_from(jobs).unwrap_or(i64::MAX);
        for (whose, max) in [(Some(user), self.per_user), (None, self.total)] {
            if self.known(tx, whose).await? + more > max && self.count(tx, whose).await? + more > max {
                return Ok(Err(refusal(whose, max)));
            }
        }
        Ok(Ok(()))
    }

    /// The refusal of any job at all.
    pub(crate) fn full(&self) -> Problem {
        refusal(None, self.total)
    }

    /// Notes that jobs of `user` were stored, or are queued again, and has old counts made anew in the background.
    pub(crate) fn add(self: &Arc<Self>, user: UserId, jobs: usize) {
        let more = i64::try_from(jobs).unwrap_or(0);
        let (mut old, now) = (Vec::new(), Instant::now());
        let mut counts = self.counts();
        for whose in [Some(user), None] {
            if let Some(count) = counts.get_mut(&whose) {
                count.jobs += more;
                if !count.renewing && now >= count.good_until {
                    count.renewing = true;
                    old.push(whose);
                }
            }
        }
        drop(counts);
        if !old.is_empty() {
            let quota = Arc::clone(self);
            tokio::spawn(async move { quota.renew(&old).await });
        }
    }

    /// The last count; the first time it is made here.
    async fn known(&self, tx: &mut Tx, whose: Whose) -> Result<i64, StorageError> {
        let known = self.counts().get(&whose).map(|count| count.jobs);
        match known {
            Some(jobs) => Ok(jobs),
            None => self.count(tx, whose).await,
        }
    }

    async fn renew(&self, old: &[Whose]) {
        tokio::time::sleep(RENEW_AFTER).await;
        let counted = async {
            let mut tx = self.db.read().await?;
            for whose in old {
                self.count(&mut tx, *whose).await?;
            }
            Ok::<_, StorageError>(())
        };
        if let Err(error) = counted.await {
            tracing::debug!(%error, "jobs could not be counted");
            for whose in old {
                self.counts().entry(*whose).and_modify(|count| count.renewing = false);
            }
        }
    }

    async fn count(&self, tx: &mut Tx, whose: Whose) -> Result<i64, StorageError> {
        let began = Instant::now();
        let jobs = match whose {
            Some(user) => tx.jobs().active_of(user).await?,
            None => tx.jobs().active_total().await?,
        };
        let good_until = Instant::now() + GOOD_FOR.max(began.elapsed() * WORTH);
        let mut counts = self.counts();
        if counts.len() >= MAX_USERS {
            counts.clear();
        }
        counts.insert(whose, Count { jobs, good_until, renewing: false });
        Ok(jobs)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Whose, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal(whose: Whose, max: i64) -> Problem {
    let whose = if whose.is_some() { "you may have" } else { "there may be" };
    let detail = format!("{whose} at most {max} jobs queued or running; try again when some have ended");
    Problem::new(Code::RateLimited, detail).retry_after(COME_BACK_S)
}
