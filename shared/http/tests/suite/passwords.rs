//! Password hashing: right and wrong, unknown people, overload.

use std::time::Instant;

use trainyard_domain::Password;
use trainyard_http::Problem;
use trainyard_http::auth::{HashSlot, PasswordError, Passwords, Requester};

async fn slot(passwords: &Passwords) -> HashSlot {
    passwords.slot(Requester::SERVER).await.unwrap()
}

#[tokio::test]
async fn only_the_right_password_matches() {
    let passwords = Passwords::new(4);
    let longest = "x".repeat(72);
    for text in ["correct horse", &longest] {
        let hash = passwords.hash(slot(&passwords).await, &Password::parse(text.to_owned()).unwrap()).await.unwrap();
        assert!(hash.starts_with("$2b$04$"), "{hash}");
        assert!(passwords.verify_or_dummy(slot(&passwords).await, text, Some(&hash)).await.unwrap());
        assert!(!passwords.verify_or_dummy(slot(&passwords).await, "battery staple", Some(&hash)).await.unwrap());
        // bcrypt itself looks at 72 bytes and would take this for the same.
        assert!(!passwords.verify_or_dummy(slot(&passwords).await, &format!("{text}x"), Some(&hash)).await.unwrap());
    }
}

#[tokio::test]
async fn nobody_takes_as_long_as_somebody() {
    let passwords = Passwords::new(9);
    let hash = passwords.hash(slot(&passwords).await, &Password::parse("correct horse".into()).unwrap()).await.unwrap();
    let timed = async |text: &str, hash: Option<&str>| {
        let mut times = Vec::new();
        for _ in 0..5 {
            let started = Instant::now();
            assert!(!passwords.verify_or_dummy(slot(&passwords).await, text, hash).await.unwrap());
            times.push(started.elapsed());
        }
        times.into_iter().min().unwrap()
    };
    let wrong = timed("wrong password", Some(&hash)).await;
    for (what, other) in [
        ("nobody", timed("wrong password", None).await),
        ("too short", timed("x", Some(&hash)).await),
        ("too long", timed(&"x".repeat(100), Some(&hash)).await),
    ] {
        let ratio = other.as_secs_f64() / wrong.as_secs_f64();
        assert!((0.5..2.0).contains(&ratio), "{what}: {other:?} against {wrong:?}");
    }
}

#[tokio::test]
async fn overload_is_refused_rather_than_queued_for_ever() {
    let passwords = Passwords::bounded(8, 1, 1);
    let check = async || {
        let slot = passwords.slot(Requester::SERVER).await?;
        passwords.verify_or_dummy(slot, "some password", None).await
    };
    let (runs, waits, refused) = tokio::join!(check(), check(), check());
    assert!(!runs.unwrap() && !waits.unwrap());
    let refused = refused.unwrap_err();
    assert!(matches!(refused, PasswordError::Busy(_)));
    assert_eq!(Problem::from(refused).code().as_str(), "unavailable");
    assert!(!check().await.unwrap(), "the queue has drained");
}
