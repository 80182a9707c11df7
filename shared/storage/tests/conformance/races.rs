//! Changes that exclude each other, made at the same time: one of them is refused.

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use serde_json::json;
use trainyard_domain::schedule::{CatchUp, Overlap, Template};
use trainyard_domain::spec::Draft;
use trainyard_domain::{Dataset, Job, ModelName, Schedule, ScheduleId};
use trainyard_storage::{Admission, DatasetDeletion, Db, JobDemand, JobLimits, ModelDeletion, Submission};

use crate::bench::{Bench, dataset};

on_both!(
    of_a_data_sets_deletion_and_a_submission_one_is_refused,
    of_a_data_sets_deletion_and_a_retry_one_is_refused,
    of_a_versions_deletion_and_an_alias_one_is_refused,
    there_are_never_more_schedules_than_the_limit,
);

/// How often two things are tried at the same time.
const ROUNDS: usize = 25;

async fn new_dataset(bench: &Bench, n: usize) -> Dataset {
    let dataset = dataset(&format!("data{n}"), 1, bench.now);
    let mut tx = bench.db.begin().await.unwrap();
    tx.datasets().insert(&dataset).await.unwrap();
    tx.commit().await.unwrap();
    dataset
}

async fn delete(db: Db, dataset: Dataset) -> bool {
    let mut tx = db.begin().await.unwrap();
    let deletion = tx.datasets().delete(&dataset.name).await.unwrap();
    let deleted = matches!(deletion, DatasetDeletion::Deleted(_));
    assert!(deleted || deletion == DatasetDeletion::Needed, "{deletion:?}");
    if deleted {
        tx.commit().await.unwrap();
    }
    deleted
}

async fn of_a_data_sets_deletion_and_a_submission_one_is_refused(bench: Bench) {
    let (mut deletions, mut submissions) = (0, 0);
    for n in 0..ROUNDS {
        let dataset = new_dataset(&bench, n).await;
        let job = Job { dataset_id: dataset.id, ..bench.draft() };
        let in_time = Utc::now() + TimeDelta::minutes(5);
        let submit = |db: Db| async move {
            let mut tx = db.begin().await.unwrap();
            let stored = tx.jobs().submit_within(&[&job], &[], JobLimits::default(), in_time).await.unwrap();
            let stored = stored == Submission::Stored;
            if stored {
                tx.commit().await.unwrap();
            }
            stored
        };
        let (deleted, stored) = tokio::join!(
            tokio::spawn(delete(bench.db.clone(), dataset.clone())),
            tokio::spawn(submit(bench.db.clone()))
        );
        let (deleted, stored) = (deleted.unwrap(), stored.unwrap());
        assert!(deleted != stored, "deleted: {deleted}, stored: {stored}");
        deletions += usize::from(deleted);
        submissions += usize::from(stored);
    }
    assert_eq!(deletions + submissions, ROUNDS);
}

async fn of_a_data_sets_deletion_and_a_retry_one_is_refused(bench: Bench) {
    for n in 0..ROUNDS {
        let dataset = new_dataset(&bench, n).await;
        let id = bench.queue_with(|job| job.dataset_id = dataset.id).await;
        let mut tx = bench.db.begin().await.unwrap();
        tx.jobs().cancel(id, bench.now).await.unwrap();
        tx.commit().await.unwrap();
        let (user, now) = (bench.user, bench.now);
        let demand = JobDemand::one(user, dataset.id);
        let retry = |db: Db| async move {
            let mut tx = db.begin().await.unwrap();
            let admitted = tx.jobs().admit(&[demand], JobLimits::default()).await.unwrap();
            if admitted == [Admission::DatasetDeleted] {
                return false;
            }
            assert!(tx.jobs().retry(id, now).await.unwrap());
            tx.commit().await.unwrap();
            true
        };
        let (deleted, retried) =
            tokio::join!(tokio::spawn(delete(bench.db.clone(), dataset)), tokio::spawn(retry(bench.db.clone())));
        assert!(deleted.unwrap() != retried.unwrap());
    }
}

async fn of_a_versions_deletion_and_an_alias_one_is_refused(bench: Bench) {
    let demo = ModelName::parse("demo").unwrap();
    bench.publish("demo").await;
    for _ in 0..ROUNDS {
        let version = bench.publish("demo").await;
        let (db, name, now) = (bench.db.clone(), demo.clone(), bench.now);
        let point = async move {
            let mut tx = db.begin().await.unwrap();
            let pointed = tx.models().set_alias(&name, "best", version, now).await.unwrap();
            tx.commit().await.unwrap();
            pointed
        };
        let (db, name) = (bench.db.clone(), demo.clone());
        let delete = async move {
            let mut tx = db.begin().await.unwrap();
            let deletion = tx.models().delete_version(&name, version, false).await.unwrap();
            let deleted = matches!(deletion, ModelDeletion::Deleted { .. });
            if deleted {
                tx.commit().await.unwrap();
            }
            deleted
        };
        let (pointed, deleted) = tokio::join!(tokio::spawn(point), tokio::spawn(delete));
        assert!(pointed.unwrap() != deleted.unwrap());
    }
}

async fn there_are_never_more_schedules_than_the_limit(bench: Bench) {
    let draft = Draft {
        name: "demo".into(),
        algorithm: "random_forest".into(),
        features: vec!["sex".into()],
        target: "survived".into(),
        params: json!({}).as_object().unwrap().clone(),
        priority: 0,
        run_at: None,
        max_attempts: 3,
        timeout_s: 60,
        webhook_url: None,
        seed: 42,
    };
    let schedule = |n: usize| Schedule {
        id: ScheduleId::at(bench.now),
        name: format!("s{n}"),
        cron: "@daily".into(),
        timezone: "UTC".into(),
        template: Template { dataset: bench.dataset.name.clone(), draft: draft.clone() },
        catch_up: CatchUp::Skip,
        overlap: Overlap::Skip,
        paused: true,
        created_by: bench.user,
        created_at: bench.now,
        updated_at: bench.now,
        next_run_at: None,
        last_run_at: None,
        last_job_id: None,
        last_error: None,
        revision: 1,
    };
    let add = |n| {
        let (db, schedule) = (bench.db.clone(), schedule(n));
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let added = tx.schedules().insert_within(&schedule, 5).await.unwrap();
            tx.commit().await.unwrap();
            added
        })
    };
    let added = join_all((0..20).map(add)).await.into_iter().filter(|added| *added.as_ref().unwrap()).count();
    assert_eq!((added, bench.db.read().await.unwrap().schedules().count().await.unwrap()), (5, 5));
}
