//! Publishing of model versions.

use futures::future::join_all;
use serde_json::json;
use trainyard_domain::{JobStatus, ModelName, PRODUCTION};
use trainyard_storage::{Cancelled, ModelDeletion, StorageError};

use crate::fixture::Fixture;

on_both!(
    twenty_concurrent_publishes_get_twenty_numbers,
    a_job_publishes_once,
    a_fenced_run_publishes_no_version,
    a_run_with_a_cancel_request_publishes_no_version,
    production_moves_to_the_first_version_and_to_promoted_ones,
    version_numbers_are_never_reused,
);

fn demo() -> ModelName {
    ModelName::parse("demo").unwrap()
}

async fn twenty_concurrent_publishes_get_twenty_numbers(fixture: Fixture) {
    let jobs = join_all((0..20).map(|_| fixture.queue())).await;
    let publish = |job| {
        let (db, mut new) = (fixture.db.clone(), fixture.version("demo", job));
        new.auto_promote = true;
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let version = tx.models().publish(&new).await.unwrap();
            tx.commit().await.unwrap();
            version
        })
    };
    let published = join_all(jobs.into_iter().map(publish)).await;
    let mut versions: Vec<_> = published.into_iter().map(Result::unwrap).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=20).collect::<Vec<i64>>());
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(
        tx.models().aliases(&demo()).await.unwrap(),
        [(PRODUCTION.to_owned(), 20)],
        "production is the newest version"
    );
    assert_eq!(tx.models().revision().await.unwrap(), 20);
}

async fn a_job_publishes_once(fixture: Fixture) {
    let job = fixture.queue().await;
    let publish = |claim: i64| {
        let (db, mut new) = (fixture.db.clone(), fixture.version("demo", job));
        new.artifact_key = format!("artifacts/{job}/{claim}.tym");
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            tx.models().publish(&new).await?;
            tx.commit().await
        })
    };
    let results: Vec<_> = join_all((0..5).map(publish)).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(StorageError::Conflict))), "{results:?}");
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.models().versions(&demo(), None, 10).await.unwrap().len(), 1);
}

async fn a_fenced_run_publishes_no_version(fixture: Fixture) {
    let job = fixture.queue().await;
    fixture.claim(job, "w", fixture.now).await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    let version = tx.models().publish(&fixture.version("demo", job)).await.unwrap();
    assert!(!tx.jobs().succeed(job, 99, &json!({}), Some(version), fixture.now).await.unwrap());
    drop(tx);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.models().get(&demo()).await.unwrap().is_none());
    assert_eq!(tx.models().revision().await.unwrap(), 0, "the revision is unchanged");
    let version = tx.models().publish(&fixture.version("demo", job)).await.unwrap();
    assert!(tx.jobs().succeed(job, 1, &json!({}), Some(version), fixture.now).await.unwrap());
    tx.commit().await.unwrap();
    let job = fixture.job(job).await;
    assert_eq!((job.status, job.model_version), (JobStatus::Succeeded, Some(1)));
}

async fn a_run_with_a_cancel_request_publishes_no_version(fixture: Fixture) {
    let job = fixture.queue().await;
    fixture.claim(job, "w", fixture.now).await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.jobs().cancel(job, fixture.later(1)).await.unwrap(), Cancelled::Requested);
    tx.commit().await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    let version = tx.models().publish(&fixture.version("demo", job)).await.unwrap();
    assert!(!tx.jobs().succeed(job, 1, &json!({}), Some(version), fixture.later(2)).await.unwrap());
    drop(tx);
    assert_eq!(fixture.job(job).await.status, JobStatus::Running, "the worker has not finished it yet");
}

async fn production_moves_to_the_first_version_and_to_promoted_ones(fixture: Fixture) {
    assert_eq!((fixture.publish("demo").await, fixture.publish("demo").await), (1, 2));
    let production = async || fixture.db.read().await.unwrap().models().aliases(&demo()).await.unwrap();
    assert_eq!(production().await, [(PRODUCTION.to_owned(), 1)], "the second version is not promoted");
    let job = fixture.queue().await;
    let mut new = fixture.version("demo", job);
    new.auto_promote = true;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().publish(&new).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(production().await, [(PRODUCTION.to_owned(), 3)]);
}

async fn version_numbers_are_never_reused(fixture: Fixture) {
    fixture.publish("demo").await;
    fixture.publish("demo").await;
    let mut tx = fixture.db.begin().await.unwrap();
    let deleted = tx.models().delete_version(&demo(), 2, false).await.unwrap();
    assert!(matches!(deleted, ModelDeletion::Deleted { keys, .. } if keys.len() == 1));
    assert_eq!(tx.models().delete_version(&demo(), 2, false).await.unwrap(), ModelDeletion::Missing);
    tx.commit().await.unwrap();
    assert_eq!(fixture.publish("demo").await, 3);

    let before = fixture.db.read().await.unwrap().models().get(&demo()).await.unwrap().unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    let deleted = tx.models().delete(&demo(), true).await.unwrap();
    assert!(matches!(deleted, ModelDeletion::Deleted { keys, .. } if keys.len() == 2));
    assert_eq!(tx.models().delete(&demo(), true).await.unwrap(), ModelDeletion::Missing);
    assert!(tx.models().get(&demo()).await.unwrap().is_none());
    assert!(tx.models().list(None, 10).await.unwrap().is_empty());
    assert!(tx.models().served().await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(fixture.publish("demo").await, 4, "version 1 is not reused");
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.models().aliases(&demo()).await.unwrap(), [(PRODUCTION.to_owned(), 4)]);
    assert_ne!(tx.models().get(&demo()).await.unwrap().unwrap().id, before.id, "the model is new");
}
