//! What runs say: numbered in order over all runs, written once however often it is sent, and only by who holds the job.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use trainyard_domain::outcome::Ending;
use trainyard_domain::{JobId, LogEntry, LogLevel, LogLine};
use trainyard_storage::{JobHead, NumberedLine};

use crate::bench::Bench;
use crate::running::{end, next_of};

on_both!(
    lines_are_kept_in_order_over_all_runs,
    a_write_that_is_sent_again_leaves_each_line_once,
    only_the_run_that_holds_the_job_is_heard,
    the_heads_of_many_jobs_come_at_once,
);

fn line(text: &str, at: DateTime<Utc>) -> LogLine {
    LogLine { at, entry: LogEntry::Log { level: LogLevel::Info, message: text.into() } }
}

async fn append(bench: &Bench, job: JobId, claim: i64, n: u64, texts: &[&str]) -> bool {
    let lines: Vec<_> = texts.iter().map(|text| line(text, bench.now)).collect();
    let mut tx = bench.db.begin().await.unwrap();
    let added = tx.logs().append(job, claim, n, &lines).await.unwrap();
    tx.commit().await.unwrap();
    added
}

async fn after(bench: &Bench, job: JobId, seq: i64) -> Vec<NumberedLine> {
    bench.db.read().await.unwrap().logs().after(job, seq, 100).await.unwrap().lines
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

async fn lines_are_kept_in_order_over_all_runs(bench: Bench) {
    let id = bench.queue().await;
    let first = bench.claim(id, "w", bench.now).await.unwrap();
    assert!(append(&bench, id, 1, 0, &["a", "b"]).await);
    let figure = LogEntry::Metric { name: "oob_accuracy".into(), value: 0.75, step: Some(10) };
    let figure = LogLine { at: bench.later(1), entry: figure };
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.logs().append(id, 1, 2, std::slice::from_ref(&figure)).await.unwrap());
    tx.commit().await.unwrap();
    assert!(end(&bench, id, 1, &next_of(&first, Ending::Interrupted, bench.now), bench.now).await);
    bench.claim(id, "w", bench.now).await.unwrap();
    assert!(append(&bench, id, 2, 0, &["c"]).await);

    let all = after(&bench, id, 0).await;
    assert_eq!(texts(&all), ["a", "b", "oob_accuracy", "c"]);
    assert!(all.is_sorted_by_key(|line| line.seq), "{all:?}");
    assert_eq!(all[2].line, figure);
    for (i, line) in all.iter().enumerate() {
        assert_eq!(after(&bench, id, line.seq).await, all[i + 1..], "a reader goes on where it was");
    }
    let some = bench.db.read().await.unwrap().logs().after(id, 0, 1).await.unwrap().lines;
    assert_eq!(texts(&some), ["a", "b"], "one write's worth");
}

async fn a_write_that_is_sent_again_leaves_each_line_once(bench: Bench) {
    let id = bench.queue().await;
    bench.claim(id, "w", bench.now).await.unwrap();
    assert!(append(&bench, id, 1, 0, &["a"]).await);
    // As after a commit whose answer was lost, with another line since.
    assert!(append(&bench, id, 1, 0, &["a", "b"]).await);
    let seen = after(&bench, id, 0).await;
    assert_eq!(texts(&seen), ["a", "b"]);
    assert_eq!(texts(&after(&bench, id, seen[0].seq).await), ["b"], "who saw the first write misses nothing");
}

async fn only_the_run_that_holds_the_job_is_heard(bench: Bench) {
    let id = bench.queue().await;
    assert!(!append(&bench, id, 0, 0, &["nobody runs it"]).await);
    let first = bench.claim(id, "paused", bench.now).await.unwrap();
    assert!(end(&bench, id, 1, &next_of(&first, Ending::Interrupted, bench.now), bench.now).await);
    bench.claim(id, "healthy", bench.now).await.unwrap();
    assert!(!append(&bench, id, 1, 0, &["late"]).await);
    assert!(append(&bench, id, 2, 0, &["heard"]).await);
    assert_eq!(texts(&after(&bench, id, 0).await), ["heard"]);
}

async fn the_heads_of_many_jobs_come_at_once(bench: Bench) {
    let mut ids = Vec::new();
    // More than one statement names.
    for _ in 0..130 {
        ids.push(bench.queue().await);
    }
    bench.claim(ids[7], "w", bench.now).await.unwrap();
    append(&bench, ids[7], 1, 0, &["a", "b"]).await;
    let seq = after(&bench, ids[7], 0).await[1].seq;
    let nobody = JobId::at(bench.later(99));
    let asked: Vec<_> = ids.iter().copied().chain([nobody]).collect();
    let mut tx = bench.db.read().await.unwrap();
    let heads: HashMap<_, _> = tx.jobs().heads(&asked).await.unwrap().into_iter().map(|head| (head.id, head)).collect();
    assert_eq!(heads.len(), 130, "each once, and none for a job that is not there");
    assert_eq!(heads[&ids[7]], JobHead { id: ids[7], revision: 2, last_seq: seq });
    assert_eq!(heads[&ids[129]], JobHead { id: ids[129], revision: 1, last_seq: 0 });
    let jobs = tx.jobs().get_many(&[ids[7], nobody]).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [ids[7]]);
    assert!(tx.jobs().heads(&[]).await.unwrap().is_empty());
}
