//! Password hashes: bcrypt, off the async threads, no more at once than there are cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use trainyard_domain::Password;

/// Any well-formed hash body: verifying against it takes as long as against a real one, and nothing matches it.
const NOBODY: &str = "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01342";

/// Callers that may wait for each hash that can run at once: at a quarter of a second each, 4 s at worst.
const WAITERS_PER_PERMIT: usize = 16;

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting already: answer 503.
    #[error("too many sign-ins at once")]
    Busy,
    /// The hash function failed, or the stored hash is none.
    #[error("bcrypt failed")]
    Bcrypt(#[from] bcrypt::BcryptError),
    /// The thread that hashed died.
    #[error("the hashing thread died")]
    Died(#[from] tokio::task::JoinError),
}

/// Hashes and checks passwords.
#[derive(Debug)]
pub struct Passwords {
    cost: u32,
    dummy: Arc<str>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
}

impl Passwords {
    /// bcrypt's cost in production: a quarter of a second.
    pub const PRODUCTION_COST: u32 = 12;

    /// Hashes at `cost` (4 to 31; [`Passwords::PRODUCTION_COST`] outside tests), on as many threads as there are
    /// cores.
    pub fn new(cost: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::bounded(cost, cores, cores * WAITERS_PER_PERMIT)
    }

    /// The same with `at_once` hashes at once and `max_waiting` callers waiting.
    pub fn bounded(cost: u32, at_once: usize, max_waiting: usize) -> Self {
        let dummy = format!("$2b${cost:02}${NOBODY}").into();
        Self { cost, dummy, permits: Arc::new(Semaphore::new(at_once)), waiting: AtomicUsize::new(0), max_waiting }
    }

    /// The hash to store for `password`.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] under overload.
    pub async fn hash(&self, password: &Password) -> Result<String, PasswordError> {
        let (password, cost) = (password.clone(), self.cost);
        self.run(move || bcrypt::hash(password.reveal(), cost)).await
    }

    /// Whether `password` is the one behind `hash`. Without a hash (nobody has that e-mail address) it is `false`
    /// after the same time, so the answer's time does not tell which addresses exist.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] under overload.
    pub async fn verify_or_dummy(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        // bcrypt would cut a longer password at 72 bytes and accept it.
        let possible = Password::parse(password.to_owned()).is_ok();
        // Accounts of outside issuers have no password: their hash is empty.
        let real = hash.filter(|hash| possible && !hash.is_empty()).map(Arc::from);
        let known = real.is_some();
        let (password, hash) = (password.to_owned(), real.unwrap_or_else(|| self.dummy.clone()));
        let matches = self.run(move || bcrypt::verify(password.as_bytes(), &hash)).await?;
        Ok(matches && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let waiting = Waiting::enter(&self.waiting, self.max_waiting).ok_or(PasswordError::Busy)?;
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        drop(waiting);
        // The permit goes along: a caller that leaves does not stop the thread, so it must not free the slot.
        let done = spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        Ok(done.await??)
    }
}

/// One place in the queue, given back also when the caller leaves.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, max: usize) -> Option<Self> {
        let before = count.fetch_add(1, Ordering::SeqCst);
        let place = Self(count);
        (before < max).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
