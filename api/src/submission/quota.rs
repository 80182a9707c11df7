//! The limits on queued and running jobs, as clients are told of them. The database holds them: see
//! `trainyard_storage::Jobs::admit`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use trainyard_domain::{DatasetId, UserId};
use trainyard_http::{Code, Problem};
use trainyard_storage::{Admission, JobDemand, JobLimits, StorageError, Tx};

/// The `Retry-After` of a refusal.
const RETRY_AFTER_S: u64 = 30;
/// For how long after a refusal a user's submissions are counted before they are written. Written first, they would be
/// undone each time.
const COUNT_FIRST_FOR: Duration = Duration::from_secs(1);
/// Most users that are remembered.
const MAX_USERS: usize = 10_000;

/// The limits, and who reached one a moment ago.
#[derive(Debug)]
pub(crate) struct Quota {
    pub(crate) limits: JobLimits,
    /// Until when submissions of a user are counted first; of everybody under `None`.
    count_first: Mutex<HashMap<Option<UserId>, Instant>>,
}

impl Quota {
    pub(crate) fn new(limits: JobLimits) -> Self {
        Self { limits, count_first: Mutex::default() }
    }

    /// Keeps a place for one more job of `user` until the transaction ends. Call it before any row of a job is changed.
    ///
    /// # Errors
    /// The refusal, of which `deleted` is the one for a data set that is gone.
    pub(crate) async fn admit_one(
        &self,
        tx: &mut Tx,
        user: UserId,
        dataset: DatasetId,
        deleted: impl FnOnce() -> Problem,
    ) -> Result<(), Problem> {
        let admitted = tx.jobs().admit(&[JobDemand::one(user, dataset)], self.limits).await?;
        match admitted.first() {
            Some(Admission::Admitted) => Ok(()),
            Some(Admission::DatasetDeleted) => Err(deleted()),
            Some(Admission::UserFull) => Err(self.user_full()),
            Some(Admission::TotalFull) => Err(self.full()),
            None => Err(Problem::internal(StorageError::Other("a demand without an answer".into()))),
        }
    }

    /// The refusal of jobs beyond what one user may have.
    pub(crate) fn user_full(&self) -> Problem {
        refusal("you may have", self.limits.per_user, "api.max_jobs_per_user")
    }

    /// The refusal of jobs beyond what all users may have.
    pub(crate) fn full(&self) -> Problem {
        refusal("there may be", self.limits.total, "api.max_jobs_total")
    }

    /// Whether one of `users` reached a limit a moment ago.
    pub(crate) fn counts_first(&self, users: impl IntoIterator<Item = UserId>) -> bool {
        let (known, now) = (self.count_first(), Instant::now());
        if known.is_empty() {
            return false;
        }
        let counts = |user: Option<UserId>| known.get(&user).is_some_and(|until| now < *until);
        counts(None) || users.into_iter().any(|user| counts(Some(user)))
    }

    /// Notes that `user` reached the limit, or with `None` that all users did.
    pub(crate) fn count_first_for(&self, user: Option<UserId>) {
        let (mut known, now) = (self.count_first(), Instant::now());
        if known.len() >= MAX_USERS {
            known.retain(|_, until| now < *until);
        }
        known.insert(user, now + COUNT_FIRST_FOR);
    }

    fn count_first(&self) -> MutexGuard<'_, HashMap<Option<UserId>, Instant>> {
        self.count_first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal(whose: &str, most: i64, setting: &str) -> Problem {
    let detail = format!("{whose} at most {most} jobs queued or running ({setting}); try again when some have ended");
    Problem::new(Code::RateLimited, detail).retry_after(RETRY_AFTER_S)
}
