//! The stored log of a run.

use trainyard_domain::{JobId, JobStatus, LogEntry, LogLevel};
use trainyard_worker::WorkerConfig;

use crate::harness::{Harness, train_task};

async fn stored_log(harness: &Harness, id: JobId) -> Vec<LogEntry> {
    let page = harness.db.read().await.unwrap().logs().after(id, 0, 1_000).await.unwrap();
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
async fn a_run_logs_its_phases_and_metrics() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let (sweep, worker) = (harness.sweep("s"), harness.worker(train_task(), harness.config()));
    harness.until_status(id, JobStatus::Succeeded).await;
    // Read at once: the log is complete before the job has ended.
    let entries = stored_log(&harness, id).await;
    let logged = lines(&entries);
    assert!(logged[0].starts_with("attempt 1 runs on worker "), "{logged:?}");
    for phase in ["reading", "preparing", "training", "measuring", "saving"] {
        assert!(logged.iter().any(|line| line.starts_with(&format!("{phase} took "))), "{phase} in {logged:?}");
    }
    assert!(logged.contains(&"training on 1047 rows, measuring on 262"), "{logged:?}");
    assert!(logged.last().unwrap().starts_with("publishing the model ("), "{logged:?}");
    let has_metric = |wanted: &str| {
        entries.iter().any(|entry| matches!(entry, LogEntry::Metric { name, step: None, .. } if name == wanted))
    };
    assert!(["accuracy", "roc_auc", "log_loss", "f1"].into_iter().all(has_metric), "{entries:?}");
    worker.drain().await;
    sweep.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_beyond_the_limit_are_dropped_and_the_failure_is_logged() {
    let harness = Harness::new().await;
    let id = harness.submit_named("demo").await;
    let chatter = "i=0; while [ $i -lt 50 ]; do echo '{\"type\":\"log\",\"message\":\"chat\"}'; i=$((i+1)); done\n\
                   echo '{\"type\":\"warning\",\"message\":\"late\"}'\n\
                   echo '{\"type\":\"failed\",\"code\":\"bad_data\",\"message\":\"no rows\"}'";
    let config = WorkerConfig { max_log_lines: 10, ..harness.config() };
    let (sweep, worker) = (harness.sweep("s"), harness.worker(&harness.script("chatter", chatter), config));
    harness.until_status(id, JobStatus::Failed).await;
    let entries = stored_log(&harness, id).await;
    let logged = lines(&entries);
    assert_eq!(logged.len(), 13, "{logged:?}");
    assert_eq!(logged[1..11], ["chat"; 10]);
    assert_eq!(
        logged[11..],
        ["41 more log lines were dropped (worker.max_log_lines is 10)", "failed: no rows (bad_data)"]
    );
    assert!(matches!(entries.last(), Some(LogEntry::Log { level: LogLevel::Error, .. })));
    worker.drain().await;
    sweep.stop().await;
}
