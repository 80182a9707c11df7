//! Retention of old rows.

use chrono::TimeDelta;
use serde_json::json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{Job, JobStatus, LogEntry, LogLevel, LogLine};
use trainyard_storage::{AuditEntry, Retention};

use crate::fixture::Fixture;

on_both!(old_audit_entries_are_removed_in_batches, the_logs_of_jobs_that_ended_long_ago_are_removed);

async fn old_audit_entries_are_removed_in_batches(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    for n in 0..7 {
        let at = fixture.now + TimeDelta::days(n);
        let (action, subject, detail) = ("test".into(), "test".into(), json!({}));
        let entry = AuditEntry { id: uuid_at(at), at, actor: None, action, subject, request_id: None, detail };
        tx.audit().insert(&entry).await.unwrap();
    }
    tx.commit().await.unwrap();
    let before = fixture.now + TimeDelta::days(5);
    for expected in [3, 2, 0] {
        let mut tx = fixture.db.write_autocommit().await.unwrap();
        assert_eq!(tx.delete_expired(Retention::AuditEntries, before, 3).await.unwrap(), expected);
        tx.commit().await.unwrap();
    }
    let left = fixture.db.read().await.unwrap().audit().list(None, 10).await.unwrap();
    assert_eq!(left.iter().map(|entry| entry.at).collect::<Vec<_>>(), [6, 5].map(|n| fixture.now + TimeDelta::days(n)));
}

async fn the_logs_of_jobs_that_ended_long_ago_are_removed(fixture: Fixture) {
    let (ended, runs) = (fixture.queue().await, fixture.queue().await);
    let line = |message: &str| LogLine {
        at: fixture.now,
        entry: LogEntry::Log { level: LogLevel::Info, message: message.into() },
    };
    for id in [ended, runs] {
        fixture.claim(id, "w", fixture.now).await.unwrap();
        let mut tx = fixture.db.begin().await.unwrap();
        for n in 0..3 {
            assert!(tx.logs().append(id, 1, n, &[line("said")]).await.unwrap());
        }
        tx.commit().await.unwrap();
    }
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().succeed_without_model(&[(ended, 1)], Some(fixture.later(60))).await.unwrap();
    assert_eq!(
        tx.delete_expired(Retention::Logs, fixture.later(60), 2).await.unwrap(),
        0,
        "not before the job finished"
    );
    assert_eq!(tx.delete_expired(Retention::Logs, fixture.later(61), 2).await.unwrap(), 2);
    assert_eq!(tx.delete_expired(Retention::Logs, fixture.later(61), 2).await.unwrap(), 1);
    assert_eq!(tx.logs().after(runs, 0, 10).await.unwrap().lines.len(), 3, "a running job keeps its log");
    tx.commit().await.unwrap();
    let Job { status, .. } = fixture.job(ended).await;
    assert_eq!(status, JobStatus::Succeeded);
}
