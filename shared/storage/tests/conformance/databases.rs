//! The database itself: opening, migrating, many at once.

use std::time::Duration;

use futures::future::join_all;
use trainyard_domain::Role;
use trainyard_storage::{Db, PoolOptions, StorageError};
use trainyard_testkit::PostgresServer;

use crate::bench::{Bench, pool, user};

on_both!(
    four_hundred_transactions_at_once_all_pass,
    a_transaction_that_is_dropped_leaves_nothing,
    a_reader_sees_one_moment_and_cannot_write,
    migrating_again_and_at_once_does_no_harm,
    a_pool_that_is_used_up_is_unavailable,
);

async fn four_hundred_transactions_at_once_all_pass(bench: Bench) {
    let change = |i: usize| {
        let (db, now) = (bench.db.clone(), bench.now);
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
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.users().disabled_ids().await.unwrap().len(), 400);
    assert_eq!(tx.models().revision().await.unwrap(), 400, "no update was lost");
}

async fn a_transaction_that_is_dropped_leaves_nothing(bench: Bench) {
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().insert(&bench.draft()).await.unwrap();
    assert_eq!(tx.jobs().active_total().await.unwrap(), 1);
    drop(tx);
    assert_eq!(bench.db.begin().await.unwrap().jobs().active_total().await.unwrap(), 0);
}

async fn a_reader_sees_one_moment_and_cannot_write(bench: Bench) {
    let mut reader = bench.db.read().await.unwrap();
    assert_eq!(reader.jobs().active_total().await.unwrap(), 0);
    let id = bench.queue().await;
    assert_eq!(reader.jobs().active_total().await.unwrap(), 0, "as when it began");
    let refused = reader.jobs().cancel(id, bench.now).await;
    assert!(matches!(refused, Err(StorageError::Other(_))), "{refused:?}");
    drop(reader);
    assert_eq!(bench.db.read().await.unwrap().jobs().active_total().await.unwrap(), 1);
    bench.db.check_writable().await.unwrap();
}

async fn migrating_again_and_at_once_does_no_harm(bench: Bench) {
    let id = bench.queue().await;
    let other = Db::connect(&bench.url, &bench.options).await.unwrap();
    let (a, b, c) = tokio::join!(bench.db.migrate(), other.migrate(), bench.db.migrate());
    assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
    other.close().await;
    assert_eq!(bench.job(id).await.id, id);
}

async fn a_pool_that_is_used_up_is_unavailable(bench: Bench) {
    let small = PoolOptions { max_connections: 1, acquire_timeout: Duration::from_millis(50), ..bench.options.clone() };
    let db = Db::connect(&bench.url, &small).await.unwrap();
    let _holds = db.begin().await.unwrap();
    for refused in [db.begin().await.map(drop), db.read().await.map(drop), db.check_writable().await] {
        assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn wrong_addresses_say_what_was_expected() {
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
async fn a_server_that_is_away_is_unavailable() {
    let url = format!("postgres://trainyard:secret@127.0.0.1:{}/db", trainyard_testkit::free_port());
    let impatient =
        PoolOptions { max_connections: 1, acquire_timeout: Duration::from_millis(300), ..PoolOptions::default() };
    let error = Db::connect(&url, &impatient).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn a_server_that_was_restarted_is_met_anew_and_nobody_notices() {
    let mut server = PostgresServer::start();
    let db = Db::connect(&server.fresh_database(), &pool()).await.unwrap();
    db.migrate().await.unwrap();
    for _ in 0..3 {
        // Connections that were in use a moment ago.
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
