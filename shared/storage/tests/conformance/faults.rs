//! Faults of a database that pass: a full disk, a server that takes no writes, a schema that is behind.

use std::time::Duration;

use futures::future::join_all;
use sqlx::AssertSqlSafe;
use trainyard_domain::Role;
use trainyard_storage::{Db, Result, StorageError};
use trainyard_testkit::{PostgresServer, SmallDisk, eventually};

use crate::bench::{Bench, user};

on_both!(a_schema_that_is_behind_is_said_to_be_and_passes);

/// Longer than an answer of `check_writable` serves.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_works_again_once_a_full_disk_has_room() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let bench = Bench::start(format!("sqlite://{}/trainyard.db", disk.path().display()), None).await;
    bench.db.check_writable().await.unwrap();
    // One that was opened before, and one that is opened now.
    let other = Db::connect(&bench.url, &bench.options).await.unwrap();
    for _ in 0..2 {
        disk.fill();
        let before = until_full(&bench).await;
        for db in [&bench.db, &other] {
            // More of them than there are connections.
            for _ in 0..2 * bench.options.max_connections {
                let error = store_user(db, &bench, "late@example.com").await.unwrap_err();
                assert!(error.is_retryable(), "{error:?}");
            }
        }
        for _ in 0..25 {
            store_user(&bench.db, &bench, "late@example.com").await.unwrap_err();
            let ill = bench.db.check_writable().await.unwrap_err();
            assert!(ill.is_retryable() && ill.is_answer() && ill.condition().contains("disk is full"), "{ill:?}");
        }
        disk.free();
        eventually("the database is writable", SOON, async || bench.db.check_writable().await.ok()).await;
        assert_eq!(users(&bench.db).await, before, "what failed left nothing");
        for (n, db) in [&bench.db, &other].into_iter().enumerate() {
            for i in 0..2 * bench.options.max_connections {
                store_user(db, &bench, &format!("{before}-{n}-{i}@example.com")).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_sqlite_rolled_back_takes_no_further_statement() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let bench = Bench::start(format!("sqlite://{}/trainyard.db", disk.path().display()), None).await;
    disk.fill();
    // More than SQLite keeps in memory, so that it meets the full disk before the end.
    let mut tx = bench.db.begin().await.unwrap();
    let mut stored = 0;
    let error = loop {
        let mut job = bench.draft();
        job.spec.features = vec!["x".repeat(1 << 19)];
        match tx.jobs().insert(&job).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100, "the disk is full");
    };
    assert!(stored > 0 && error.is_retryable(), "{stored}: {error:?}");
    disk.free();
    // It would be committed by itself: there is no transaction any more.
    let refused = tx.jobs().insert(&bench.draft()).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused:?}");
    assert!(tx.commit().await.unwrap_err().is_retryable());
    assert_eq!(bench.db.read().await.unwrap().jobs().active_total().await.unwrap(), 0);
    bench.queue().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_a_demoted_postgres_are_left_for_the_new_primary() {
    // A database whose new sessions are read-only is one that was demoted; those opened after the change meet a primary.
    let server = PostgresServer::start();
    let url = server.fresh_database();
    let admin = sqlx::PgPool::connect(&url).await.unwrap();
    let execute = async |sql: String| sqlx::raw_sql(AssertSqlSafe(sql)).execute(&admin).await.unwrap();
    let (name,): (String,) = sqlx::query_as("SELECT current_database()").fetch_one(&admin).await.unwrap();
    let bench = Bench::start(url.clone(), None).await;
    bench.db.check_writable().await.unwrap();

    execute(format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on")).await;
    let (old, db) = tokio::join!(Db::connect(&url, &bench.options), Db::connect(&url, &bench.options));
    let (old, db) = (old.unwrap(), db.unwrap());
    let ill = old.check_writable().await.unwrap_err();
    assert!(ill.is_retryable() && ill.condition().contains("read-only"), "{ill:?}");
    assert_eq!(users(&old).await, 1, "reads are answered");
    // As many connections as there can be, all of them to the old primary.
    let all = join_all((0..bench.options.max_connections).map(|_| db.begin())).await;
    all.into_iter().for_each(|tx| drop(tx.unwrap()));

    execute(format!("ALTER DATABASE \"{name}\" RESET default_transaction_read_only")).await;
    let error = store_user(&db, &bench, "late@example.com").await.unwrap_err();
    assert!(error.is_retryable() && error.condition().contains("read-only"), "{error:?}");
    let emails: Vec<_> = (0..2 * bench.options.max_connections).map(|i| format!("{i}@example.com")).collect();
    for stored in join_all(emails.iter().map(|email| store_user(&db, &bench, email))).await {
        stored.unwrap();
    }
    eventually("readiness meets the new primary", SOON, async || old.check_writable().await.ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_on_a_full_disk_is_not_writable_and_works_again_once_there_is_room() {
    let Some(disk) = SmallDisk::mount(24) else { return };
    let server = PostgresServer::start();
    let bench = Bench::start(server.database_on(&disk), None).await;
    bench.db.check_writable().await.unwrap();
    disk.fill();
    let before = until_full(&bench).await;
    for _ in 0..25 {
        let error = store_user(&bench.db, &bench, "late@example.com").await.unwrap_err();
        assert!(error.is_retryable() && error.condition().contains("disk is full"), "{error:?}");
        let ill = bench.db.check_writable().await.unwrap_err();
        assert!(ill.is_retryable() && ill.is_answer() && ill.condition().contains("disk is full"), "{ill:?}");
    }
    disk.free();
    eventually("the database is writable", SOON, async || bench.db.check_writable().await.ok()).await;
    assert_eq!(users(&bench.db).await, before, "what failed left nothing");
    store_user(&bench.db, &bench, "late@example.com").await.unwrap();
}

async fn a_schema_that_is_behind_is_said_to_be_and_passes(bench: Bench) {
    bench.db.check_migrated().await.unwrap();
    let other = Db::connect(&bench.url, &bench.options).await.unwrap();
    bench.meddle("UPDATE _sqlx_migrations SET success = false WHERE version = 9").await;
    let behind = other.check_migrated().await.unwrap_err();
    assert!(matches!(behind, StorageError::Unmigrated(_)), "{behind:?}");
    assert!(behind.is_retryable() && behind.condition().contains("trainyard migrate"));
    bench.meddle("ALTER TABLE queue_state RENAME TO elsewhere").await;
    let error = other.begin().await.unwrap().jobs().paused().await.unwrap_err();
    assert!(matches!(error, StorageError::Unmigrated(_)), "{error:?}");
    bench.meddle("ALTER TABLE elsewhere RENAME TO queue_state").await;
    bench.meddle("UPDATE _sqlx_migrations SET success = true").await;
    other.check_migrated().await.unwrap();
    assert!(!other.begin().await.unwrap().jobs().paused().await.unwrap());
}

/// Stores accounts until no more fits; answers how many are there.
async fn until_full(bench: &Bench) -> usize {
    for i in 0.. {
        let name = format!("{}-{i}@example.com", trainyard_testkit::unique("filler"));
        if let Err(error) = store_user(&bench.db, bench, &name).await {
            assert!(error.is_retryable(), "{error:?}");
            return users(&bench.db).await;
        }
    }
    unreachable!("the disk is full")
}

async fn store_user(db: &Db, bench: &Bench, email: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.users().insert(&user(email, Role::User, bench.now)).await?;
    tx.commit().await
}

async fn users(db: &Db) -> usize {
    db.read().await.unwrap().users().list(None, 100_000).await.unwrap().len()
}
