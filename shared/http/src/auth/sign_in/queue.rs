//! Who gets a processor for a password hash next.
//!
//! Callers wait in two lanes: addresses that signed in to the account before, and everybody else. The lanes alternate;
//! within a lane addresses take turns, within an address accounts do, and within an account the newest and the oldest
//! caller. The newest goes first (adaptive LIFO; Maurer, "Fail at Scale", 2015): a person who types the right password
//! behind a burst of wrong ones is the newest. The oldest goes next, so that a lasting flood of newer callers overtakes
//! nobody for ever. Waiting is bounded in number and in time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// Longest wait for a processor.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Whom a slot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Requester {
    /// Names the client's address.
    pub address: u64,
    /// Names the account.
    pub account: u64,
    /// Whether the account signed in from this address before, or the caller is signed in.
    pub known: bool,
}

impl Requester {
    /// The server itself, at its start.
    pub const SERVER: Self = Self { address: 0, account: 0, known: true };
}

/// Too many are waiting, or the wait was too long: answer 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many password checks are waiting")]
pub struct QueueFull;

/// Hands out as many slots as hashes may run at the same time. Cloning shares it.
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
    /// Strangers and known addresses.
    lanes: [Lane; 2],
    /// The lane that goes first.
    next_lane: usize,
}

/// The right to use one processor for one hash, until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct HashSlot(Option<Arc<Shared>>);

impl HashQueue {
    /// A queue for `max_running` hashes at a time and `max_waiting` callers.
    pub(in crate::auth) fn new(max_running: usize, max_waiting: usize) -> Self {
        Self(Arc::new(Shared { max_running: max_running.max(1), max_waiting, state: Mutex::default() }))
    }

    /// Waits for a slot.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub(in crate::auth) async fn slot(&self, requester: Requester) -> Result<HashSlot, QueueFull> {
        let waiting = {
            let mut state = self.0.state();
            if state.running < self.0.max_running {
                state.running += 1;
                return Ok(HashSlot(Some(Arc::clone(&self.0))));
            }
            if state.waiting() >= self.0.max_waiting && !state.make_room(requester) {
                return Err(QueueFull);
            }
            let (given, waiting) = oneshot::channel();
            state.lanes[usize::from(requester.known)].push(requester, given);
            waiting
        };
        match tokio::time::timeout(LONGEST_WAIT, waiting).await {
            Ok(Ok(slot)) => Ok(slot),
            // Pushed out by callers with fewer in the queue, or too late.
            Ok(Err(_)) | Err(_) => Err(QueueFull),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a slot on to the next caller that still waits.
    fn release(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.state();
                let next = state.pop();
                if next.is_none() {
                    state.running -= 1;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(HashSlot(Some(Arc::clone(self)))) {
                Ok(()) => return,
                // The caller has left. This slot must not be released a second time by its drop.
                Err(mut unwanted) => unwanted.0 = None,
            }
        }
    }
}

impl Drop for HashSlot {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.release();
        }
    }
}

type Waiter = oneshot::Sender<HashSlot>;

/// Addresses in the order of their turns.
#[derive(Debug, Default)]
struct Lane(VecDeque<AddressLine>);

#[derive(Debug)]
struct AddressLine {
    address: u64,
    accounts: VecDeque<AccountLine>,
}

/// The callers of one account, newest last.
#[derive(Debug)]
struct AccountLine {
    account: u64,
    waiters: VecDeque<Waiter>,
    oldest_next: bool,
}

impl State {
    fn waiting(&self) -> usize {
        self.lanes.iter().flat_map(|lane| &lane.0).map(AddressLine::waiting).sum()
    }

    fn pop(&mut self) -> Option<Waiter> {
        let first = self.next_lane;
        let lane = if self.lanes[first].0.is_empty() { 1 - first } else { first };
        self.next_lane = 1 - lane;
        self.lanes[lane].pop()
    }

    /// Drops callers that have left; if none has, the oldest of the address with the most callers. An address with a single
    /// caller keeps its place, but a stranger's yields to a known address. `false` when nobody had to go.
    fn make_room(&mut self, requester: Requester) -> bool {
        let before = self.waiting();
        self.drop_waiters(|waiter| waiter.is_closed());
        if self.waiting() < before {
            return true;
        }
        let [strangers, known] = &mut self.lanes;
        let longest = strangers.0.iter_mut().max_by_key(|line| line.waiting());
        let longest = match longest {
            Some(line) if requester.known => Some(line),
            line => {
                line.into_iter().chain(&mut known.0).max_by_key(|line| line.waiting()).filter(|line| line.waiting() > 1)
            }
        };
        let account = longest.and_then(|line| line.accounts.iter_mut().max_by_key(|account| account.waiters.len()));
        let dropped = account.and_then(|account| account.waiters.pop_front()).is_some();
        self.drop_waiters(|_| false);
        dropped
    }

    /// Drops these callers, and the lines that they leave empty.
    fn drop_waiters(&mut self, which: impl Fn(&Waiter) -> bool) {
        for lane in &mut self.lanes {
            for line in &mut lane.0 {
                line.accounts.iter_mut().for_each(|account| account.waiters.retain(|waiter| !which(waiter)));
                line.accounts.retain(|account| !account.waiters.is_empty());
            }
            lane.0.retain(|line| !line.accounts.is_empty());
        }
    }
}

impl AddressLine {
    fn waiting(&self) -> usize {
        self.accounts.iter().map(|account| account.waiters.len()).sum()
    }
}

impl Lane {
    /// Adds a caller. An address that was not waiting goes behind all that are, and so does an account.
    fn push(&mut self, Requester { address, account, .. }: Requester, waiter: Waiter) {
        let at = self.0.iter().position(|line| line.address == address).unwrap_or_else(|| {
            self.0.push_back(AddressLine { address, accounts: VecDeque::new() });
            self.0.len() - 1
        });
        let accounts = &mut self.0[at].accounts;
        let at = accounts.iter().position(|line| line.account == account).unwrap_or_else(|| {
            accounts.push_back(AccountLine { account, waiters: VecDeque::new(), oldest_next: false });
            accounts.len() - 1
        });
        accounts[at].waiters.push_back(waiter);
    }

    fn pop(&mut self) -> Option<Waiter> {
        let mut line = self.0.pop_front()?;
        let mut account = line.accounts.pop_front()?;
        let next = if account.oldest_next { account.waiters.pop_front() } else { account.waiters.pop_back() };
        account.oldest_next = !account.oldest_next;
        if !account.waiters.is_empty() {
            line.accounts.push_back(account);
        }
        if !line.accounts.is_empty() {
            self.0.push_back(line);
        }
        next
    }
}

#[cfg(test)]
mod tests;
