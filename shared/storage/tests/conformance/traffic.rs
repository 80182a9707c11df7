//! Weights and shadows.

use std::collections::BTreeSet;

use trainyard_domain::{ModelName, PRODUCTION, Traffic};
use trainyard_storage::ModelDeletion;

use crate::fixture::Fixture;

on_both!(
    traffic_reads_back_and_replaces_the_former_one,
    versions_in_the_traffic_are_served,
    traffic_with_a_missing_version_is_not_stored,
    versions_in_the_traffic_are_not_deleted_without_force,
    a_concurrent_version_deletion_and_traffic_exclude_each_other,
);

fn demo() -> ModelName {
    ModelName::parse("demo").unwrap()
}

fn traffic(weights: &[(i64, u32)], shadow: &[i64]) -> Traffic {
    Traffic { weights: weights.iter().copied().collect(), shadow: shadow.iter().copied().collect() }
}

async fn set(fixture: &Fixture, traffic: &Traffic) -> BTreeSet<i64> {
    let mut tx = fixture.db.begin().await.unwrap();
    let missing = tx.models().set_traffic(&demo(), traffic, fixture.now).await.unwrap();
    tx.commit().await.unwrap();
    missing
}

async fn publish(fixture: &Fixture, count: usize) {
    for _ in 0..count {
        fixture.publish("demo").await;
    }
}

async fn traffic_reads_back_and_replaces_the_former_one(fixture: Fixture) {
    publish(&fixture, 5).await;
    let stored = async || fixture.db.read().await.unwrap().models().traffic(&demo()).await.unwrap();
    assert_eq!((stored().await.traffic, stored().await.updated_at), (Traffic::default(), None));
    let revision = async || fixture.db.read().await.unwrap().models().revision().await.unwrap();
    let before = revision().await;
    let first = traffic(&[(3, 90), (4, 10)], &[5]);
    assert!(set(&fixture, &first).await.is_empty());
    assert!(revision().await > before);
    assert_eq!((stored().await.traffic, stored().await.updated_at), (first, Some(fixture.now)));
    let second = traffic(&[(4, 1_000_000)], &[]);
    set(&fixture, &second).await;
    assert_eq!(stored().await.traffic, second);
    let all = fixture.db.read().await.unwrap().models().all_traffic().await.unwrap();
    assert_eq!(all, [("demo".to_owned(), second)].into());

    let both = traffic(&[(4, 1)], &[5]);
    set(&fixture, &both).await;
    let mut tx = fixture.db.begin().await.unwrap();
    let before = tx.models().revision().await.unwrap();
    assert!(tx.models().delete_weights(&demo()).await.unwrap());
    assert!(!tx.models().delete_weights(&demo()).await.unwrap());
    assert_eq!(tx.models().traffic(&demo()).await.unwrap().traffic, traffic(&[], &[5]));
    assert!(tx.models().delete_traffic(&demo()).await.unwrap());
    assert!(!tx.models().delete_traffic(&demo()).await.unwrap());
    assert_eq!(tx.models().revision().await.unwrap(), before + 2);
    assert!(tx.models().all_traffic().await.unwrap().is_empty());
}

async fn versions_in_the_traffic_are_served(fixture: Fixture) {
    publish(&fixture, 4).await;
    set(&fixture, &traffic(&[(1, 1), (2, 1)], &[4])).await;
    let served = fixture.db.read().await.unwrap().models().served().await.unwrap();
    let found: Vec<_> = served.into_iter().map(|one| (one.version, one.aliases)).collect();
    assert_eq!(found, [(1, vec![PRODUCTION.to_owned()]), (2, vec![]), (4, vec![])]);
}

async fn traffic_with_a_missing_version_is_not_stored(fixture: Fixture) {
    publish(&fixture, 2).await;
    let kept = traffic(&[(1, 1)], &[2]);
    set(&fixture, &kept).await;
    assert_eq!(set(&fixture, &traffic(&[(1, 1), (7, 1)], &[9])).await, [7, 9].into());
    assert_eq!(fixture.db.read().await.unwrap().models().traffic(&demo()).await.unwrap().traffic, kept);
}

async fn versions_in_the_traffic_are_not_deleted_without_force(fixture: Fixture) {
    publish(&fixture, 4).await;
    let used = traffic(&[(2, 90), (3, 10)], &[4]);
    set(&fixture, &used).await;
    let delete = async |version: i64, force: bool| {
        let mut tx = fixture.db.begin().await.unwrap();
        let deletion = tx.models().delete_version(&demo(), version, force, &fixture.cause()).await.unwrap();
        if matches!(deletion, ModelDeletion::Deleted { .. }) {
            tx.commit().await.unwrap();
        }
        deletion
    };
    for version in [2, 3, 4] {
        assert_eq!(delete(version, false).await, ModelDeletion::Traffic(used.clone()));
    }
    let stored = async || fixture.db.read().await.unwrap().models().traffic(&demo()).await.unwrap().traffic;
    assert!(matches!(delete(4, true).await, ModelDeletion::Deleted { .. }));
    assert_eq!(stored().await, traffic(&[(2, 90), (3, 10)], &[]));
    assert!(matches!(delete(2, true).await, ModelDeletion::Deleted { .. }));
    assert_eq!(stored().await, Traffic::default(), "version 3 does not get the share of version 2");

    set(&fixture, &traffic(&[(3, 1)], &[])).await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.models().delete_alias(&demo(), PRODUCTION, &fixture.cause()).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.models().delete(&demo(), false).await.unwrap(), ModelDeletion::Traffic(traffic(&[(3, 1)], &[])));
    drop(tx);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(matches!(tx.models().delete(&demo(), true).await.unwrap(), ModelDeletion::Deleted { .. }));
    assert!(tx.models().all_traffic().await.unwrap().is_empty());
}

async fn a_concurrent_version_deletion_and_traffic_exclude_each_other(fixture: Fixture) {
    fixture.publish("demo").await;
    for _ in 0..10 {
        let version = fixture.publish("demo").await;
        let (db, cause) = (fixture.db.clone(), fixture.cause());
        let delete = async move {
            let mut tx = db.begin().await.unwrap();
            let deletion = tx.models().delete_version(&demo(), version, false, &cause).await.unwrap();
            let deleted = matches!(deletion, ModelDeletion::Deleted { .. });
            if deleted {
                tx.commit().await.unwrap();
            }
            deleted
        };
        let (db, now) = (fixture.db.clone(), fixture.now);
        let weigh = async move {
            let mut tx = db.begin().await.unwrap();
            let missing = tx.models().set_traffic(&demo(), &traffic(&[(version, 1)], &[]), now).await.unwrap();
            tx.commit().await.unwrap();
            missing.is_empty()
        };
        let (deleted, weighed) = tokio::join!(tokio::spawn(delete), tokio::spawn(weigh));
        assert!(deleted.unwrap() != weighed.unwrap());
    }
}
