//! The queue of callers that wait for a permit to hash a password.
//!
//! Known addresses, from which the account has signed in before, and unknown addresses alternate. Within each class there
//! is a round robin over addresses, then over the accounts of an address, then between the newest and the oldest caller of
//! an account. The newest is first (adaptive LIFO; Maurer, "Fail at Scale", 2015): a right password behind a burst of wrong
//! ones is the newest. The oldest is next, so that a lasting flood does not starve an older caller. The queue is bounded in
//! length and in time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use trainyard_telemetry::catalogue::AUTH_PASSWORD_CHECKS_WAITING;

const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Identifies a caller for the round robin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Requester {
    /// The hash of the client's address.
    pub address: u64,
    /// The hash of the account name.
    pub account: u64,
    /// Whether the account has signed in from this address before, or the caller is authenticated.
    pub known: bool,
}

impl Requester {
    /// The server at its start.
    pub const SERVER: Self = Self { address: 0, account: 0, known: true };
}

/// The queue is full, or the wait was too long: 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many password checks are waiting")]
pub struct QueueFull;

/// Issues permits to hash. Clones share the queue.
#[derive(Debug, Clone)]
pub(in crate::auth) struct HashQueue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max_running: usize,
    max_waiting: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    /// The callers from unknown and from known addresses.
    classes: [ClassQueue; 2],
    next_class: usize,
}

/// The permit for one hash, released by its drop.
#[derive(Debug)]
#[must_use]
pub struct HashPermit(Option<Arc<Shared>>);

impl HashQueue {
    /// A queue with `max_running` permits and at most `max_waiting` callers.
    pub(in crate::auth) fn new(max_running: usize, max_waiting: usize) -> Self {
        Self(Arc::new(Shared { max_running: max_running.max(1), max_waiting, state: Mutex::default() }))
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`QueueFull`] for a full queue, an evicted caller, or a wait that is too long.
    pub(in crate::auth) async fn permit(&self, requester: Requester) -> Result<HashPermit, QueueFull> {
        let waiting = {
            let mut state = self.0.state();
            if state.running < self.0.max_running {
                state.running += 1;
                return Ok(HashPermit(Some(Arc::clone(&self.0))));
            }
            if state.waiting() >= self.0.max_waiting && !state.evict(requester) {
                return Err(QueueFull);
            }
            let (waiter, waiting) = oneshot::channel();
            state.classes[usize::from(requester.known)].push(requester, waiter);
            state.report();
            waiting
        };
        match tokio::time::timeout(LONGEST_WAIT, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            // Evicted, or timed out.
            Ok(Err(_)) | Err(_) => Err(QueueFull),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a permit to the next caller that still waits.
    fn release(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.state();
                let next = state.pop();
                state.report();
                if next.is_none() {
                    state.running -= 1;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(HashPermit(Some(Arc::clone(self)))) {
                Ok(()) => return,
                // The caller has disconnected. The drop of this permit must not release it a second time.
                Err(mut returned) => returned.0 = None,
            }
        }
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.release();
        }
    }
}

type Waiter = oneshot::Sender<HashPermit>;

/// The addresses of one class in round-robin order.
#[derive(Debug, Default)]
struct ClassQueue(VecDeque<AddressQueue>);

#[derive(Debug)]
struct AddressQueue {
    address: u64,
    accounts: VecDeque<AccountQueue>,
}

/// The callers of one account, newest last.
#[derive(Debug)]
struct AccountQueue {
    account: u64,
    waiters: VecDeque<Waiter>,
    oldest_next: bool,
}

impl State {
    fn waiting(&self) -> usize {
        self.classes.iter().flat_map(|class| &class.0).map(AddressQueue::waiting).sum()
    }

    /// Sets the gauge. Callers that no longer wait count until they are next.
    fn report(&self) {
        metrics::gauge!(AUTH_PASSWORD_CHECKS_WAITING).set(self.waiting() as f64);
    }

    fn pop(&mut self) -> Option<Waiter> {
        let next = self.next_class;
        let class = if self.classes[next].0.is_empty() { 1 - next } else { next };
        self.next_class = 1 - class;
        self.classes[class].pop()
    }

    /// Evicts disconnected callers, or else the oldest caller of the address with the most callers. The single caller of an
    /// address is only evicted from an unknown address for a known one. Returns whether a caller was evicted.
    fn evict(&mut self, requester: Requester) -> bool {
        let before = self.waiting();
        self.drop_waiters(|waiter| waiter.is_closed());
        if self.waiting() < before {
            return true;
        }
        let [unknown, known] = &mut self.classes;
        let longest = unknown.0.iter_mut().max_by_key(|queue| queue.waiting());
        let longest = match longest {
            Some(queue) if requester.known => Some(queue),
            queue => queue
                .into_iter()
                .chain(&mut known.0)
                .max_by_key(|queue| queue.waiting())
                .filter(|queue| queue.waiting() > 1),
        };
        let account = longest.and_then(|queue| queue.accounts.iter_mut().max_by_key(|account| account.waiters.len()));
        let dropped = account.and_then(|account| account.waiters.pop_front()).is_some();
        self.drop_waiters(|_| false);
        dropped
    }

    /// Removes the selected callers, and empty queues.
    fn drop_waiters(&mut self, which: impl Fn(&Waiter) -> bool) {
        for class in &mut self.classes {
            for queue in &mut class.0 {
                queue.accounts.iter_mut().for_each(|account| account.waiters.retain(|waiter| !which(waiter)));
                queue.accounts.retain(|account| !account.waiters.is_empty());
            }
            class.0.retain(|queue| !queue.accounts.is_empty());
        }
    }
}

impl AddressQueue {
    fn waiting(&self) -> usize {
        self.accounts.iter().map(|account| account.waiters.len()).sum()
    }
}

impl ClassQueue {
    /// Adds a caller. A new address or account is last in the round robin.
    fn push(&mut self, Requester { address, account, .. }: Requester, waiter: Waiter) {
        let at = self.0.iter().position(|queue| queue.address == address).unwrap_or_else(|| {
            self.0.push_back(AddressQueue { address, accounts: VecDeque::new() });
            self.0.len() - 1
        });
        let accounts = &mut self.0[at].accounts;
        let at = accounts.iter().position(|queue| queue.account == account).unwrap_or_else(|| {
            accounts.push_back(AccountQueue { account, waiters: VecDeque::new(), oldest_next: false });
            accounts.len() - 1
        });
        accounts[at].waiters.push_back(waiter);
    }

    fn pop(&mut self) -> Option<Waiter> {
        let mut queue = self.0.pop_front()?;
        let mut account = queue.accounts.pop_front()?;
        let next = if account.oldest_next { account.waiters.pop_front() } else { account.waiters.pop_back() };
        account.oldest_next = !account.oldest_next;
        if !account.waiters.is_empty() {
            queue.accounts.push_back(account);
        }
        if !queue.accounts.is_empty() {
            self.0.push_back(queue);
        }
        next
    }
}

#[cfg(test)]
mod tests;
