//! Rate limits on failed sign-ins and on sign-ups.
//!
//! Each API process has its own counts in memory, so several processes multiply the limits.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::counts::SlidingCounts;
use super::queue::Requester;

/// The settings of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SignInConfig {
    /// Failures of one address at one account within the window.
    pub max_failed_logins: u32,
    /// Failures at one account from all unknown addresses. The account has never signed in from an unknown address.
    pub max_failed_logins_per_account: u32,
    /// Failures of one address at all accounts for which the address is unknown.
    pub max_failed_logins_per_address: u32,
    /// The window, in seconds.
    pub failed_login_window_s: u32,
    /// Sign-ups of one address within the sign-up window.
    pub max_signups_per_address: u32,
    /// The sign-up window, in seconds.
    pub signup_window_s: u32,
}

/// A limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failed attempts; try again in {retry_after_s} s")]
pub struct Limited {
    /// Seconds until the next attempt is accepted.
    pub retry_after_s: u64,
}

/// One sign-in attempt at an account, which need not exist.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    account: u64,
    address: u64,
    pair: u64,
    known: bool,
}

impl Attempt {
    /// The requester of a permit to hash.
    pub fn requester(self) -> Requester {
        Requester { address: self.address, account: self.account, known: self.known }
    }
}

/// A counted attempt. It counts as a failure until its success, so a client that disconnects does not avoid the limit.
#[derive(Debug)]
#[must_use]
pub struct AttemptCount(Attempt);

/// Counts failures and sign-ups.
#[derive(Debug)]
pub struct SignInLimits {
    config: SignInConfig,
    /// Has a random key, so that an attacker can't choose texts with equal hashes.
    hasher: RandomState,
    tables: Mutex<Tables>,
}

#[derive(Debug)]
struct Tables {
    pairs: SlidingCounts,
    accounts: SlidingCounts,
    addresses: SlidingCounts,
    signups: SlidingCounts,
}

impl SignInLimits {
    /// The limits of one process.
    pub fn new(config: SignInConfig) -> Self {
        let failures = || SlidingCounts::new(config.failed_login_window_s);
        let tables = Tables {
            pairs: failures(),
            accounts: failures(),
            addresses: failures(),
            signups: SlidingCounts::new(config.signup_window_s),
        };
        Self { config, hasher: RandomState::new(), tables: Mutex::new(tables) }
    }

    /// An attempt at the account `name` from `address`, a [`crate::ClientAddress::limit_key`]. `known` means that the account has
    /// signed in from the address before.
    pub fn attempt(&self, name: &str, address: IpAddr, known: bool) -> Attempt {
        Attempt {
            account: self.key(("account", name)),
            address: self.key(("address", address)),
            pair: self.key((name, address)),
            known,
        }
    }

    /// The requester of a hash without an account: for a sign-up, or for a new password.
    pub fn requester(&self, address: IpAddr) -> Requester {
        Requester { address: self.key(("address", address)), account: 0, known: false }
    }

    /// Checks the limits for an attempt at `now`, without counting the attempt.
    ///
    /// # Errors
    /// [`Limited`] if a limit is reached.
    pub fn check(&self, attempt: Attempt, now: DateTime<Utc>) -> Result<(), Limited> {
        self.tables().check(&self.config, attempt, now.timestamp_millis())
    }

    /// Checks the limits for an attempt at `now` and counts the attempt, in one atomic step.
    ///
    /// # Errors
    /// [`Limited`] if a limit is reached.
    pub fn begin(&self, attempt: Attempt, now: DateTime<Utc>) -> Result<AttemptCount, Limited> {
        let (mut tables, now_ms) = (self.tables(), now.timestamp_millis());
        tables.check(&self.config, attempt, now_ms)?;
        tables.pairs.add(attempt.pair, now_ms);
        if !attempt.known {
            tables.accounts.add(attempt.account, now_ms);
            tables.addresses.add(attempt.address, now_ms);
        }
        Ok(AttemptCount(attempt))
    }

    /// Records a success: the attempt and all failures of the address at the account no longer count.
    pub fn succeeded(&self, AttemptCount(attempt): AttemptCount, now: DateTime<Utc>) {
        let (mut tables, now_ms) = (self.tables(), now.timestamp_millis());
        tables.pairs.clear(attempt.pair);
        if !attempt.known {
            tables.accounts.remove(attempt.account, now_ms);
            tables.addresses.remove(attempt.address, now_ms);
        }
    }

    /// Checks the limit for a sign-up from `address` at `now` and counts the sign-up.
    ///
    /// # Errors
    /// [`Limited`] if the limit is reached.
    pub fn sign_up(&self, address: IpAddr, now: DateTime<Utc>) -> Result<(), Limited> {
        let key = self.key(("address", address));
        let (mut tables, now_ms) = (self.tables(), now.timestamp_millis());
        if let Some(retry_after_s) = tables.signups.retry_after_s(key, self.config.max_signups_per_address, now_ms) {
            return Err(Limited { retry_after_s });
        }
        tables.signups.add(key, now_ms);
        Ok(())
    }

    fn key(&self, of: impl Hash) -> u64 {
        self.hasher.hash_one(of)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn check(&self, config: &SignInConfig, attempt: Attempt, now_ms: i64) -> Result<(), Limited> {
        let pair = self.pairs.retry_after_s(attempt.pair, config.max_failed_logins, now_ms);
        let account = || self.accounts.retry_after_s(attempt.account, config.max_failed_logins_per_account, now_ms);
        let address = || self.addresses.retry_after_s(attempt.address, config.max_failed_logins_per_address, now_ms);
        let wait = if attempt.known { pair } else { pair.max(account()).max(address()) };
        wait.map_or(Ok(()), |retry_after_s| Err(Limited { retry_after_s }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: SignInConfig = SignInConfig {
        max_failed_logins: 3,
        max_failed_logins_per_account: 5,
        max_failed_logins_per_address: 5,
        failed_login_window_s: 60,
        max_signups_per_address: 2,
        signup_window_s: 60,
    };

    fn ip(n: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, n])
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_020, 0).unwrap()
    }

    /// The number of accepted attempts out of ten.
    fn accepted(limits: &SignInLimits, attempt: impl Fn(u8) -> Attempt) -> usize {
        (0..10).filter(|n| limits.begin(attempt(*n), now()).is_ok()).count()
    }

    #[test]
    fn failures_are_limited_per_pair_per_account_and_per_address() {
        let limits = SignInLimits::new(CONFIG);
        assert_eq!(accepted(&limits, |_| limits.attempt("ada", ip(1), false)), 3, "one address at one account");
        assert_eq!(accepted(&limits, |n| limits.attempt("ada", ip(10 + n), false)), 2, "the account: five in all");
        assert_eq!(
            accepted(&limits, |n| limits.attempt(&format!("user{n}"), ip(1), false)),
            2,
            "the address: five in all"
        );
        let refused = limits.check(limits.attempt("ada", ip(9), false), now()).unwrap_err();
        assert!((1..=120).contains(&refused.retry_after_s), "{refused}");
    }

    #[test]
    fn failures_of_unknown_addresses_do_not_block_a_known_address_which_has_its_own_limit() {
        let limits = SignInLimits::new(CONFIG);
        let known = || limits.attempt("ada", ip(1), true);
        assert_eq!(accepted(&limits, |n| limits.attempt("ada", ip(10 + n), false)), 5);
        assert_eq!(accepted(&limits, |n| limits.attempt(&format!("user{n}"), ip(1), false)), 5);
        assert_eq!(limits.check(known(), now()), Ok(()));
        assert_eq!(accepted(&limits, |_| known()), 3);
        assert!(limits.check(known(), now()).is_err());
        assert_eq!(accepted(&limits, |_| limits.attempt("bob", ip(77), false)), 3, "other pairs are not affected");
    }

    #[test]
    fn a_success_clears_the_failures_of_the_pair() {
        let limits = SignInLimits::new(CONFIG);
        let attempt = || limits.attempt("ada", ip(1), false);
        for _ in 0..20 {
            let count = limits.begin(attempt(), now()).unwrap();
            limits.succeeded(count, now());
        }
        let _left = limits.begin(attempt(), now()).unwrap();
        let _left = limits.begin(attempt(), now()).unwrap();
        let count = limits.begin(attempt(), now()).unwrap();
        assert!(limits.begin(attempt(), now()).is_err(), "attempts without an outcome count as failures");
        limits.succeeded(count, now());
        assert_eq!(accepted(&limits, |_| attempt()), 3);
    }

    #[test]
    fn sign_ups_are_limited_by_address() {
        let limits = SignInLimits::new(CONFIG);
        assert_eq!((0..5).filter(|_| limits.sign_up(ip(1), now()).is_ok()).count(), 2);
        assert!(limits.sign_up(ip(2), now()).is_ok());
        assert_eq!(limits.sign_up(ip(1), now() + chrono::Duration::seconds(200)), Ok(()));
    }
}
