//! Password hashes and checks, unknown accounts, overload.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use futures::future::{FutureExt, join_all};
use futures::poll;
use trainyard_domain::{Clock, Password};
use trainyard_http::Problem;
use trainyard_http::auth::{
    Attempt, HashPermit, PasswordChecks, PasswordError, Passwords, Requester, SignInConfig, SignInLimits,
};

use crate::support::start;

async fn permit(passwords: &Passwords) -> HashPermit {
    passwords.permit(Requester::SERVER).await.unwrap()
}

#[tokio::test]
async fn only_the_right_password_matches() {
    let passwords = Passwords::new(4);
    let longest = "x".repeat(72);
    for text in ["correct horse", &longest] {
        let hash = passwords.hash(permit(&passwords).await, &Password::parse(text.to_owned()).unwrap()).await.unwrap();
        assert!(hash.starts_with("$2b$04$"), "{hash}");
        assert!(passwords.verify_or_dummy(permit(&passwords).await, text, Some(&hash)).await.unwrap());
        assert!(!passwords.verify_or_dummy(permit(&passwords).await, "battery staple", Some(&hash)).await.unwrap());
        // bcrypt itself ignores all bytes after the 72nd.
        assert!(!passwords.verify_or_dummy(permit(&passwords).await, &format!("{text}x"), Some(&hash)).await.unwrap());
    }
}

#[tokio::test]
async fn a_check_without_an_account_takes_as_long_as_any_other() {
    let passwords = Passwords::new(9);
    let hash =
        passwords.hash(permit(&passwords).await, &Password::parse("correct horse".into()).unwrap()).await.unwrap();
    let timed = async |text: &str, hash: Option<&str>| {
        let mut times = Vec::new();
        for _ in 0..5 {
            let started = Instant::now();
            assert!(!passwords.verify_or_dummy(permit(&passwords).await, text, hash).await.unwrap());
            times.push(started.elapsed());
        }
        times.into_iter().min().unwrap()
    };
    let wrong = timed("wrong password", Some(&hash)).await;
    for (what, other) in [
        ("no account", timed("wrong password", None).await),
        ("too short", timed("x", Some(&hash)).await),
        ("too long", timed(&"x".repeat(100), Some(&hash)).await),
    ] {
        let ratio = other.as_secs_f64() / wrong.as_secs_f64();
        assert!((0.5..2.0).contains(&ratio), "{what}: {other:?} against {wrong:?}");
    }
}

#[tokio::test]
async fn a_full_queue_refuses_further_checks() {
    let passwords = Passwords::bounded(8, 1, 1);
    let check = async || {
        let permit = passwords.permit(Requester::SERVER).await?;
        passwords.verify_or_dummy(permit, "some password", None).await
    };
    let (runs, waits, refused) = tokio::join!(check(), check(), check());
    assert!(!runs.unwrap() && !waits.unwrap());
    let refused = refused.unwrap_err();
    assert!(matches!(refused, PasswordError::Busy(_)));
    assert_eq!(Problem::from(refused).code().as_str(), "unavailable");
    assert!(!check().await.unwrap(), "the queue has drained");
}

/// Checks with one permit, a queue of one caller, and a limit of two failures.
fn checks() -> (PasswordChecks, Arc<Passwords>) {
    let limits =
        SignInLimits::new(SignInConfig { max_failed_logins: 2, ..trainyard_testkit::default_settings("auth") });
    let passwords = Arc::new(Passwords::bounded(4, 1, 1));
    (PasswordChecks::new(limits, passwords.clone(), Clock::manual(start())), passwords)
}

fn attempt(checks: &PasswordChecks, last_octet: u8) -> Attempt {
    checks.limits().attempt("ada@example.com", IpAddr::from(Ipv4Addr::new(203, 0, 113, last_octet)), true)
}

#[tokio::test]
async fn identical_checks_in_flight_share_one_hash_and_count_as_one_failure() {
    let (checks, passwords) = checks();
    let busy = permit(&passwords).await;
    let wrong = || checks.check(attempt(&checks, 1), "wrong password", None);
    let mut flood = Box::pin(join_all((0..48).map(|_| wrong())));
    assert!(poll!(&mut flood).is_pending(), "the permit is in use");
    drop(busy);
    for checked in flood.await {
        assert!(!checked.expect("one place in the queue is enough").is_right());
    }
    let other = async |password: &str| checks.check(attempt(&checks, 1), password, None).await;
    assert!(other("another password").await.is_ok(), "one failure so far");
    assert!(other("a third password").await.is_err(), "two failures");
}

#[tokio::test]
async fn checks_of_other_passwords_addresses_and_hashes_are_not_shared() {
    let hash = bcrypt::hash("correct horse", 4).unwrap();
    for (last_octet, password, hash) in
        [(2, "wrong password", None), (1, "correct horse", None), (1, "wrong password", Some(hash.as_str()))]
    {
        let (checks, passwords) = checks();
        let busy = permit(&passwords).await;
        let mut first = Box::pin(checks.check(attempt(&checks, 1), "wrong password", None));
        assert!(poll!(&mut first).is_pending());
        let second = checks.check(attempt(&checks, last_octet), password, hash).now_or_never();
        assert!(matches!(second, Some(Err(_))), "a check of its own finds the queue full: {last_octet} {password}");
        drop(busy);
    }
}

#[tokio::test]
async fn a_shared_check_continues_after_its_first_caller_disconnects() {
    let (checks, passwords) = checks();
    let hash = bcrypt::hash("correct horse", 4).unwrap();
    let busy = permit(&passwords).await;
    let check = || Box::pin(checks.check(attempt(&checks, 1), "correct horse", Some(&hash)));
    let (mut first, mut second) = (check(), check());
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    drop(first);
    drop(busy);
    let checked = second.await.unwrap();
    assert!(checked.is_right());
    checks.succeeded(&checked);
    checks.succeeded(&checked);
    assert!(format!("{checks:?}").contains("0 in flight"), "{checks:?}");
}
