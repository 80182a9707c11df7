//! The limits on queued and running jobs. `trainyard_storage::Jobs::admit` enforces them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use trainyard_domain::{DatasetId, UserId};
use trainyard_http::{Code, Problem};
use trainyard_storage::{Admission, JobDemand, JobLimits, QuotaCredit, StorageError, Tx};

/// The `Retry-After` of a refusal.
const RETRY_AFTER_S: u64 = 30;
/// For how long after a refusal a user's active jobs are counted before new ones are inserted. Without the count, each
/// insert would be rolled back.
const COUNT_FIRST_FOR: Duration = Duration::from_secs(1);
/// Most users in [`Quota::count_first`].
const MAX_USERS: usize = 10_000;

/// The limits, the quota that this process has reserved, and the users that reached a limit a moment ago.
#[derive(Debug)]
pub(crate) struct Quota {
    pub(crate) limits: JobLimits,
    pub(crate) credit: QuotaCredit,
    /// Until when the active jobs of a user are counted before an insert; `None` stands for all users.
    count_first: Mutex<HashMap<Option<UserId>, Instant>>,
}

impl Quota {
    pub(crate) fn new(limits: JobLimits) -> Self {
        Self { limits, credit: QuotaCredit::default(), count_first: Mutex::default() }
    }

    /// Reserves a place for one more job of `user` until the transaction ends. Call it before any row of a job is changed:
    /// every transaction locks quota rows first.
    ///
    /// # Errors
    /// 429 at a limit; `deleted` when the dataset was deleted.
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
            Some(Admission::UserFull) => Err(self.user_limit_reached()),
            Some(Admission::TotalFull) => Err(self.total_limit_reached()),
            None => Err(Problem::internal(StorageError::Other("a demand got no admission".into()))),
        }
    }

    /// 429 for a user at the limit.
    pub(crate) fn user_limit_reached(&self) -> Problem {
        refusal("you may have", self.limits.per_user, "api.max_jobs_per_user")
    }

    /// 429 for all users together at the limit.
    pub(crate) fn total_limit_reached(&self) -> Problem {
        refusal("all users together may have", self.limits.total, "api.max_jobs_total")
    }

    /// Whether one of `users`, or all users together, reached a limit a moment ago.
    pub(crate) fn counts_first(&self, users: impl IntoIterator<Item = UserId>) -> bool {
        let (known, now) = (self.count_first(), Instant::now());
        if known.is_empty() {
            return false;
        }
        let counts = |user: Option<UserId>| known.get(&user).is_some_and(|until| now < *until);
        counts(None) || users.into_iter().any(|user| counts(Some(user)))
    }

    /// Records that `user` reached the limit; `None` for the limit of all users together.
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

fn refusal(subject: &str, max: i64, setting: &str) -> Problem {
    let detail = format!("{subject} at most {max} jobs queued or running ({setting}); try again when some have ended");
    Problem::new(Code::RateLimited, detail).retry_after(RETRY_AFTER_S)
}
