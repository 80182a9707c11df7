//! Concurrent changes that exclude each other.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use serde_json::json;
use trainyard_domain::schedule::{CatchUp, Overlap, Template};
use trainyard_domain::spec::Draft;
use trainyard_domain::{Dataset, Job, ModelName, Schedule, ScheduleId};
use trainyard_storage::{Admission, DatasetDeletion, Db, JobDemand, JobLimits, ModelDeletion, QuotaCredit, Submission};

use crate::fixture::{Fixture, dataset};

const LIMITS: JobLimits = JobLimits { per_user: 10_000, total: 100_000 };

on_both!(
    a_concurrent_deletion_and_submission_exclude_each_other,
    a_concurrent_deletion_and_retry_exclude_each_other,
    a_concurrent_version_deletion_and_alias_exclude_each_other,
    the_schedule_limit_holds_under_concurrent_inserts,
);

/// Repetitions of each race.
const ROUNDS: usize = 25;

async fn new_dataset(fixture: &Fixture, n: usize) -> Dataset {
    let dataset = dataset(&format!("data{n}"), 1, fixture.now);
    let mut tx = fixture.db.begin().await.unwrap();
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

/// As the API submits: with expired credit it tries again.
async fn submit(db: Db, job: Job, credit: Arc<QuotaCredit>) -> bool {
    let in_time = Utc::now() + TimeDelta::minutes(5);
    loop {
        let mut tx = db.begin().await.unwrap();
        match tx.jobs().submit_within(&[&job], &[], LIMITS, in_time, &credit).await.unwrap() {
            Submission::Stored(reservation) => {
                tx.commit().await.unwrap();
                credit.add(reservation);
                return true;
            }
            Submission::CreditExpired => {}
            Submission::LimitReached | Submission::Late => return false,
        }
    }
}

async fn a_concurrent_deletion_and_submission_exclude_each_other(fixture: Fixture) {
    let (mut deletions, mut submissions) = (0, 0);
    for n in 0..ROUNDS {
        let dataset = new_dataset(&fixture, n).await;
        let of_dataset = || Job { dataset_id: dataset.id, ..fixture.draft() };
        let credit = Arc::new(QuotaCredit::default());
        // In every second round the submission uses credit.
        for _ in 0..2 * (n % 2) {
            let job = of_dataset();
            let id = job.id;
            assert!(submit(fixture.db.clone(), job, Arc::clone(&credit)).await);
            let mut tx = fixture.db.begin().await.unwrap();
            tx.jobs().cancel(id, fixture.now).await.unwrap();
            tx.commit().await.unwrap();
        }
        let (deleted, stored) = tokio::join!(
            tokio::spawn(delete(fixture.db.clone(), dataset.clone())),
            tokio::spawn(submit(fixture.db.clone(), of_dataset(), credit))
        );
        let (deleted, stored) = (deleted.unwrap(), stored.unwrap());
        assert!(deleted != stored, "deleted: {deleted}, stored: {stored}");
        deletions += usize::from(deleted);
        submissions += usize::from(stored);
    }
    assert_eq!(deletions + submissions, ROUNDS);
}

async fn a_concurrent_deletion_and_retry_exclude_each_other(fixture: Fixture) {
    for n in 0..ROUNDS {
        let dataset = new_dataset(&fixture, n).await;
        let id = fixture.queue_with(|job| job.dataset_id = dataset.id).await;
        let mut tx = fixture.db.begin().await.unwrap();
        tx.jobs().cancel(id, fixture.now).await.unwrap();
        tx.commit().await.unwrap();
        let (user, now) = (fixture.user, fixture.now);
        let demand = JobDemand::one(user, dataset.id);
        let retry = |db: Db| async move {
            let mut tx = db.begin().await.unwrap();
            let admitted = tx.jobs().admit(&[demand], LIMITS).await.unwrap();
            if admitted == [Admission::DatasetDeleted] {
                return false;
            }
            assert!(tx.jobs().retry(id, now).await.unwrap());
            tx.commit().await.unwrap();
            true
        };
        let (deleted, retried) =
            tokio::join!(tokio::spawn(delete(fixture.db.clone(), dataset)), tokio::spawn(retry(fixture.db.clone())));
        assert!(deleted.unwrap() != retried.unwrap());
    }
}

async fn a_concurrent_version_deletion_and_alias_exclude_each_other(fixture: Fixture) {
    let demo = ModelName::parse("demo").unwrap();
    fixture.publish("demo").await;
    for _ in 0..ROUNDS {
        let version = fixture.publish("demo").await;
        let (db, name, cause) = (fixture.db.clone(), demo.clone(), fixture.cause());
        let point = async move {
            let mut tx = db.begin().await.unwrap();
            let pointed = tx.models().set_alias(&name, "best", version, &cause).await.unwrap();
            tx.commit().await.unwrap();
            pointed
        };
        let (db, name, cause) = (fixture.db.clone(), demo.clone(), fixture.cause());
        let delete = async move {
            let mut tx = db.begin().await.unwrap();
            let deletion = tx.models().delete_version(&name, version, false, &cause).await.unwrap();
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

async fn the_schedule_limit_holds_under_concurrent_inserts(fixture: Fixture) {
    let draft = Draft {
        name: "demo".into(),
        algorithm: "random_forest".into(),
        features: vec!["sex".into()],
        target: "survived".into(),
        params: json!({}).as_object().unwrap().clone(),
        learning: trainyard_domain::spec::LearningOptions::default(),
        priority: 0,
        run_at: None,
        auto_promote: None,
        max_attempts: 3,
        timeout_s: 60,
        webhook_url: None,
        seed: 42,
    };
    let schedule = |n: usize| Schedule {
        id: ScheduleId::at(fixture.now),
        name: format!("s{n}"),
        cron: "@daily".into(),
        timezone: "UTC".into(),
        template: Template { dataset: fixture.dataset.name.clone(), draft: draft.clone() },
        catch_up: CatchUp::Skip,
        overlap: Overlap::Skip,
        paused: true,
        created_by: fixture.user,
        created_at: fixture.now,
        updated_at: fixture.now,
        next_run_at: None,
        last_run_at: None,
        last_job_id: None,
        last_error: None,
        revision: 1,
    };
    let add = |n, limit| {
        let (db, schedule) = (fixture.db.clone(), schedule(n));
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let added = tx.schedules().insert_within(&schedule, limit).await.unwrap();
            tx.commit().await.unwrap();
            added
        })
    };
    let mut first = fixture.db.begin().await.unwrap();
    assert!(first.schedules().insert_within(&schedule(0), 1).await.unwrap());
    let second = add(1, 1);
    fixture.until_one_waits().await;
    first.commit().await.unwrap();
    assert!(!second.await.unwrap(), "the first schedule counts");
    let all = join_all((2..20).map(|n| add(n, 5))).await;
    let added = all.into_iter().filter(|added| *added.as_ref().unwrap()).count();
    assert_eq!((added, fixture.db.read().await.unwrap().schedules().count().await.unwrap()), (4, 5));
}
