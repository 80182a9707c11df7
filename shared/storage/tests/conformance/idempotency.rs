//! Idempotency keys.

use futures::future::join_all;
use trainyard_domain::Role;
use trainyard_storage::{Record, Retention, StorageError};

use crate::fixture::Fixture;

on_both!(a_key_is_taken_until_it_expires, one_of_many_concurrent_submissions_gets_the_key);

async fn a_key_is_taken_until_it_expires(fixture: Fixture) {
    let (first, second) = (fixture.queue().await, fixture.queue().await);
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.idempotency().insert(fixture.user, "k", "body", &[first], fixture.now, fixture.later(60)).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = fixture.db.begin().await.unwrap();
    let record = Record { body_sha256: "body".into(), jobs: vec![first], expires_at: fixture.later(60) };
    assert_eq!(tx.idempotency().find(fixture.user, "k").await.unwrap(), Some(record));
    assert_eq!(tx.idempotency().find(bob, "k").await.unwrap(), None, "each user has separate keys");
    tx.idempotency().insert(bob, "k", "other", &[second], fixture.now, fixture.later(60)).await.unwrap();
    let taken = tx.idempotency().insert(fixture.user, "k", "x", &[second], fixture.later(59), fixture.later(99)).await;
    assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
    drop(tx);

    let mut tx = fixture.db.begin().await.unwrap();
    tx.idempotency()
        .insert(fixture.user, "k", "new", &[second, first], fixture.later(60), fixture.later(99))
        .await
        .unwrap();
    assert_eq!(tx.idempotency().find(fixture.user, "k").await.unwrap().unwrap().jobs, [second, first]);
    assert_eq!(tx.delete_expired(Retention::IdempotencyKeys, fixture.later(99), 9).await.unwrap(), 0);
    assert_eq!(tx.delete_expired(Retention::IdempotencyKeys, fixture.later(100), 9).await.unwrap(), 1);
}

async fn one_of_many_concurrent_submissions_gets_the_key(fixture: Fixture) {
    let submit = |_| {
        let (db, user, now, until) = (fixture.db.clone(), fixture.user, fixture.now, fixture.later(60));
        let job = fixture.draft();
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
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.jobs().active_total().await.unwrap(), 1, "the other jobs are rolled back");
}
