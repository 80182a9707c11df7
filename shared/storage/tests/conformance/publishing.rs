//! Publishing of model versions.

use futures::future::join_all;
use serde_json::json;
use trainyard_domain::{
    AutoPromote, JobStatus, ModelName, MoveReason, PRODUCTION, Promotion, PromotionDecision, PromotionMetric, Traffic,
};
use trainyard_storage::{Cancelled, ModelDeletion, StorageError};

use crate::fixture::Fixture;

on_both!(
    twenty_concurrent_publishes_get_twenty_numbers,
    a_job_publishes_once,
    a_fenced_run_publishes_no_version,
    a_run_with_a_cancel_request_publishes_no_version,
    production_moves_to_the_first_version_and_to_promoted_ones,
    a_guarded_promotion_needs_a_better_metric,
    weights_prevent_a_promotion_by_a_publish,
    version_numbers_are_never_reused,
);

fn demo() -> ModelName {
    ModelName::parse("demo").unwrap()
}

async fn twenty_concurrent_publishes_get_twenty_numbers(fixture: Fixture) {
    let jobs = join_all((0..20).map(|_| fixture.queue())).await;
    let publish = |job| {
        let (db, mut new) = (fixture.db.clone(), fixture.version("demo", job));
        new.promotion = Promotion::Always;
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let version = tx.models().publish(&new).await.unwrap().version;
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
    let version = tx.models().publish(&fixture.version("demo", job)).await.unwrap().version;
    assert!(!tx.jobs().succeed(job, 99, &json!({}), Some(version), fixture.now).await.unwrap());
    drop(tx);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.models().get(&demo()).await.unwrap().is_none());
    assert_eq!(tx.models().revision().await.unwrap(), 0, "the revision is unchanged");
    let version = tx.models().publish(&fixture.version("demo", job)).await.unwrap().version;
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
    let version = tx.models().publish(&fixture.version("demo", job)).await.unwrap().version;
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
    new.promotion = Promotion::Always;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().publish(&new).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(production().await, [(PRODUCTION.to_owned(), 3)]);
}

/// Publishes a version of `demo` with this ROC AUC. Returns its number, the decision and the version of `production`.
async fn publish_if_better(
    fixture: &Fixture,
    roc_auc: serde_json::Value,
) -> (i64, Option<PromotionDecision>, Option<i64>) {
    let job = fixture.queue().await;
    let mut new = fixture.version("demo", job);
    new.metrics = json!({"roc_auc": roc_auc});
    new.promotion = Promotion::IfBetter(AutoPromote { metric: PromotionMetric::RocAuc, min_improvement: 0.01 });
    let mut tx = fixture.db.begin().await.unwrap();
    let published = tx.models().publish(&new).await.unwrap();
    let production = tx.models().alias(&demo(), PRODUCTION).await.unwrap();
    tx.commit().await.unwrap();
    (published.version, published.decision, production)
}

async fn a_guarded_promotion_needs_a_better_metric(fixture: Fixture) {
    let message = |decision: Option<PromotionDecision>| decision.unwrap().message;
    let (version, decision, production) = publish_if_better(&fixture, json!(0.8)).await;
    assert_eq!((version, production), (1, Some(1)));
    assert_eq!(message(decision), "promoted: the first version of the model");
    let (version, decision, production) = publish_if_better(&fixture, json!(0.805)).await;
    assert_eq!((version, production), (2, Some(1)), "{decision:?}");
    let (version, decision, production) = publish_if_better(&fixture, json!(0.82)).await;
    assert_eq!((version, production), (3, Some(3)), "{decision:?}");
    let (_, decision, production) = publish_if_better(&fixture, json!(null)).await;
    assert_eq!(message(decision), "not promoted: the new version has no roc_auc");
    assert_eq!(production, Some(3));

    let mut tx = fixture.db.begin().await.unwrap();
    let moves = tx.models().alias_moves(&demo(), PRODUCTION, None, 10).await.unwrap();
    let found: Vec<_> = moves.iter().map(|one| (one.from, one.to, one.cause.reason)).collect();
    assert_eq!(found, [(Some(1), Some(3), MoveReason::GuardedPromotion), (None, Some(1), MoveReason::FirstVersion)]);
    let detail = moves[0].cause.detail.as_deref().unwrap();
    assert_eq!(detail, "promoted: roc_auc 0.82 is better than 0.8 of version 1");
    assert!(tx.models().delete_alias(&demo(), PRODUCTION, &fixture.cause()).await.unwrap());
    tx.commit().await.unwrap();
    let (version, decision, production) = publish_if_better(&fixture, json!(0.5)).await;
    assert_eq!((version, production), (5, Some(5)), "nothing was served");
    assert_eq!(message(decision), "promoted: production points at no version");
}

async fn weights_prevent_a_promotion_by_a_publish(fixture: Fixture) {
    publish_if_better(&fixture, json!(0.8)).await;
    let traffic = Traffic { weights: [(1, 1)].into(), ..Traffic::default() };
    let mut tx = fixture.db.begin().await.unwrap();
    tx.models().set_traffic(&demo(), &traffic, fixture.now).await.unwrap();
    tx.commit().await.unwrap();
    let (_, decision, production) = publish_if_better(&fixture, json!(0.9)).await;
    assert_eq!(decision.unwrap().message, "not promoted: the traffic of the model has weights");
    assert_eq!(production, Some(1));
    let job = fixture.queue().await;
    let mut new = fixture.version("demo", job);
    new.promotion = Promotion::Always;
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.models().publish(&new).await.unwrap().decision, None);
    assert_eq!(tx.models().alias(&demo(), PRODUCTION).await.unwrap(), Some(1));
}

async fn version_numbers_are_never_reused(fixture: Fixture) {
    fixture.publish("demo").await;
    fixture.publish("demo").await;
    let mut tx = fixture.db.begin().await.unwrap();
    let deleted = tx.models().delete_version(&demo(), 2, false, &fixture.cause()).await.unwrap();
    assert!(matches!(deleted, ModelDeletion::Deleted { keys, .. } if keys.len() == 1));
    assert_eq!(tx.models().delete_version(&demo(), 2, false, &fixture.cause()).await.unwrap(), ModelDeletion::Missing);
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
