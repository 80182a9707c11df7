//! Password hashes: bcrypt, off the async threads, no more at once than there are cores, in a fair order.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use trainyard_domain::Password;

use super::sign_in::{HashQueue, HashSlot, QueueFull, Requester};

/// Any well-formed hash body: verifying against it takes as long as against a real one, and nothing matches it.
const NOBODY: &str = "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01342";

/// Callers that may wait; each is a request with a small body.
const MAX_WAITING: usize = 256;

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting already: answer 503.
    #[error(transparent)]
    Busy(#[from] QueueFull),
    /// The hash function failed, or the stored hash is none.
    #[error("bcrypt failed")]
    Bcrypt(#[from] bcrypt::BcryptError),
    /// The thread that hashed died.
    #[error("the hashing thread died")]
    Died(#[from] tokio::task::JoinError),
}

/// Hashes and checks passwords. Each takes a [`HashSlot`], so that callers can look at their limits again between
/// waiting for a processor and using it.
#[derive(Debug)]
pub struct Passwords {
    cost: u32,
    dummy: Arc<str>,
    queue: HashQueue,
}

impl Passwords {
    /// bcrypt's cost in production: a quarter of a second.
    pub const PRODUCTION_COST: u32 = 12;

    /// Hashes at `cost` (4 to 31; [`Passwords::PRODUCTION_COST`] outside tests), on as many threads as there are
    /// cores.
    pub fn new(cost: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::bounded(cost, cores, MAX_WAITING)
    }

    /// The same with `at_once` hashes at once and `max_waiting` callers waiting.
    pub fn bounded(cost: u32, at_once: usize, max_waiting: usize) -> Self {
        let dummy = format!("$2b${cost:02}${NOBODY}").into();
        Self { cost, dummy, queue: HashQueue::new(at_once, max_waiting) }
    }

    /// Waits for a processor.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] under overload.
    pub async fn slot(&self, requester: Requester) -> Result<HashSlot, PasswordError> {
        Ok(self.queue.slot(requester).await?)
    }

    /// The hash to store for `password`.
    ///
    /// # Errors
    /// [`PasswordError::Bcrypt`] and [`PasswordError::Died`].
    pub async fn hash(&self, slot: HashSlot, password: &Password) -> Result<String, PasswordError> {
        let (password, cost) = (password.clone(), self.cost);
        run(slot, move || bcrypt::hash(password.reveal(), cost)).await
    }

    /// Whether `password` is the one behind `hash`. Without a hash (nobody has that e-mail address) it is `false`
    /// after the same time, so the answer's time does not tell which addresses exist.
    ///
    /// # Errors
    /// [`PasswordError::Bcrypt`] and [`PasswordError::Died`].
    pub async fn verify_or_dummy(
        &self,
        slot: HashSlot,
        password: &str,
        hash: Option<&str>,
    ) -> Result<bool, PasswordError> {
        // bcrypt would cut a longer password at 72 bytes and accept it.
        let possible = Password::parse(password.to_owned()).is_ok();
        // Accounts of outside issuers have no password: their hash is empty.
        let real = hash.filter(|hash| possible && !hash.is_empty()).map(Arc::from);
        let known = real.is_some();
        let (password, hash) = (password.to_owned(), real.unwrap_or_else(|| self.dummy.clone()));
        let matches = run(slot, move || bcrypt::verify(password.as_bytes(), &hash)).await?;
        Ok(matches && known)
    }
}

async fn run<T: Send + 'static>(
    slot: HashSlot,
    work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
) -> Result<T, PasswordError> {
    // The slot goes along: a caller that leaves does not stop the thread, so it must not free the slot.
    let done = spawn_blocking(move || {
        let done = work();
        drop(slot);
        done
    });
    Ok(done.await??)
}
