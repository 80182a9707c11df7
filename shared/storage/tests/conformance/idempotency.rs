//! A key stands for one job until it expires.

use futures::future::join_all;
use trainyard_domain::Role;
use trainyard_storage::{Record, Retired, StorageError};

use crate::bench::Bench;

on_both!(a_key_is_taken_until_it_expires, of_two_submissions_at_once_one_gets_the_key);

async fn a_key_is_taken_until_it_expires(bench: Bench) {
    let (first, second) = (bench.queue().await, bench.queue().await);
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.idempotency().insert(bench.user, "k", "body", &[first], bench.now, bench.later(60)).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = bench.db.begin().await.unwrap();
    let record = Record { body_sha256: "body".into(), jobs: vec![first], expires_at: bench.later(60) };
    assert_eq!(tx.idempotency().find(bench.user, "k").await.unwrap(), Some(record));
    assert_eq!(tx.idempotency().find(bob, "k").await.unwrap(), None, "keys are each user's own");
    tx.idempotency().insert(bob, "k", "other", &[second], bench.now, bench.later(60)).await.unwrap();
    let taken = tx.idempotency().insert(bench.user, "k", "x", &[second], bench.later(59), bench.later(99)).await;
    assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
    drop(tx);

    let mut tx = bench.db.begin().await.unwrap();
    tx.idempotency().insert(bench.user, "k", "new", &[second, first], bench.later(60), bench.later(99)).await.unwrap();
    assert_eq!(tx.idempotency().find(bench.user, "k").await.unwrap().unwrap().jobs, [second, first]);
    assert_eq!(tx.retire(Retired::IdempotencyKeys, bench.later(99), 9).await.unwrap(), 0);
    assert_eq!(tx.retire(Retired::IdempotencyKeys, bench.later(100), 9).await.unwrap(), 1);
}

async fn of_two_submissions_at_once_one_gets_the_key(bench: Bench) {
    let submit = |_| {
        let (db, user, now, until) = (bench.db.clone(), bench.user, bench.now, bench.later(60));
        let job = bench.draft();
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            tx.jobs().insert(&job).await.unwrap();
            tx.idempotency().insert(user, "k", "body", &[job.id], now, until).await?;
            tx.commit().await
        })
    };
    let results: Vec<_> = join_all((0..10).map(submit)).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(StorageError::Conflict))), "{results:?}");
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.jobs().active_total().await.unwrap(), 1, "the others left no job behind");
}
