//! What this role counts and reports for guards.

use chrono::{TimeDelta, Utc};
use serde_json::json;
use trainyard_domain::{Guard, GuardCounts, GuardId, GuardLimits, Guarded, ModelName};
use trainyard_testkit::eventually;

use crate::environment::{Environment, TIMEOUT};
use crate::models;

/// Inserts a guard of a version of `m`, and announces it.
async fn guard(environment: &Environment, version: i64, alias: &str, max_p99_ms: f64) -> Guard {
    let now = Utc::now();
    let guard = Guard {
        id: GuardId::at(now),
        model: ModelName::parse("m").unwrap(),
        version,
        guarded: Guarded::Alias(alias.to_owned()),
        limits: GuardLimits { max_error_rate: Some(0.1), max_p99_ms: Some(max_p99_ms), min_requests: 1 },
        ends_at: now + TimeDelta::seconds(600),
    };
    let mut tx = environment.db.begin().await.unwrap();
    tx.models().insert_guard(&guard).await.unwrap();
    tx.commit().await.unwrap();
    environment.queue.announce_models().await.unwrap();
    guard
}

async fn counts(environment: &Environment, guard: &Guard) -> GuardCounts {
    let guards = environment.db.read().await.unwrap().models().guards().await.unwrap();
    guards.into_iter().find(|(found, _)| found.id == guard.id).map(|(_, counts)| counts).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn predictions_of_guarded_versions_are_reported() {
    let environment = Environment::new().await;
    for seed in 0..2 {
        environment.publish_as("m", models::survival(seed), models::survival(seed), false).await;
    }
    let (one, other) = (environment.serve().await, environment.serve().await);
    // Every prediction takes longer than a nanosecond, and none takes ten minutes.
    let slow = guard(&environment, 1, "production", 0.000_001).await;
    let fast = guard(&environment, 1, "other", 600_000.0).await;
    eventually("both processes count", TIMEOUT, async || {
        let before = counts(&environment, &slow).await.requests;
        for role in [&one, &other] {
            role.predict(json!({"model": "m", "features": {}})).await;
            // Refused requests and other versions do not count.
            role.predict(json!({"model": "m", "features": {"age": "old"}})).await;
            role.predict(json!({"model": "m", "version": 2, "features": {}})).await;
        }
        (before >= 4).then_some(())
    })
    .await;
    let (slow, fast) = eventually("all predictions are reported", TIMEOUT, async || {
        let (slow, fast) = (counts(&environment, &slow).await, counts(&environment, &fast).await);
        (fast.requests > 0 && slow.slow == slow.requests).then_some((slow, fast))
    })
    .await;
    assert!(slow.failed == 0 && fast.failed == 0 && fast.slow == 0, "{slow:?} {fast:?}");
}
