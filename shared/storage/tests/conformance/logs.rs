//! Logs of runs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::{JobId, LogEntry, LogLevel, LogLine};
use trainyard_storage::{JobRevision, NumberedLine};

use crate::fixture::Fixture;
use crate::running::{end, next_of};

on_both!(
    lines_are_ordered_over_all_runs,
    a_repeated_append_stores_each_line_once,
    only_the_current_run_appends_lines,
    revisions_of_many_jobs_are_read_together,
);

fn line(text: &str, at: DateTime<Utc>) -> LogLine {
    LogLine { at, entry: LogEntry::Log { level: LogLevel::Info, message: text.into() } }
}

async fn append(fixture: &Fixture, job: JobId, claim: i64, n: u64, texts: &[&str]) -> bool {
    let lines: Vec<_> = texts.iter().map(|text| line(text, fixture.now)).collect();
    let mut tx = fixture.db.begin().await.unwrap();
    let added = tx.logs().append(job, claim, n, &lines).await.unwrap();
    tx.commit().await.unwrap();
    added
}

async fn after(fixture: &Fixture, job: JobId, seq: i64) -> Vec<NumberedLine> {
    fixture.db.read().await.unwrap().logs().after(job, seq, 100).await.unwrap().lines
}

fn texts(lines: &[NumberedLine]) -> Vec<&str> {
    let entries = lines.iter().map(|line| &line.line.entry);
    entries
        .map(|entry| match entry {
            LogEntry::Log { message, .. } => message.as_str(),
            LogEntry::Metric { name, .. } => name.as_str(),
        })
        .collect()
}

async fn lines_are_ordered_over_all_runs(fixture: Fixture) {
    let id = fixture.queue().await;
    let first = fixture.claim(id, "w", fixture.now).await.unwrap();
    assert!(append(&fixture, id, 1, 0, &["a", "b"]).await);
    let figure = LogEntry::Metric { name: "oob_accuracy".into(), value: 0.75, step: Some(10) };
    let figure = LogLine { at: fixture.later(1), entry: figure };
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.logs().append(id, 1, 2, std::slice::from_ref(&figure)).await.unwrap());
    tx.commit().await.unwrap();
    assert!(end(&fixture, id, 1, &next_of(&first, RunOutcome::Interrupted, fixture.now), fixture.now).await);
    fixture.claim(id, "w", fixture.now).await.unwrap();
    assert!(append(&fixture, id, 2, 0, &["c"]).await);

    let all = after(&fixture, id, 0).await;
    assert_eq!(texts(&all), ["a", "b", "oob_accuracy", "c"]);
    assert!(all.is_sorted_by_key(|line| line.seq), "{all:?}");
    assert_eq!(all[2].line, figure);
    for (i, line) in all.iter().enumerate() {
        assert_eq!(after(&fixture, id, line.seq).await, all[i + 1..], "a reader continues after any line");
    }
    let some = fixture.db.read().await.unwrap().logs().after(id, 0, 1).await.unwrap().lines;
    assert_eq!(texts(&some), ["a", "b"], "the lines of one append");
}

async fn a_repeated_append_stores_each_line_once(fixture: Fixture) {
    let id = fixture.queue().await;
    fixture.claim(id, "w", fixture.now).await.unwrap();
    assert!(append(&fixture, id, 1, 0, &["a"]).await);
    // A repeated append after a lost answer, with an additional line.
    assert!(append(&fixture, id, 1, 0, &["a", "b"]).await);
    let seen = after(&fixture, id, 0).await;
    assert_eq!(texts(&seen), ["a", "b"]);
    assert_eq!(texts(&after(&fixture, id, seen[0].seq).await), ["b"], "a reader of the first append gets the new line");
}

async fn only_the_current_run_appends_lines(fixture: Fixture) {
    let id = fixture.queue().await;
    assert!(!append(&fixture, id, 0, 0, &["nobody runs it"]).await);
    let first = fixture.claim(id, "paused", fixture.now).await.unwrap();
    assert!(end(&fixture, id, 1, &next_of(&first, RunOutcome::Interrupted, fixture.now), fixture.now).await);
    fixture.claim(id, "healthy", fixture.now).await.unwrap();
    assert!(!append(&fixture, id, 1, 0, &["late"]).await);
    assert!(append(&fixture, id, 2, 0, &["current"]).await);
    assert_eq!(texts(&after(&fixture, id, 0).await), ["current"]);
}

async fn revisions_of_many_jobs_are_read_together(fixture: Fixture) {
    let mut ids = Vec::new();
    // More jobs than one array parameter of a typical call.
    for _ in 0..130 {
        ids.push(fixture.queue().await);
    }
    fixture.claim(ids[7], "w", fixture.now).await.unwrap();
    append(&fixture, ids[7], 1, 0, &["a", "b"]).await;
    let seq = after(&fixture, ids[7], 0).await[1].seq;
    let nobody = JobId::at(fixture.later(99));
    let asked: Vec<_> = ids.iter().copied().chain([nobody]).collect();
    let mut tx = fixture.db.read().await.unwrap();
    let heads: HashMap<_, _> =
        tx.jobs().job_revisions(&asked).await.unwrap().into_iter().map(|head| (head.id, head)).collect();
    assert_eq!(heads.len(), 130, "each job once, without the missing one");
    assert_eq!(heads[&ids[7]], JobRevision { id: ids[7], revision: 2, last_seq: seq });
    assert_eq!(heads[&ids[129]], JobRevision { id: ids[129], revision: 1, last_seq: 0 });
    let jobs = tx.jobs().get_many(&[ids[7], nobody]).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [ids[7]]);
    assert!(tx.jobs().job_revisions(&[]).await.unwrap().is_empty());
}
