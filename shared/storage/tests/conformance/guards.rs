//! Guards of new versions, and the reports of inference processes.

use chrono::TimeDelta;
use trainyard_domain::{
    Guard, GuardCounts, GuardId, GuardLimits, Guarded, ModelName, MoveCause, MoveReason, PRODUCTION, Traffic,
};
use trainyard_storage::Rollback;
use uuid::Uuid;

use crate::fixture::Fixture;

on_both!(
    reports_of_processes_add_up,
    a_report_about_an_ended_guard_is_not_stored,
    another_move_of_the_alias_ends_its_guard,
    other_weights_end_the_guards_of_the_weights,
    a_guard_ends_with_its_version,
);

fn demo() -> ModelName {
    ModelName::parse("demo").unwrap()
}

fn guard(fixture: &Fixture, version: i64, guarded: Guarded) -> Guard {
    Guard {
        id: GuardId::at(fixture.now),
        model: demo(),
        version,
        guarded,
        limits: GuardLimits { max_error_rate: Some(0.05), max_p99_ms: None, min_requests: 100 },
        ends_at: fixture.now + TimeDelta::seconds(600),
    }
}

fn production() -> Guarded {
    Guarded::Alias(PRODUCTION.to_owned())
}

/// Publishes two versions, and inserts a guard.
async fn guarded(fixture: &Fixture, version: i64, guarded: Guarded) -> Guard {
    fixture.publish("demo").await;
    fixture.publish("demo").await;
    let guard = guard(fixture, version, guarded);
    insert(fixture, &guard).await;
    guard
}

async fn insert(fixture: &Fixture, guard: &Guard) {
    let mut tx = fixture.db.begin().await.unwrap();
    let before = tx.models().revision().await.unwrap();
    tx.models().insert_guard(guard).await.unwrap();
    assert!(tx.models().revision().await.unwrap() > before, "the inference role must notice");
    tx.commit().await.unwrap();
}

async fn guards(fixture: &Fixture) -> Vec<(Guard, GuardCounts)> {
    fixture.db.read().await.unwrap().models().guards().await.unwrap()
}

async fn report(fixture: &Fixture, process: Uuid, id: GuardId, requests: i64) {
    let counts = GuardCounts { requests, failed: requests / 10, slow: requests / 5 };
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().report_guards(process, &[(id, counts)]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn reports_of_processes_add_up(fixture: Fixture) {
    guarded(&fixture, 1, production()).await;
    let guard = guard(&fixture, 1, production());
    insert(&fixture, &guard).await;
    assert_eq!(guards(&fixture).await, [(guard.clone(), GuardCounts::default())], "an alias has one guard");
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    report(&fixture, one, guard.id, 10).await;
    report(&fixture, other, guard.id, 100).await;
    report(&fixture, one, guard.id, 50).await;
    let counts = GuardCounts { requests: 150, failed: 15, slow: 30 };
    assert_eq!(guards(&fixture).await, [(guard.clone(), counts)]);
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.models().guards_of(&demo()).await.unwrap(), [(guard.clone(), counts)]);
    assert!(tx.models().guards_of(&ModelName::parse("other").unwrap()).await.unwrap().is_empty());
    tx.models().report_guards(one, &[]).await.unwrap();
    assert!(tx.models().end_guard(guard.id).await.unwrap());
    assert!(!tx.models().end_guard(guard.id).await.unwrap(), "only one process ends a guard");
    tx.commit().await.unwrap();
    assert!(guards(&fixture).await.is_empty());
}

async fn a_report_about_an_ended_guard_is_not_stored(fixture: Fixture) {
    let ended = guarded(&fixture, 1, production()).await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().end_guard(ended.id).await.unwrap();
    tx.commit().await.unwrap();
    let next = guard(&fixture, 2, production());
    insert(&fixture, &next).await;
    let counts = GuardCounts { requests: 7, ..GuardCounts::default() };
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().report_guards(Uuid::from_u128(1), &[(ended.id, counts), (next.id, counts)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(guards(&fixture).await, [(next, counts)]);
}

async fn another_move_of_the_alias_ends_its_guard(fixture: Fixture) {
    guarded(&fixture, 1, production()).await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.models().set_alias(&demo(), "other", 1, &fixture.cause()).await.unwrap());
    assert_eq!(tx.models().guards().await.unwrap().len(), 1);
    let before = tx.models().revision().await.unwrap();
    assert!(tx.models().set_alias(&demo(), PRODUCTION, 1, &fixture.cause()).await.unwrap());
    assert!(tx.models().guards().await.unwrap().is_empty(), "the alias was set without a guard");
    assert!(tx.models().revision().await.unwrap() > before);
    tx.models().insert_guard(&guard(&fixture, 1, production())).await.unwrap();
    assert!(tx.models().set_alias(&demo(), PRODUCTION, 2, &fixture.cause()).await.unwrap());
    assert!(tx.models().guards().await.unwrap().is_empty());
    tx.models().insert_guard(&guard(&fixture, 2, production())).await.unwrap();
    let cause = MoveCause::new(MoveReason::Rollback, fixture.now);
    let rollback = tx.models().roll_back(&demo(), PRODUCTION, None, &cause).await.unwrap();
    assert_eq!(rollback, Rollback::Done { from: 2, to: 1 });
    assert!(tx.models().guards().await.unwrap().is_empty());
}

async fn other_weights_end_the_guards_of_the_weights(fixture: Fixture) {
    let kept = guarded(&fixture, 1, production()).await;
    let weights = Traffic { weights: [(1, 9), (2, 1)].into(), ..Traffic::default() };
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().set_traffic(&demo(), &weights, fixture.now).await.unwrap();
    let canary = guard(&fixture, 2, Guarded::Weights);
    tx.models().insert_guard(&canary).await.unwrap();
    assert_eq!(tx.models().guards().await.unwrap().len(), 2);
    tx.models().set_traffic(&demo(), &weights, fixture.now).await.unwrap();
    let left: Vec<_> = tx.models().guards().await.unwrap().into_iter().map(|(guard, _)| guard.id).collect();
    assert_eq!(left, [kept.id]);
    tx.models().insert_guard(&canary).await.unwrap();
    assert!(tx.models().delete_weights(&demo()).await.unwrap());
    assert_eq!(tx.models().guards().await.unwrap().len(), 1);
}

async fn a_guard_ends_with_its_version(fixture: Fixture) {
    let guard = guarded(&fixture, 2, Guarded::Weights).await;
    report(&fixture, Uuid::from_u128(1), guard.id, 10).await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().delete_version(&demo(), 2, true, &fixture.cause()).await.unwrap();
    assert!(tx.models().guards().await.unwrap().is_empty());
    tx.commit().await.unwrap();
}
