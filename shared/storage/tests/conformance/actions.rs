//! Bulk actions: the set of jobs, claims, and processes that die.

use futures::future::join_all;
use serde_json::json;
use trainyard_domain::{
    ActionId, ActionKind, ActionProgress, ActionStatus, Condition, DatasetId, FailureCode, JobAction, JobError,
    JobFilter, JobId, JobStatus, SkipReason,
};
use trainyard_storage::{Cancelled, JobLimits, MAX_RUNNING_ACTIONS, Retention, StorageError};

use crate::fixture::Fixture;

on_both!(
    an_action_has_the_jobs_that_match_at_its_start,
    a_job_of_an_action_is_taken_once_although_a_process_dies,
    one_of_many_candidates_claims_an_action,
    the_number_of_running_actions_is_limited,
    finished_actions_are_deleted_in_batches,
    many_jobs_are_cancelled_as_each_alone,
    many_jobs_are_retried_within_the_limits,
);

fn queued() -> JobFilter {
    JobFilter { status: JobStatus::Queued.into(), ..JobFilter::default() }
}

fn action(fixture: &Fixture) -> JobAction {
    JobAction {
        id: ActionId::at(fixture.now),
        kind: ActionKind::Cancel,
        filter: json!({"status": "queued"}),
        status: ActionStatus::Running,
        total: 0,
        progress: ActionProgress::default(),
        created_by: fixture.user,
        request_id: Some("req-1".into()),
        created_at: fixture.now,
        finished_at: None,
        error: None,
    }
}

/// Starts an action for all queued jobs.
async fn start(fixture: &Fixture) -> Result<Option<(ActionId, i64)>, StorageError> {
    let action = action(fixture);
    let mut tx = fixture.db.begin().await?;
    let total = tx.job_actions().insert(&action, &queued(), 100).await?;
    tx.commit().await?;
    Ok(total.map(|total| (action.id, total)))
}

async fn queue_many(fixture: &Fixture, count: i64) -> Vec<JobId> {
    let mut ids = Vec::new();
    for second in 0..count {
        let at = fixture.later(second);
        ids.push(fixture.queue_with(|job| job.id = JobId::at(at)).await);
    }
    ids
}

async fn an_action_has_the_jobs_that_match_at_its_start(fixture: Fixture) {
    let ids = queue_many(&fixture, 3).await;
    let running = fixture.queue().await;
    fixture.claim(running, "w", fixture.now).await.unwrap();
    let (id, total) = start(&fixture).await.unwrap().unwrap();
    assert_eq!(total, 3);
    fixture.queue().await;
    let mut tx = fixture.db.begin().await.unwrap();
    let stored = tx.job_actions().get(id).await.unwrap().unwrap();
    assert_eq!(stored, JobAction { id, total: 3, ..action(&fixture) });
    assert_eq!(tx.job_actions().take(id, 2).await.unwrap(), ids[..2], "oldest first");
    assert_eq!(tx.job_actions().take(id, 2).await.unwrap(), ids[2..]);
    assert!(tx.job_actions().take(id, 2).await.unwrap().is_empty());
    drop(tx);
    let mut tx = fixture.db.begin().await.unwrap();
    let all = JobFilter { status: Condition::NotIn(vec![JobStatus::Failed]), ..JobFilter::default() };
    assert_eq!(
        tx.job_actions().insert(&action(&fixture), &all, 3).await.unwrap(),
        Some(4),
        "one more than the maximum"
    );
}

async fn a_job_of_an_action_is_taken_once_although_a_process_dies(fixture: Fixture) {
    let ids = queue_many(&fixture, 4).await;
    let (id, _) = start(&fixture).await.unwrap().unwrap();
    let claim = async |now, until| {
        let mut tx = fixture.db.begin().await.unwrap();
        let claimed = tx.job_actions().claim(fixture.later(now), fixture.later(until)).await.unwrap();
        tx.commit().await.unwrap();
        claimed
    };
    let (first, first_claim) = claim(0, 10).await.unwrap();
    assert_eq!((first.id, first_claim), (id, 1));
    assert!(claim(9, 20).await.is_none(), "the lease is valid");
    let mut progress = first.progress;
    // One batch is committed, and the process dies within the next one.
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.job_actions().renew(id, 1, fixture.later(10)).await.unwrap());
    assert_eq!(tx.job_actions().take(id, 2).await.unwrap(), ids[..2]);
    progress.changed = 1;
    progress.skip(ids[1], SkipReason::Finished);
    tx.job_actions().record(id, &progress).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.job_actions().renew(id, 1, fixture.later(10)).await.unwrap());
    assert_eq!(tx.job_actions().take(id, 1).await.unwrap(), ids[2..3]);
    tx.jobs().cancel(ids[2], fixture.now).await.unwrap();
    drop(tx);
    // Another process continues where the committed batch ended.
    let (second, second_claim) = claim(10, 20).await.unwrap();
    assert_eq!((second.progress.clone(), second_claim), (progress, 2));
    assert_eq!(fixture.job(ids[2]).await.status, JobStatus::Queued);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(!tx.job_actions().renew(id, 1, fixture.later(30)).await.unwrap(), "the first claim is fenced");
    assert!(tx.job_actions().renew(id, 2, fixture.later(30)).await.unwrap());
    assert_eq!(tx.job_actions().take(id, 9).await.unwrap(), ids[2..]);
    let progress = ActionProgress { changed: 3, ..second.progress };
    tx.job_actions().record(id, &progress).await.unwrap();
    tx.job_actions().finish(id, None, fixture.later(12)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = fixture.db.read().await.unwrap();
    let finished = tx.job_actions().get(id).await.unwrap().unwrap();
    assert_eq!((finished.status, finished.finished_at), (ActionStatus::Succeeded, Some(fixture.later(12))));
    assert_eq!((finished.progress.processed(), finished.progress), (4, progress));
    drop(tx);
    assert!(claim(100, 200).await.is_none(), "a finished action is not claimed");
}

async fn one_of_many_candidates_claims_an_action(fixture: Fixture) {
    queue_many(&fixture, 1).await;
    start(&fixture).await.unwrap().unwrap();
    let campaign = || {
        let (db, now, until) = (fixture.db.clone(), fixture.now, fixture.later(10));
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let claimed = tx.job_actions().claim(now, until).await.unwrap().is_some();
            tx.commit().await.unwrap();
            claimed
        })
    };
    let claims = join_all((0..20).map(|_| campaign())).await.into_iter().filter(|claimed| *claimed.as_ref().unwrap());
    assert_eq!(claims.count(), 1);
}

async fn the_number_of_running_actions_is_limited(fixture: Fixture) {
    queue_many(&fixture, 1).await;
    let most = usize::try_from(MAX_RUNNING_ACTIONS).unwrap();
    let mut started = Vec::new();
    // A concurrent start can conflict; it is tried again.
    for _ in 0..20 {
        for start in join_all((0..4).map(|_| start(&fixture))).await {
            match start {
                Ok(action) => started.extend(action),
                Err(error) => assert!(matches!(error, StorageError::Conflict), "{error:?}"),
            }
        }
    }
    assert_eq!(started.len(), most);
    let mut tx = fixture.db.begin().await.unwrap();
    tx.job_actions().finish(started[0].0, Some("a defect"), fixture.now).await.unwrap();
    tx.commit().await.unwrap();
    let failed = fixture.db.read().await.unwrap().job_actions().get(started[0].0).await.unwrap().unwrap();
    assert_eq!((failed.status, failed.error.as_deref()), (ActionStatus::Failed, Some("a defect")));
    assert!(start(&fixture).await.unwrap().is_some(), "a finished action makes room");
}

async fn finished_actions_are_deleted_in_batches(fixture: Fixture) {
    queue_many(&fixture, 1).await;
    for second in 0..3 {
        let (id, _) = start(&fixture).await.unwrap().unwrap();
        let mut tx = fixture.db.begin().await.unwrap();
        tx.job_actions().finish(id, None, fixture.later(second)).await.unwrap();
        tx.commit().await.unwrap();
    }
    let (running, _) = start(&fixture).await.unwrap().unwrap();
    for expected in [2, 1, 0] {
        let mut tx = fixture.db.begin().await.unwrap();
        assert_eq!(tx.delete_expired(Retention::JobActions, fixture.later(3), 2).await.unwrap(), expected);
        tx.commit().await.unwrap();
    }
    assert!(fixture.db.read().await.unwrap().job_actions().get(running).await.unwrap().is_some());
}

async fn many_jobs_are_cancelled_as_each_alone(fixture: Fixture) {
    let [queued, running, cancelled, missing] =
        [fixture.queue().await, fixture.queue().await, fixture.queue().await, JobId::at(fixture.now)];
    fixture.claim(running, "w", fixture.now).await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().cancel(cancelled, fixture.now).await.unwrap();
    let results = tx.jobs().cancel_many(&[missing, cancelled, running, queued], fixture.later(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(results, [Cancelled::Missing, Cancelled::AlreadyFinal, Cancelled::Requested, Cancelled::AtOnce]);
    assert_eq!(fixture.job(queued).await.finished_at, Some(fixture.later(1)));
    assert_eq!(fixture.job(running).await.cancel_requested_at, Some(fixture.later(1)));
    assert_eq!(fixture.job(cancelled).await.finished_at, Some(fixture.now));
}

async fn many_jobs_are_retried_within_the_limits(fixture: Fixture) {
    let failed = async || {
        fixture
            .queue_with(|job| {
                job.status = JobStatus::Failed;
                job.error = Some(JobError::new(FailureCode::Internal, "a defect"));
            })
            .await
    };
    let (first, second, third) = (failed().await, failed().await, failed().await);
    let queued = fixture.queue().await;
    let lost = fixture
        .queue_with(|job| (job.status, job.dataset_id) = (JobStatus::Cancelled, DatasetId::at(job.created_at)))
        .await;
    let mut jobs = Vec::new();
    for id in [first, queued, lost, second, third] {
        jobs.push(fixture.job(id).await);
    }
    let limits = JobLimits { per_user: 2, total: 100 };
    let mut tx = fixture.db.begin().await.unwrap();
    let results = tx.jobs().retry_many(&jobs, limits, fixture.later(9)).await.unwrap();
    tx.commit().await.unwrap();
    let expected =
        [None, Some(SkipReason::NotFailed), Some(SkipReason::DatasetDeleted), None, Some(SkipReason::UserLimit)];
    assert_eq!(results, expected);
    let retried = fixture.job(first).await;
    assert_eq!((retried.status, retried.error, retried.run_at), (JobStatus::Queued, None, fixture.later(9)));
    let again = JobLimits { per_user: 100, total: 100 };
    let mut tx = fixture.db.begin().await.unwrap();
    let results = tx.jobs().retry_many(&jobs[..1], again, fixture.later(10)).await.unwrap();
    assert_eq!(results, [Some(SkipReason::RetriedMeanwhile)], "the job was read before it was retried");
}
