//! The history of aliases, and rollbacks.

use futures::future::join_all;
use trainyard_domain::{AliasMove, ModelName, MoveCause, MoveReason, PRODUCTION};
use trainyard_storage::Rollback;

use crate::fixture::Fixture;

on_both!(
    every_change_of_an_alias_is_recorded,
    a_rollback_returns_to_the_version_before_and_then_further_back,
    a_rollback_skips_the_time_without_the_alias,
    a_rollback_without_a_version_to_return_to_changes_nothing,
    concurrent_rollbacks_from_one_version_happen_once,
    the_history_is_paged_and_bounded,
    a_deleted_model_has_no_history,
);

fn demo() -> ModelName {
    ModelName::parse("demo").unwrap()
}

async fn publish(fixture: &Fixture, count: usize) {
    for _ in 0..count {
        fixture.publish("demo").await;
    }
}

async fn point(fixture: &Fixture, alias: &str, version: i64) {
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.models().set_alias(&demo(), alias, version, &fixture.cause()).await.unwrap());
    tx.commit().await.unwrap();
}

async fn roll_back(fixture: &Fixture, alias: &str, expected: Option<i64>) -> Rollback {
    let mut tx = fixture.db.begin().await.unwrap();
    let cause = MoveCause::new(MoveReason::Rollback, fixture.now).by(Some(fixture.user));
    let rollback = tx.models().roll_back(&demo(), alias, expected, &cause).await.unwrap();
    tx.commit().await.unwrap();
    rollback
}

async fn moves(fixture: &Fixture, alias: &str) -> Vec<AliasMove> {
    fixture.db.read().await.unwrap().models().alias_moves(&demo(), alias, None, 2_000).await.unwrap()
}

/// Versions before and after, and the reason, newest first.
async fn short(fixture: &Fixture, alias: &str) -> Vec<(Option<i64>, Option<i64>, MoveReason)> {
    moves(fixture, alias).await.into_iter().map(|one| (one.from, one.to, one.cause.reason)).collect()
}

async fn every_change_of_an_alias_is_recorded(fixture: Fixture) {
    publish(&fixture, 3).await;
    point(&fixture, PRODUCTION, 2).await;
    point(&fixture, PRODUCTION, 2).await;
    point(&fixture, "best", 3).await;
    let mut tx = fixture.db.begin().await.unwrap();
    let cause = MoveCause { reason: MoveReason::VersionDeleted, ..fixture.cause() }.because("deleted on request");
    tx.models().delete_version(&demo(), 2, true, &cause).await.unwrap();
    assert!(tx.models().delete_alias(&demo(), "best", &fixture.cause()).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(
        short(&fixture, PRODUCTION).await,
        [
            (Some(2), None, MoveReason::VersionDeleted),
            (Some(1), Some(2), MoveReason::User),
            (None, Some(1), MoveReason::FirstVersion)
        ],
        "a move to the same version is none"
    );
    let found = moves(&fixture, PRODUCTION).await;
    assert_eq!(found[0].cause, cause);
    assert_eq!((found[1].number, found[1].cause.actor, found[2].cause.actor), (2, Some(fixture.user), None));
    let best = short(&fixture, "best").await;
    assert_eq!(best, [(Some(3), None, MoveReason::User), (None, Some(3), MoveReason::User)]);
    assert!(short(&fixture, "nobody").await.is_empty());
}

async fn a_rollback_returns_to_the_version_before_and_then_further_back(fixture: Fixture) {
    publish(&fixture, 3).await;
    point(&fixture, PRODUCTION, 2).await;
    point(&fixture, PRODUCTION, 3).await;
    let before = fixture.db.read().await.unwrap().models().version_before(&demo(), PRODUCTION).await.unwrap();
    assert_eq!(before, Some(2));
    let revision = async || fixture.db.read().await.unwrap().models().revision().await.unwrap();
    let before = revision().await;
    assert_eq!(roll_back(&fixture, PRODUCTION, None).await, Rollback::Done { from: 3, to: 2 });
    assert!(revision().await > before, "the inference role must notice");
    assert_eq!(roll_back(&fixture, PRODUCTION, None).await, Rollback::Done { from: 2, to: 1 });
    assert_eq!(roll_back(&fixture, PRODUCTION, None).await, Rollback::NothingBefore);
    point(&fixture, PRODUCTION, 3).await;
    assert_eq!(roll_back(&fixture, PRODUCTION, None).await, Rollback::Done { from: 3, to: 1 });
    let found = short(&fixture, PRODUCTION).await;
    assert_eq!(found[0], (Some(3), Some(1), MoveReason::Rollback));
    assert_eq!(found.len(), 7);
    let aliases = fixture.db.read().await.unwrap().models().aliases(&demo()).await.unwrap();
    assert_eq!(aliases, [(PRODUCTION.to_owned(), 1)]);
}

async fn a_rollback_skips_the_time_without_the_alias(fixture: Fixture) {
    publish(&fixture, 2).await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.models().delete_alias(&demo(), PRODUCTION, &fixture.cause()).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(roll_back(&fixture, PRODUCTION, None).await, Rollback::Missing);
    point(&fixture, PRODUCTION, 2).await;
    assert_eq!(roll_back(&fixture, PRODUCTION, None).await, Rollback::Done { from: 2, to: 1 });
}

async fn a_rollback_without_a_version_to_return_to_changes_nothing(fixture: Fixture) {
    publish(&fixture, 2).await;
    assert_eq!(roll_back(&fixture, PRODUCTION, None).await, Rollback::NothingBefore);
    assert_eq!(roll_back(&fixture, "nobody", None).await, Rollback::Missing);
    point(&fixture, PRODUCTION, 2).await;
    assert_eq!(roll_back(&fixture, PRODUCTION, Some(1)).await, Rollback::Moved(2));
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().delete_version(&demo(), 1, false, &fixture.cause()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(roll_back(&fixture, PRODUCTION, Some(2)).await, Rollback::Deleted(1));
    let before = fixture.db.read().await.unwrap().models().version_before(&demo(), PRODUCTION).await.unwrap();
    assert_eq!(before, None);
    assert_eq!(moves(&fixture, PRODUCTION).await.len(), 2);
}

async fn concurrent_rollbacks_from_one_version_happen_once(fixture: Fixture) {
    publish(&fixture, 3).await;
    point(&fixture, PRODUCTION, 2).await;
    point(&fixture, PRODUCTION, 3).await;
    let results = join_all((0..8).map(|_| roll_back(&fixture, PRODUCTION, Some(3)))).await;
    let done = results.iter().filter(|result| matches!(result, Rollback::Done { .. })).count();
    assert_eq!(done, 1, "{results:?}");
    assert!(results.iter().all(|one| matches!(one, Rollback::Done { from: 3, to: 2 } | Rollback::Moved(2))));
}

async fn the_history_is_paged_and_bounded(fixture: Fixture) {
    publish(&fixture, 2).await;
    let mut tx = fixture.db.begin().await.unwrap();
    for n in 0..1_005 {
        let cause = fixture.cause();
        assert!(tx.models().set_alias(&demo(), PRODUCTION, 2 - n % 2, &cause).await.unwrap());
    }
    let all = tx.models().alias_moves(&demo(), PRODUCTION, None, 2_000).await.unwrap();
    assert_eq!((all.len(), all[0].number, all[999].number), (1_000, 1_006, 7));
    let page = tx.models().alias_moves(&demo(), PRODUCTION, None, 2).await.unwrap();
    let next = tx.models().alias_moves(&demo(), PRODUCTION, Some(page[1].number), 2).await.unwrap();
    assert_eq!([page, next].concat(), all[..4]);
}

async fn a_deleted_model_has_no_history(fixture: Fixture) {
    publish(&fixture, 2).await;
    point(&fixture, PRODUCTION, 2).await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().delete(&demo(), true).await.unwrap();
    tx.commit().await.unwrap();
    assert!(moves(&fixture, PRODUCTION).await.is_empty());
    publish(&fixture, 1).await;
    assert_eq!(short(&fixture, PRODUCTION).await, [(None, Some(3), MoveReason::FirstVersion)]);
    assert_eq!(roll_back(&fixture, PRODUCTION, None).await, Rollback::NothingBefore);
}
