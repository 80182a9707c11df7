//! Rows that are kept for a time: removed from the oldest on, a few at a time.

use chrono::TimeDelta;
use serde_json::json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{Job, JobStatus, LogEntry, LogLevel, LogLine};
use trainyard_storage::{AuditEntry, Retired};

use crate::bench::Bench;

on_both!(old_audit_entries_are_removed_in_batches, the_logs_of_jobs_that_ended_long_ago_are_removed);

async fn old_audit_entries_are_removed_in_batches(bench: Bench) {
    let mut tx = bench.db.begin().await.unwrap();
    for n in 0..7 {
        let at = bench.now + TimeDelta::days(n);
        let (action, subject, detail) = ("test".into(), "test".into(), json!({}));
        let entry = AuditEntry { id: uuid_at(at), at, actor: None, action, subject, request_id: None, detail };
        tx.audit().insert(&entry).await.unwrap();
    }
    tx.commit().await.unwrap();
    let before = bench.now + TimeDelta::days(5);
    for expected in [3, 2, 0] {
        let mut tx = bench.db.act().await.unwrap();
        assert_eq!(tx.retire(Retired::AuditEntries, before, 3).await.unwrap(), expected);
        tx.commit().await.unwrap();
    }
    let left = bench.db.read().await.unwrap().audit().list(None, 10).await.unwrap();
    assert_eq!(left.iter().map(|entry| entry.at).collect::<Vec<_>>(), [6, 5].map(|n| bench.now + TimeDelta::days(n)));
}

async fn the_logs_of_jobs_that_ended_long_ago_are_removed(bench: Bench) {
    let (ended, runs) = (bench.queue().await, bench.queue().await);
    let line = |message: &str| LogLine {
        at: bench.now,
        entry: LogEntry::Log { level: LogLevel::Info, message: message.into() },
    };
    for id in [ended, runs] {
        bench.claim(id, "w", bench.now).await.unwrap();
        let mut tx = bench.db.begin().await.unwrap();
        for n in 0..3 {
            assert!(tx.logs().append(id, 1, n, &[line("said")]).await.unwrap());
        }
        tx.commit().await.unwrap();
    }
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().succeed_bare(&[(ended, 1)], Some(bench.later(60))).await.unwrap();
    assert_eq!(tx.retire(Retired::Logs, bench.later(60), 2).await.unwrap(), 0, "not before it ended");
    assert_eq!(tx.retire(Retired::Logs, bench.later(61), 2).await.unwrap(), 2);
    assert_eq!(tx.retire(Retired::Logs, bench.later(61), 2).await.unwrap(), 1);
    assert_eq!(tx.logs().after(runs, 0, 10).await.unwrap().lines.len(), 3, "a job that runs keeps its log");
    tx.commit().await.unwrap();
    let Job { status, .. } = bench.job(ended).await;
    assert_eq!(status, JobStatus::Succeeded);
}
