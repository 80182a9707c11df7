//! Guards of new versions: rollbacks by the sweep, and guarded promotions by workers.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{
    AutoPromote, Guard, GuardCounts, GuardId, GuardLimits, Guarded, JobId, JobStatus, LogEntry, ModelName, MoveCause,
    MoveReason, PRODUCTION, Promotion, PromotionMetric, Traffic, Training,
};
use trainyard_storage::{NewVersion, NumberedLine};
use trainyard_testkit::eventually;

use crate::harness::{Harness, train_task, training};

const LIMIT: Duration = Duration::from_secs(30);

fn demo() -> ModelName {
    ModelName::parse("demo").unwrap()
}

/// Publishes two versions of `demo`. `production` points at the first one.
async fn publish_two(harness: &Harness) {
    for _ in 0..2 {
        let job = harness.new_job("demo");
        let job_id: JobId = harness.submit(job).await;
        let mut tx = harness.db.begin().await.unwrap();
        let mut job = tx.jobs().get(job_id).await.unwrap().unwrap();
        let Training { algorithm, features, target, .. } = training(&mut job).clone();
        let new = NewVersion {
            name: demo(),
            job_id,
            algorithm,
            features,
            target,
            metrics: json!({}),
            dataset_id: job.dataset_id,
            size: 1,
            sha256: "ab".repeat(32),
            artifact_key: format!("artifacts/{job_id}/1.tym"),
            traceparent: None,
            now: harness.clock.now(),
            promotion: Promotion::FirstOnly,
        };
        tx.models().publish(&new).await.unwrap();
        tx.jobs().cancel(job_id, harness.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// A guard of the second version that has this many seconds left.
fn guard(harness: &Harness, guarded: Guarded, seconds: i64) -> Guard {
    let now = harness.clock.now();
    Guard {
        id: GuardId::at(now),
        model: demo(),
        version: 2,
        guarded,
        limits: GuardLimits { max_error_rate: Some(0.05), max_p99_ms: None, min_requests: 100 },
        ends_at: now + TimeDelta::seconds(seconds),
    }
}

async fn point_at_second(harness: &Harness, guard: &Guard) {
    let mut tx = harness.db.begin().await.unwrap();
    let cause = MoveCause::new(MoveReason::User, harness.clock.now());
    assert!(tx.models().set_alias(&demo(), PRODUCTION, 2, &cause).await.unwrap());
    tx.models().insert_guard(guard).await.unwrap();
    tx.commit().await.unwrap();
}

async fn report(harness: &Harness, guard: &Guard, requests: i64, failed: i64) {
    let mut tx = harness.db.begin().await.unwrap();
    let counts = GuardCounts { requests, failed, slow: 0 };
    tx.models().report_guards(uuid_at(harness.clock.now()), &[(guard.id, counts)]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn until_no_guard(harness: &Harness) {
    eventually("the guard is decided", LIMIT, async || {
        harness.db.read().await.unwrap().models().guards().await.unwrap().is_empty().then_some(())
    })
    .await;
}

async fn production(harness: &Harness) -> Option<i64> {
    harness.db.read().await.unwrap().models().alias(&demo(), PRODUCTION).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_exceeds_its_limit_is_rolled_back_once() {
    let harness = Harness::new().await;
    publish_two(&harness).await;
    let guard = guard(&harness, Guarded::Alias(PRODUCTION.into()), 600);
    point_at_second(&harness, &guard).await;
    // Two processes, each of which is below the least number of requests.
    report(&harness, &guard, 99, 3).await;
    report(&harness, &guard, 1, 3).await;
    let sweeps = [harness.sweep("one"), harness.sweep("two")];
    until_no_guard(&harness).await;
    for sweep in sweeps {
        sweep.stop().await;
    }
    assert_eq!(production(&harness).await, Some(1));
    let mut tx = harness.db.read().await.unwrap();
    let moves = tx.models().alias_moves(&demo(), PRODUCTION, None, 10).await.unwrap();
    assert_eq!((moves.len(), moves[0].cause.reason), (3, MoveReason::AutomaticRollback));
    assert_eq!((moves[0].from, moves[0].to, moves[0].cause.actor), (Some(2), Some(1), None));
    let detail = moves[0].cause.detail.clone().unwrap();
    assert_eq!(detail, "6 of 100 predictions of version 2 failed (6 %, and max_error_rate is 5 %)");
    let entries = tx.audit().list(None, 10).await.unwrap();
    let entry = entries.iter().find(|entry| entry.action == "model.automatic_rollback").unwrap();
    assert_eq!((entry.subject.as_str(), entry.actor), ("model:demo", None));
    assert_eq!(entry.detail, json!({"alias": PRODUCTION, "version": 2, "returned_to": 1, "reason": detail}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_without_an_exceeded_limit_ends_and_moves_nothing() {
    let harness = Harness::new().await;
    publish_two(&harness).await;
    let guard = guard(&harness, Guarded::Alias(PRODUCTION.into()), 0);
    point_at_second(&harness, &guard).await;
    report(&harness, &guard, 1_000, 50).await;
    let sweep = harness.sweep("s");
    until_no_guard(&harness).await;
    sweep.stop().await;
    assert_eq!(production(&harness).await, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_of_a_version_that_exceeds_its_limit_are_deleted() {
    let harness = Harness::new().await;
    publish_two(&harness).await;
    let guard = guard(&harness, Guarded::Weights, 600);
    let traffic = Traffic { weights: [(1, 90), (2, 10)].into(), ..Traffic::default() };
    let mut tx = harness.db.begin().await.unwrap();
    tx.models().set_traffic(&demo(), &traffic, harness.clock.now()).await.unwrap();
    tx.models().insert_guard(&guard).await.unwrap();
    tx.commit().await.unwrap();
    report(&harness, &guard, 200, 100).await;
    let sweep = harness.sweep("s");
    until_no_guard(&harness).await;
    sweep.stop().await;
    assert_eq!(production(&harness).await, Some(1));
    let traffic = harness.db.read().await.unwrap().models().traffic(&demo()).await.unwrap().traffic;
    assert!(traffic.is_empty(), "{traffic:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guarded_promotion_is_decided_when_the_job_publishes() {
    let harness = Harness::new().await;
    let worker = harness.worker(train_task(), harness.config());
    let sweep = harness.sweep("s");
    let rule = |min_improvement| Some(AutoPromote { metric: PromotionMetric::RocAuc, min_improvement });
    let trained = async |auto_promote, n_trees: u64| {
        let mut job = harness.new_job("demo");
        training(&mut job).auto_promote = auto_promote;
        training(&mut job).params.insert("n_trees".into(), json!(n_trees));
        let id = harness.submit(job).await;
        let job = harness.until_status(id, JobStatus::Succeeded).await;
        let log = harness.db.read().await.unwrap().logs().after(id, 0, 100).await.unwrap();
        let message = |line: NumberedLine| match line.line.entry {
            LogEntry::Log { message, .. } => Some(message),
            LogEntry::Metric { .. } => None,
        };
        let lines: Vec<String> = log.lines.into_iter().filter_map(message).collect();
        (job.metrics.unwrap()["promotion"].clone(), lines)
    };
    let (first, lines) = trained(rule(0.0), 1).await;
    assert_eq!(first, json!({"promoted": true, "message": "promoted: the first version of the model"}));
    assert_eq!(lines.last().unwrap(), "promoted: the first version of the model");
    // The same data, parameters and seed give the same model, which is not better.
    let (same, lines) = trained(rule(0.0), 1).await;
    assert_eq!(same["promoted"], false);
    let message = same["message"].as_str().unwrap();
    assert!(message.starts_with("not promoted: roc_auc") && message.ends_with("of version 1"), "{message}");
    assert!(lines.iter().any(|line| line == message), "{lines:?}");
    assert_eq!(production(&harness).await, Some(1));
    let (better, _) = trained(rule(0.0), 60).await;
    assert_eq!(better["promoted"], true, "{better}");
    assert_eq!(production(&harness).await, Some(3));
    let (too_little, _) = trained(rule(0.9), 60).await;
    assert_eq!(too_little["promoted"], false, "{too_little}");
    let (none, _) = trained(None, 60).await;
    assert_eq!(none, json!(null), "a job without auto_promote has no decision");
    assert_eq!(production(&harness).await, Some(3));
    worker.drain().await;
    sweep.stop().await;
}
