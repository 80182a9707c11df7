//! What runs say of themselves, as it is kept.

use trainyard_domain::{JobId, JobStatus, LogEntry, LogLevel};
use trainyard_worker::WorkerConfig;

use crate::yard::{Yard, train_task};

async fn said(yard: &Yard, id: JobId) -> Vec<LogEntry> {
    let page = yard.db.read().await.unwrap().logs().after(id, 0, 1_000).await.unwrap();
    page.lines.into_iter().map(|line| line.line.entry).collect()
}

fn lines(entries: &[LogEntry]) -> Vec<&str> {
    entries
        .iter()
        .filter_map(|entry| match entry {
            LogEntry::Log { message, .. } => Some(message.as_str()),
            LogEntry::Metric { .. } => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_what_it_does_and_measures() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let (sweep, worker) = (yard.sweep("s"), yard.worker(train_task(), yard.config()));
    yard.until_status(id, JobStatus::Succeeded).await;
    // Read at once: everything stands before the job has ended.
    let entries = said(&yard, id).await;
    let told = lines(&entries);
    assert!(told[0].starts_with("attempt 1 runs on worker "), "{told:?}");
    for phase in ["reading", "preparing", "training", "measuring", "saving"] {
        assert!(told.iter().any(|line| line.starts_with(&format!("{phase} took "))), "{phase} in {told:?}");
    }
    assert!(told.contains(&"training on 1047 rows, measuring on 262"), "{told:?}");
    assert!(told.last().unwrap().starts_with("publishing the model ("), "{told:?}");
    let measured = |wanted: &str| {
        entries.iter().any(|entry| matches!(entry, LogEntry::Metric { name, step: None, .. } if name == wanted))
    };
    assert!(["accuracy", "roc_auc", "log_loss", "f1"].into_iter().all(measured), "{entries:?}");
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_talkative_process_is_cut_short_and_a_failure_still_says_why() {
    let yard = Yard::new().await;
    let id = yard.submit_named("demo").await;
    let chatter = "i=0; while [ $i -lt 50 ]; do echo '{\"type\":\"log\",\"message\":\"chat\"}'; i=$((i+1)); done\n\
                   echo '{\"type\":\"warning\",\"message\":\"late\"}'\n\
                   echo '{\"type\":\"failed\",\"code\":\"bad_data\",\"message\":\"no rows\"}'";
    let config = WorkerConfig { max_log_lines: 10, ..yard.config() };
    let (sweep, worker) = (yard.sweep("s"), yard.worker(&yard.script("chatter", chatter), config));
    yard.until_status(id, JobStatus::Failed).await;
    let entries = said(&yard, id).await;
    let told = lines(&entries);
    assert_eq!(told.len(), 13, "{told:?}");
    assert_eq!(told[1..11], ["chat"; 10]);
    assert_eq!(told[11..], ["41 more lines were left out", "failed: no rows (bad_data)"]);
    assert!(matches!(entries.last(), Some(LogEntry::Log { level: LogLevel::Error, .. })));
    worker.drain().await;
    sweep.stop().await;
}
