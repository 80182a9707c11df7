//! Models, versions and aliases.

use futures::future::join_all;
use trainyard_domain::{ModelName, ModelVersion, PRODUCTION};
use trainyard_storage::{ModelDeletion, ServedVersion};

use crate::fixture::Fixture;

on_both!(
    a_version_reads_back_with_its_aliases,
    moving_an_alias_increases_the_revision,
    an_alias_moved_concurrently_points_at_one_version,
    deleting_a_version_deletes_its_aliases,
    lists_are_newest_first,
);

fn demo() -> ModelName {
    ModelName::parse("demo").unwrap()
}

fn short(versions: &[ModelVersion]) -> Vec<(i64, Vec<&str>)> {
    versions.iter().map(|v| (v.version, v.aliases.iter().map(String::as_str).collect())).collect()
}

/// A served version of `demo` with one alias.
fn served(version: i64, alias: &str) -> (String, i64, Vec<String>) {
    ("demo".to_owned(), version, vec![alias.to_owned()])
}

fn named(version: ServedVersion) -> (String, i64, Vec<String>) {
    (version.model, version.version, version.aliases)
}

async fn point(fixture: &Fixture, alias: &str, version: i64) -> bool {
    let mut tx = fixture.db.begin().await.unwrap();
    let moved = tx.models().set_alias(&demo(), alias, version, &fixture.cause()).await.unwrap();
    tx.commit().await.unwrap();
    moved
}

async fn a_version_reads_back_with_its_aliases(fixture: Fixture) {
    let job = fixture.queue().await;
    let new = fixture.version("demo", job);
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().publish(&new).await.unwrap();
    tx.commit().await.unwrap();
    assert!(point(&fixture, "best", 1).await);

    let mut tx = fixture.db.read().await.unwrap();
    let read = tx.models().version(&demo(), 1).await.unwrap().unwrap();
    assert_eq!((read.name, read.job_id, read.algorithm), (new.name, job, new.algorithm));
    assert_eq!((read.features, read.target, read.metrics), (new.features, new.target, new.metrics));
    assert_eq!((read.dataset_id, read.size, read.sha256), (new.dataset_id, new.size, new.sha256));
    assert_eq!((read.created_at, read.aliases), (fixture.now, vec!["best".to_owned(), PRODUCTION.to_owned()]));
    let named = tx.models().named(&[&read.artifact_key, "artifacts/orphan/1.tym"]).await.unwrap();
    assert!(named.len() == 1 && named.contains(&read.artifact_key), "{named:?}");
    assert!(tx.models().version(&demo(), 2).await.unwrap().is_none());
}

async fn moving_an_alias_increases_the_revision(fixture: Fixture) {
    for _ in 0..3 {
        fixture.publish("demo").await;
    }
    let revision = async || fixture.db.read().await.unwrap().models().revision().await.unwrap();
    let before = revision().await;
    assert!(point(&fixture, PRODUCTION, 3).await);
    assert!(revision().await > before);
    let before = revision().await;
    assert!(!point(&fixture, PRODUCTION, 9).await, "there is no version 9");
    assert_eq!(revision().await, before);
    assert!(point(&fixture, "canary", 2).await);

    let mut tx = fixture.db.begin().await.unwrap();
    let found: Vec<_> = tx.models().served().await.unwrap().into_iter().map(named).collect();
    let (canary, production) = (served(2, "canary"), served(3, PRODUCTION));
    assert_eq!(found, [canary, production.clone()], "versions without an alias are not served");
    assert!(tx.models().delete_alias(&demo(), "canary", &fixture.cause()).await.unwrap());
    assert!(!tx.models().delete_alias(&demo(), "canary", &fixture.cause()).await.unwrap());
    let found: Vec<_> = tx.models().served().await.unwrap().into_iter().map(named).collect();
    assert_eq!(found, [production]);
}

async fn an_alias_moved_concurrently_points_at_one_version(fixture: Fixture) {
    for _ in 0..5 {
        fixture.publish("demo").await;
    }
    let moves = join_all((0..20).map(|i| point(&fixture, PRODUCTION, i % 5 + 1))).await;
    assert!(moves.into_iter().all(|moved| moved));
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.models().aliases(&demo()).await.unwrap().len(), 1);
    assert_eq!(tx.models().served().await.unwrap().len(), 1);
}

async fn deleting_a_version_deletes_its_aliases(fixture: Fixture) {
    fixture.publish("demo").await;
    fixture.publish("demo").await;
    let mut tx = fixture.db.begin().await.unwrap();
    let before = tx.models().revision().await.unwrap();
    let refused = tx.models().delete_version(&demo(), 1, false, &fixture.cause()).await.unwrap();
    assert_eq!(refused, ModelDeletion::Aliased(vec![PRODUCTION.to_owned()]));
    let deleted = tx.models().delete_version(&demo(), 1, true, &fixture.cause()).await.unwrap();
    assert!(matches!(deleted, ModelDeletion::Deleted { aliases, .. } if aliases == [PRODUCTION]));
    assert!(tx.models().aliases(&demo()).await.unwrap().is_empty());
    assert!(tx.models().revision().await.unwrap() > before);
    assert_eq!(short(&tx.models().versions(&demo(), None, 10).await.unwrap()), [(2, vec![])]);
}

async fn lists_are_newest_first(fixture: Fixture) {
    for _ in 0..5 {
        fixture.publish("demo").await;
    }
    assert!(point(&fixture, "best", 5).await && point(&fixture, "also-best", 5).await);
    let mut tx = fixture.db.read().await.unwrap();
    let page = tx.models().versions(&demo(), None, 2).await.unwrap();
    assert_eq!(short(&page), [(5, vec!["also-best", "best"]), (4, vec![])], "aliases do not count as rows");
    let rest = tx.models().versions(&demo(), Some(4), 10).await.unwrap();
    assert_eq!(short(&rest), [(3, vec![]), (2, vec![]), (1, vec![PRODUCTION])]);
    drop(tx);

    fixture.publish("other").await;
    let mut tx = fixture.db.read().await.unwrap();
    let models = tx.models().list(None, 10).await.unwrap();
    assert_eq!(models.len(), 2);
    assert!(models[0].id > models[1].id);
    assert_eq!(tx.models().list(Some(models[0].id), 10).await.unwrap(), models[1..]);
    let published = tx.models().published(100).await.unwrap();
    let expected = (1..=5).map(|version| ("demo".to_owned(), version)).chain([("other".to_owned(), 1)]);
    assert_eq!(published, expected.collect::<Vec<_>>());
    assert_eq!(tx.models().published(2).await.unwrap(), published[..2]);
}
