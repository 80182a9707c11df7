//! Transient faults of a database: a full disk, a read-only server, an old schema.

use std::time::Duration;

use futures::future::join_all;
use sqlx::AssertSqlSafe;
use trainyard_domain::Role;
use trainyard_storage::{Db, Result, StorageError};
use trainyard_testkit::{PostgresServer, SmallDisk, eventually};

use crate::fixture::{Fixture, training, user};

on_both!(an_old_schema_is_reported_until_it_is_migrated);

/// Longer than the results of `check_writable` are cached.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_recovers_from_a_full_disk() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let fixture = Fixture::start(format!("sqlite://{}/trainyard.db", disk.path().display()), None).await;
    fixture.db.check_writable().await.unwrap();
    // A pool with connections and a new pool.
    let other = Db::connect(&fixture.url, &fixture.options).await.unwrap();
    for _ in 0..2 {
        disk.fill();
        let before = until_full(&fixture).await;
        for db in [&fixture.db, &other] {
            // More statements than connections.
            for _ in 0..2 * fixture.options.max_connections {
                let error = store_user(db, &fixture, "late@example.com").await.unwrap_err();
                assert!(error.is_retryable(), "{error:?}");
            }
        }
        for _ in 0..25 {
            store_user(&fixture.db, &fixture, "late@example.com").await.unwrap_err();
            let ill = fixture.db.check_writable().await.unwrap_err();
            assert!(ill.is_retryable() && ill.is_answer() && ill.condition().contains("disk is full"), "{ill:?}");
        }
        disk.free();
        eventually("the database is writable", SOON, async || fixture.db.check_writable().await.ok()).await;
        assert_eq!(users(&fixture.db).await, before, "failed transactions are rolled back");
        for (n, db) in [&fixture.db, &other].into_iter().enumerate() {
            for i in 0..2 * fixture.options.max_connections {
                store_user(db, &fixture, &format!("{before}-{n}-{i}@example.com")).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_sqlite_rolled_back_refuses_statements() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let fixture = Fixture::start(format!("sqlite://{}/trainyard.db", disk.path().display()), None).await;
    disk.fill();
    // More data than SQLite caches, so that a statement before the commit fails.
    let mut tx = fixture.db.begin().await.unwrap();
    let mut stored = 0;
    let error = loop {
        let mut job = fixture.draft();
        training(&mut job).features = vec!["x".repeat(1 << 19)];
        match tx.jobs().insert(&job).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100, "the disk is full");
    };
    assert!(stored > 0 && error.is_retryable(), "{stored}: {error:?}");
    disk.free();
    // Without the transaction it would run in autocommit mode.
    let refused = tx.jobs().insert(&fixture.draft()).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused:?}");
    assert!(tx.commit().await.unwrap_err().is_retryable());
    assert_eq!(fixture.db.read().await.unwrap().jobs().active_total().await.unwrap(), 0);
    fixture.queue().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_a_demoted_postgres_are_replaced() {
    // Read-only sessions simulate a demoted primary. Sessions after the change simulate the new primary.
    let server = PostgresServer::start();
    let url = server.fresh_database();
    let admin = sqlx::PgPool::connect(&url).await.unwrap();
    let execute = async |sql: String| sqlx::raw_sql(AssertSqlSafe(sql)).execute(&admin).await.unwrap();
    let (name,): (String,) = sqlx::query_as("SELECT current_database()").fetch_one(&admin).await.unwrap();
    let fixture = Fixture::start(url.clone(), None).await;
    fixture.db.check_writable().await.unwrap();

    execute(format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on")).await;
    let (old, db) = tokio::join!(Db::connect(&url, &fixture.options), Db::connect(&url, &fixture.options));
    let (old, db) = (old.unwrap(), db.unwrap());
    let ill = old.check_writable().await.unwrap_err();
    assert!(ill.is_retryable() && ill.condition().contains("read-only"), "{ill:?}");
    assert_eq!(users(&old).await, 1, "reads succeed");
    // All connections of the pool lead to the old primary.
    let all = join_all((0..fixture.options.max_connections).map(|_| db.begin())).await;
    all.into_iter().for_each(|tx| drop(tx.unwrap()));

    execute(format!("ALTER DATABASE \"{name}\" RESET default_transaction_read_only")).await;
    let error = store_user(&db, &fixture, "late@example.com").await.unwrap_err();
    assert!(error.is_retryable() && error.condition().contains("read-only"), "{error:?}");
    let emails: Vec<_> = (0..2 * fixture.options.max_connections).map(|i| format!("{i}@example.com")).collect();
    for stored in join_all(emails.iter().map(|email| store_user(&db, &fixture, email))).await {
        stored.unwrap();
    }
    eventually("readiness meets the new primary", SOON, async || old.check_writable().await.ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_recovers_from_a_full_disk() {
    let Some(disk) = SmallDisk::mount(24) else { return };
    let server = PostgresServer::start();
    let fixture = Fixture::start(server.database_on(&disk), None).await;
    fixture.db.check_writable().await.unwrap();
    disk.fill();
    let before = until_full(&fixture).await;
    for _ in 0..25 {
        let error = store_user(&fixture.db, &fixture, "late@example.com").await.unwrap_err();
        assert!(error.is_retryable() && error.condition().contains("disk is full"), "{error:?}");
        let ill = fixture.db.check_writable().await.unwrap_err();
        assert!(ill.is_retryable() && ill.is_answer() && ill.condition().contains("disk is full"), "{ill:?}");
    }
    disk.free();
    eventually("the database is writable", SOON, async || fixture.db.check_writable().await.ok()).await;
    assert_eq!(users(&fixture.db).await, before, "failed transactions are rolled back");
    store_user(&fixture.db, &fixture, "late@example.com").await.unwrap();
}

async fn an_old_schema_is_reported_until_it_is_migrated(fixture: Fixture) {
    fixture.db.check_migrated().await.unwrap();
    let other = Db::connect(&fixture.url, &fixture.options).await.unwrap();
    fixture.execute_raw("UPDATE _sqlx_migrations SET success = false WHERE version = 9").await;
    let behind = other.check_migrated().await.unwrap_err();
    assert!(matches!(behind, StorageError::Unmigrated(_)), "{behind:?}");
    assert!(behind.is_retryable() && behind.condition().contains("trainyard migrate"));
    fixture.execute_raw("ALTER TABLE queue_state RENAME TO elsewhere").await;
    let error = other.begin().await.unwrap().jobs().paused().await.unwrap_err();
    assert!(matches!(error, StorageError::Unmigrated(_)), "{error:?}");
    fixture.execute_raw("ALTER TABLE elsewhere RENAME TO queue_state").await;
    fixture.execute_raw("UPDATE _sqlx_migrations SET success = true").await;
    other.check_migrated().await.unwrap();
    assert!(!other.begin().await.unwrap().jobs().paused().await.unwrap());
}

/// Inserts accounts until the disk is full. Returns how many are stored.
async fn until_full(fixture: &Fixture) -> usize {
    for i in 0.. {
        let name = format!("{}-{i}@example.com", trainyard_testkit::unique("filler"));
        if let Err(error) = store_user(&fixture.db, fixture, &name).await {
            assert!(error.is_retryable(), "{error:?}");
            return users(&fixture.db).await;
        }
    }
    unreachable!("the disk is full")
}

async fn store_user(db: &Db, fixture: &Fixture, email: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.users().insert(&user(email, Role::User, fixture.now)).await?;
    tx.commit().await
}

async fn users(db: &Db) -> usize {
    db.read().await.unwrap().users().list(None, 100_000).await.unwrap().len()
}
