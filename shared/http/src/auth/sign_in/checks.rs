//! Password checks behind the limits and the queue. Identical checks in flight share one hash.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use trainyard_domain::Clock;

use super::limits::{Attempt, AttemptCount, Limited, SignInLimits};
use super::queue::Requester;
use crate::auth::{PasswordError, Passwords};

/// Checks the passwords of sign-ins.
pub struct PasswordChecks {
    limits: Arc<SignInLimits>,
    passwords: Arc<Passwords>,
    clock: Clock,
    in_flight: Arc<InFlight>,
}

/// The outcome of a check.
#[derive(Debug, Clone)]
pub struct PasswordCheck {
    is_right: bool,
    /// The first successful caller takes the count.
    count: Arc<Mutex<Option<AttemptCount>>>,
}

/// Why a password was not checked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CheckRefused {
    /// A limit is reached: 429.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The queue is full, or the hash function failed.
    #[error(transparent)]
    Password(#[from] Arc<PasswordError>),
}

type Check = BoxFuture<'static, Result<PasswordCheck, CheckRefused>>;

/// Callers with equal keys share a check. The requester is part of the key, so that no caller waits behind another address.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    requester: Requester,
    password: String,
    hash: Option<String>,
}

#[derive(Default)]
struct InFlight(Mutex<HashMap<Arc<Key>, WeakShared<Check>>>);

/// Removes a check from the table when the check ends, or when all of its callers have disconnected.
struct Entry {
    key: Arc<Key>,
    in_flight: Arc<InFlight>,
}

impl fmt::Debug for PasswordChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordChecks({} in flight)", self.in_flight.table().len())
    }
}

impl InFlight {
    fn table(&self) -> MutexGuard<'_, HashMap<Arc<Key>, WeakShared<Check>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.in_flight.table().remove(&self.key);
    }
}

impl PasswordCheck {
    /// Whether the password is the account's.
    pub fn is_right(&self) -> bool {
        self.is_right
    }
}

impl PasswordChecks {
    /// Checks of one process.
    pub fn new(limits: SignInLimits, passwords: Arc<Passwords>, clock: Clock) -> Self {
        Self { limits: Arc::new(limits), passwords, clock, in_flight: Arc::default() }
    }

    /// The limits of the checks.
    pub fn limits(&self) -> &SignInLimits {
        &self.limits
    }

    /// Compares `password` with `hash`, as [`Passwords::verify_or_dummy`] does, and counts a failure. Callers report a
    /// success with [`PasswordChecks::succeeded`].
    ///
    /// # Errors
    /// [`CheckRefused`], on arrival or after the wait for a processor.
    pub async fn check(
        &self,
        attempt: Attempt,
        password: &str,
        hash: Option<&str>,
    ) -> Result<PasswordCheck, CheckRefused> {
        self.limits.check(attempt, self.clock.now())?;
        self.share(attempt, password, hash).await
    }

    /// Records the success of a sign-in: its check does not count as a failure.
    pub fn succeeded(&self, check: &PasswordCheck) {
        let count = check.count.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(count) = count {
            self.limits.succeeded(count, self.clock.now());
        }
    }

    /// Joins the identical check in flight, or starts a new one.
    fn share(&self, attempt: Attempt, password: &str, hash: Option<&str>) -> Shared<Check> {
        let (password, hash) = (password.to_owned(), hash.map(str::to_owned));
        let key = Arc::new(Key { requester: attempt.requester(), password, hash });
        let mut table = self.in_flight.table();
        if let Some(check) = table.get(&key).and_then(WeakShared::upgrade) {
            return check;
        }
        let entry = Entry { key: Arc::clone(&key), in_flight: Arc::clone(&self.in_flight) };
        let (limits, passwords, clock) = (Arc::clone(&self.limits), Arc::clone(&self.passwords), self.clock.clone());
        let check = run(limits, passwords, clock, attempt, entry).boxed().shared();
        if let Some(weak) = check.downgrade() {
            table.insert(key, weak);
        }
        check
    }
}

async fn run(
    limits: Arc<SignInLimits>,
    passwords: Arc<Passwords>,
    clock: Clock,
    attempt: Attempt,
    entry: Entry,
) -> Result<PasswordCheck, CheckRefused> {
    let permit = passwords.permit(attempt.requester()).await.map_err(Arc::new)?;
    // Others may have failed while this attempt waited.
    let count = limits.begin(attempt, clock.now())?;
    let Key { password, hash, .. } = &*entry.key;
    let is_right = passwords.verify_or_dummy(permit, password, hash.as_deref()).await.map_err(Arc::new)?;
    Ok(PasswordCheck { is_right, count: Arc::new(Mutex::new(Some(count))) })
}
