//! Password hashes: bcrypt on blocking threads, at most one per core, in the order of a fair queue.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use trainyard_domain::Password;

use super::sign_in::{HashPermit, HashQueue, QueueFull, Requester};

/// Salt and hash of a valid bcrypt hash that no password matches. A check against it takes as long as any other.
const DUMMY_HASH: &str = "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01342";

const MAX_WAITING: usize = 256;

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The queue is full, or the wait was too long: 503.
    #[error(transparent)]
    Busy(#[from] QueueFull),
    /// The hash function failed, or the stored hash is invalid.
    #[error("bcrypt failed")]
    Bcrypt(#[from] bcrypt::BcryptError),
    /// The hashing thread panicked.
    #[error("the hashing thread panicked")]
    Panicked(#[from] tokio::task::JoinError),
}

/// Hashes and checks passwords. Both need a [`HashPermit`], so that callers can check limits again after they waited for
/// the permit.
#[derive(Debug)]
pub struct Passwords {
    cost: u32,
    dummy: Arc<str>,
    queue: HashQueue,
}

impl Passwords {
    /// The bcrypt cost in production, which takes about 0.25 s.
    pub const PRODUCTION_COST: u32 = 12;

    /// Hashes with `cost` from 4 to 31, on one thread per core. Only tests use less than [`Passwords::PRODUCTION_COST`].
    pub fn new(cost: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::bounded(cost, cores, MAX_WAITING)
    }

    /// [`Passwords::new`] with `max_running` concurrent hashes and `max_waiting` callers in the queue.
    pub fn bounded(cost: u32, max_running: usize, max_waiting: usize) -> Self {
        let dummy = format!("$2b${cost:02}${DUMMY_HASH}").into();
        Self { cost, dummy, queue: HashQueue::new(max_running, max_waiting) }
    }

    /// Waits for a permit to hash.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] under overload.
    pub async fn permit(&self, requester: Requester) -> Result<HashPermit, PasswordError> {
        Ok(self.queue.permit(requester).await?)
    }

    /// The hash to store for `password`.
    ///
    /// # Errors
    /// [`PasswordError::Bcrypt`] and [`PasswordError::Panicked`].
    pub async fn hash(&self, permit: HashPermit, password: &Password) -> Result<String, PasswordError> {
        let (password, cost) = (password.clone(), self.cost);
        run(permit, move || bcrypt::hash(password.reveal(), cost)).await
    }

    /// Whether `password` matches `hash`. Without a hash the result is `false` after the same time, so the response time does
    /// not show which accounts exist.
    ///
    /// # Errors
    /// [`PasswordError::Bcrypt`] and [`PasswordError::Panicked`].
    pub async fn verify_or_dummy(
        &self,
        permit: HashPermit,
        password: &str,
        hash: Option<&str>,
    ) -> Result<bool, PasswordError> {
        // bcrypt ignores all bytes after the 72nd, so longer passwords must not be checked.
        let possible = Password::parse(password.to_owned()).is_ok();
        // An account of an external issuer has an empty hash, which no password matches.
        let stored = hash.filter(|hash| possible && !hash.is_empty()).map(Arc::from);
        let can_match = stored.is_some();
        let (password, hash) = (password.to_owned(), stored.unwrap_or_else(|| self.dummy.clone()));
        let matches = run(permit, move || bcrypt::verify(password.as_bytes(), &hash)).await?;
        Ok(matches && can_match)
    }
}

async fn run<T: Send + 'static>(
    permit: HashPermit,
    work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
) -> Result<T, PasswordError> {
    // The thread holds the permit: it goes on after its caller has disconnected.
    let done = spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    });
    Ok(done.await??)
}
