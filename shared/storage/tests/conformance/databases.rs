//! The database: connections, migrations, concurrent transactions.

use std::time::Duration;

use futures::future::join_all;
use trainyard_domain::Role;
use trainyard_storage::{Db, PoolOptions, StorageError};
use trainyard_testkit::PostgresServer;

use crate::fixture::{Fixture, pool, user};

on_both!(
    four_hundred_concurrent_transactions_succeed,
    a_dropped_transaction_is_rolled_back,
    a_read_transaction_has_one_snapshot_and_cannot_write,
    repeated_and_concurrent_migrations_succeed,
    an_exhausted_pool_is_unavailable,
);

async fn four_hundred_concurrent_transactions_succeed(fixture: Fixture) {
    let change = |i: usize| {
        let (db, now) = (fixture.db.clone(), fixture.now);
        tokio::spawn(async move {
            let mut tx = db.begin().await?;
            let user = user(&format!("user{i}@example.com"), Role::User, now);
            assert!(tx.users().by_email(user.email.as_str()).await?.is_none());
            tx.users().insert(&user).await?;
            tx.users().update(user.id, None, Some(true)).await?;
            tx.commit().await
        })
    };
    for result in join_all((0..400).map(change)).await {
        result.unwrap().unwrap();
    }
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.users().disabled_ids().await.unwrap().len(), 400);
    assert_eq!(tx.models().revision().await.unwrap(), 400, "no update was lost");
}

async fn a_dropped_transaction_is_rolled_back(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().insert(&fixture.draft()).await.unwrap();
    assert_eq!(tx.jobs().active_total().await.unwrap(), 1);
    drop(tx);
    assert_eq!(fixture.db.begin().await.unwrap().jobs().active_total().await.unwrap(), 0);
}

async fn a_read_transaction_has_one_snapshot_and_cannot_write(fixture: Fixture) {
    let mut reader = fixture.db.read().await.unwrap();
    assert_eq!(reader.jobs().active_total().await.unwrap(), 0);
    let id = fixture.queue().await;
    assert_eq!(reader.jobs().active_total().await.unwrap(), 0, "the snapshot does not change");
    let refused = reader.jobs().cancel(id, fixture.now).await;
    assert!(matches!(refused, Err(StorageError::Other(_))), "{refused:?}");
    drop(reader);
    assert_eq!(fixture.db.read().await.unwrap().jobs().active_total().await.unwrap(), 1);
    fixture.db.check_writable().await.unwrap();
}

async fn repeated_and_concurrent_migrations_succeed(fixture: Fixture) {
    let id = fixture.queue().await;
    let other = Db::connect(&fixture.url, &fixture.options).await.unwrap();
    let (a, b, c) = tokio::join!(fixture.db.migrate(), other.migrate(), fixture.db.migrate());
    assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
    other.close().await;
    assert_eq!(fixture.job(id).await.id, id);
}

async fn an_exhausted_pool_is_unavailable(fixture: Fixture) {
    let small =
        PoolOptions { max_connections: 1, acquire_timeout: Duration::from_millis(50), ..fixture.options.clone() };
    let db = Db::connect(&fixture.url, &small).await.unwrap();
    let _holds = db.begin().await.unwrap();
    for refused in [db.begin().await.map(drop), db.read().await.map(drop), db.check_writable().await] {
        assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn invalid_urls_say_what_is_expected() {
    for url in ["", "mysql://secret@host/db", "trainyard.db", "sqlite::memory:", "sqlite://x?mode=memory", "sqlite://"]
    {
        let error = Db::connect(url, &pool()).await.unwrap_err();
        assert!(matches!(error, StorageError::BadUrl(_)), "{url}: {error:?}");
        assert!(error.to_string().contains("sqlite://path"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let error = Db::connect("postgres://[secret", &pool()).await.unwrap_err();
    assert!(matches!(error, StorageError::BadUrl(_)) && !error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_missing_server_is_unavailable() {
    let url = format!("postgres://trainyard:secret@127.0.0.1:{}/db", trainyard_testkit::free_port());
    let impatient =
        PoolOptions { max_connections: 1, acquire_timeout: Duration::from_millis(300), ..PoolOptions::default() };
    let error = Db::connect(&url, &impatient).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn a_server_restart_is_invisible_to_the_next_transaction() {
    let mut server = PostgresServer::start();
    let db = Db::connect(&server.fresh_database(), &pool()).await.unwrap();
    db.migrate().await.unwrap();
    for _ in 0..3 {
        // Recently used connections are reused without a ping.
        for tx in join_all((0..4).map(|_| db.begin())).await {
            tx.unwrap().commit().await.unwrap();
        }
        server.kill();
        server.resume();
        let mut tx = db.begin().await.unwrap();
        assert!(!tx.jobs().paused().await.unwrap());
        tx.commit().await.unwrap();
    }
    db.close().await;
    assert!(matches!(db.begin().await, Err(StorageError::Unavailable(_))));
}
