//! A version is published once, under a number of its own, together with its job's success or not at all.

use futures::future::join_all;
use serde_json::json;
use trainyard_domain::{JobStatus, ModelName, PRODUCTION};
use trainyard_storage::{Cancelled, ModelDeletion, StorageError};

use crate::bench::Bench;

on_both!(
    twenty_publishes_at_once_get_twenty_numbers,
    a_job_publishes_once,
    a_fenced_run_leaves_no_version,
    a_run_whose_cancel_was_accepted_leaves_no_version,
    the_first_version_is_served_and_later_ones_when_promoted,
    numbers_are_never_used_again,
);

fn demo() -> ModelName {
    ModelName::parse("demo").unwrap()
}

async fn twenty_publishes_at_once_get_twenty_numbers(bench: Bench) {
    let jobs = join_all((0..20).map(|_| bench.queue())).await;
    let publish = |job| {
        let (db, mut new) = (bench.db.clone(), bench.version("demo", job));
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
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.models().aliases(&demo()).await.unwrap(), [(PRODUCTION.to_owned(), 20)], "the newest is promoted");
    assert_eq!(tx.models().revision().await.unwrap(), 20);
}

async fn a_job_publishes_once(bench: Bench) {
    let job = bench.queue().await;
    let publish = |claim: i64| {
        let (db, mut new) = (bench.db.clone(), bench.version("demo", job));
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
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.models().versions(&demo(), None, 10).await.unwrap().len(), 1);
}

async fn a_fenced_run_leaves_no_version(bench: Bench) {
    let job = bench.queue().await;
    bench.claim(job, "w", bench.now).await.unwrap();
    let mut tx = bench.db.begin().await.unwrap();
    let version = tx.models().publish(&bench.version("demo", job)).await.unwrap();
    assert!(!tx.jobs().succeed(job, 99, &json!({}), version, bench.now).await.unwrap());
    drop(tx);
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.models().get(&demo()).await.unwrap().is_none());
    assert_eq!(tx.models().revision().await.unwrap(), 0, "nobody loads anything");
    let version = tx.models().publish(&bench.version("demo", job)).await.unwrap();
    assert!(tx.jobs().succeed(job, 1, &json!({}), version, bench.now).await.unwrap());
    tx.commit().await.unwrap();
    let job = bench.job(job).await;
    assert_eq!((job.status, job.model_version), (JobStatus::Succeeded, Some(1)));
}

async fn a_run_whose_cancel_was_accepted_leaves_no_version(bench: Bench) {
    let job = bench.queue().await;
    bench.claim(job, "w", bench.now).await.unwrap();
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.jobs().cancel(job, bench.later(1)).await.unwrap(), Cancelled::Requested);
    tx.commit().await.unwrap();
    let mut tx = bench.db.begin().await.unwrap();
    let version = tx.models().publish(&bench.version("demo", job)).await.unwrap();
    assert!(!tx.jobs().succeed(job, 1, &json!({}), version, bench.later(2)).await.unwrap());
    drop(tx);
    assert_eq!(bench.job(job).await.status, JobStatus::Running, "its worker has yet to end it as cancelled");
}

async fn the_first_version_is_served_and_later_ones_when_promoted(bench: Bench) {
    assert_eq!((bench.publish("demo").await, bench.publish("demo").await), (1, 2));
    let production = async || bench.db.read().await.unwrap().models().aliases(&demo()).await.unwrap();
    assert_eq!(production().await, [(PRODUCTION.to_owned(), 1)], "the second waits for somebody to promote it");
    let job = bench.queue().await;
    let mut new = bench.version("demo", job);
    new.auto_promote = true;
    let mut tx = bench.db.begin().await.unwrap();
    tx.models().publish(&new).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(production().await, [(PRODUCTION.to_owned(), 3)]);
}

async fn numbers_are_never_used_again(bench: Bench) {
    bench.publish("demo").await;
    bench.publish("demo").await;
    let mut tx = bench.db.begin().await.unwrap();
    let deleted = tx.models().delete_version(&demo(), 2, false).await.unwrap();
    assert!(matches!(deleted, ModelDeletion::Deleted { keys, .. } if keys.len() == 1));
    assert_eq!(tx.models().delete_version(&demo(), 2, false).await.unwrap(), ModelDeletion::Missing);
    tx.commit().await.unwrap();
    assert_eq!(bench.publish("demo").await, 3);

    let before = bench.db.read().await.unwrap().models().get(&demo()).await.unwrap().unwrap();
    let mut tx = bench.db.begin().await.unwrap();
    let deleted = tx.models().delete(&demo(), true).await.unwrap();
    assert!(matches!(deleted, ModelDeletion::Deleted { keys, .. } if keys.len() == 2));
    assert_eq!(tx.models().delete(&demo(), true).await.unwrap(), ModelDeletion::Missing);
    assert!(tx.models().get(&demo()).await.unwrap().is_none());
    assert!(tx.models().list(None, 10).await.unwrap().is_empty());
    assert!(tx.models().served().await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(bench.publish("demo").await, 4, "a prediction that named version 1 never meets another one");
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.models().aliases(&demo()).await.unwrap(), [(PRODUCTION.to_owned(), 4)]);
    assert_ne!(tx.models().get(&demo()).await.unwrap().unwrap().id, before.id, "it is a new model of an old name");
}
