//! Writes of runs, fenced by their claims.

use chrono::{DateTime, Utc};
use serde_json::json;
use trainyard_domain::outcome::{Counts, NextState, RunOutcome, next_state};
use trainyard_domain::{FailureCode, Job, JobError, JobId, JobStatus};

use crate::fixture::Fixture;

on_both!(
    a_write_with_an_old_claim_changes_nothing,
    progress_is_clamped,
    success_stores_metrics_and_version,
    runs_with_old_claims_do_not_finish_in_a_batch,
    a_job_that_waits_for_a_retry_shows_its_error,
    a_drained_job_uses_up_no_attempt,
    every_visible_change_increases_the_revision,
);

pub(crate) async fn end(fixture: &Fixture, id: JobId, claim: i64, next: &NextState, now: DateTime<Utc>) -> bool {
    let mut tx = fixture.db.begin().await.unwrap();
    let ended = tx.jobs().finish_run(id, claim, next, now).await.unwrap();
    tx.commit().await.unwrap();
    ended
}

pub(crate) fn next_of(job: &Job, ending: RunOutcome, now: DateTime<Utc>) -> NextState {
    next_state(ending, job.counts, job.spec.max_attempts, job.cancel_requested_at.is_some(), now, 0.5)
}

fn failure(code: FailureCode) -> RunOutcome {
    RunOutcome::Failed(JobError::new(code, "it's \"away\""))
}

async fn a_write_with_an_old_claim_changes_nothing(fixture: Fixture) {
    let id = fixture.queue().await;
    let first = fixture.claim(id, "paused", fixture.now).await.unwrap();
    assert!(
        end(&fixture, id, 1, &next_of(&first, RunOutcome::Interrupted, fixture.later(31)), fixture.later(31)).await
    );
    let second = fixture.claim(id, "healthy", fixture.later(32)).await.unwrap();
    assert_eq!(second.claim, 2);

    let now = fixture.later(40);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(!tx.jobs().set_progress(id, 1, 0.9, "late").await.unwrap());
    assert!(!tx.jobs().succeed(id, 1, &json!({}), Some(1), now).await.unwrap());
    for ending in [
        RunOutcome::Interrupted,
        RunOutcome::Cancelled,
        failure(FailureCode::BadData),
        RunOutcome::Crashed(JobError::new(FailureCode::Crashed, "9")),
    ] {
        assert!(!tx.jobs().finish_run(id, 1, &next_of(&first, ending, now), now).await.unwrap());
    }
    let renewals = tx.jobs().renew("paused", &[(id, 1), (id, 2)], fixture.later(99)).await.unwrap();
    assert!(
        renewals.iter().all(|renewal| !renewal.is_current),
        "neither an old claim nor another worker's: {renewals:?}"
    );
    tx.commit().await.unwrap();
    let job = fixture.job(id).await;
    assert_eq!((job.status, job.worker.as_deref(), job.progress), (JobStatus::Running, Some("healthy"), 0.0));
    assert_eq!(job.revision, second.revision);
}

async fn progress_is_clamped(fixture: Fixture) {
    let id = fixture.queue().await;
    fixture.claim(id, "w", fixture.now).await.unwrap();
    for (given, stored) in [(0.25, 0.25), (7.0, 1.0), (-1.0, 0.0), (f64::NAN, 0.0), (f64::INFINITY, 1.0)] {
        let mut tx = fixture.db.begin().await.unwrap();
        assert!(tx.jobs().set_progress(id, 1, given, "fit").await.unwrap());
        tx.commit().await.unwrap();
        let job = fixture.job(id).await;
        assert_eq!((job.progress, job.phase.as_deref()), (stored, Some("fit")));
    }
}

async fn success_stores_metrics_and_version(fixture: Fixture) {
    let id = fixture.queue().await;
    fixture.claim(id, "w", fixture.now).await.unwrap();
    let metrics = json!({"accuracy": 0.8125, "confusion_matrix": {"labels": ["0", "1"], "counts": [[9, 1], [2, 8]]}});
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().succeed(id, 1, &metrics, Some(4), fixture.later(9)).await.unwrap());
    assert!(
        !tx.jobs().succeed(id, 1, &metrics, Some(4), fixture.later(9)).await.unwrap(),
        "a second success changes nothing"
    );
    tx.commit().await.unwrap();
    let job = fixture.job(id).await;
    assert_eq!((job.status, job.model_version, job.progress), (JobStatus::Succeeded, Some(4), 1.0));
    assert_eq!((job.metrics, job.finished_at), (Some(metrics), Some(fixture.later(9))));
    assert_eq!((job.lease_expires_at, job.worker.as_deref()), (None, Some("w")), "the worker stays known");
}

async fn runs_with_old_claims_do_not_finish_in_a_batch(fixture: Fixture) {
    let (mut runs, mut overtaken) = (Vec::new(), Vec::new());
    for n in 0..4 {
        let id = fixture.queue().await;
        let job = fixture.claim(id, "paused", fixture.now).await.unwrap();
        runs.push((id, 1));
        if n % 2 == 1 {
            assert!(
                end(&fixture, id, 1, &next_of(&job, RunOutcome::Interrupted, fixture.later(31)), fixture.later(31))
                    .await
            );
            fixture.claim(id, "healthy", fixture.later(32)).await.unwrap();
            overtaken.push((id, 2));
        }
    }
    let mut tx = fixture.db.begin().await.unwrap();
    let ended = tx.jobs().succeed_without_model(&runs, Some(fixture.later(40))).await.unwrap();
    assert_eq!(ended, [runs[0].0, runs[2].0].into(), "all runs have claim 1");
    let mixed = [overtaken[0], (overtaken[1].0, 1), runs[0]];
    let ended = tx.jobs().succeed_without_model(&mixed, Some(fixture.later(41))).await.unwrap();
    assert_eq!(ended, [overtaken[0].0, runs[0].0].into(), "different claims, and a run that had succeeded before");
    tx.commit().await.unwrap();
    for (id, status) in [(runs[2].0, JobStatus::Succeeded), (overtaken[1].0, JobStatus::Running)] {
        assert_eq!(fixture.job(id).await.status, status);
    }
}

async fn a_job_that_waits_for_a_retry_shows_its_error(fixture: Fixture) {
    let id = fixture.queue().await;
    let job = fixture.claim(id, "w", fixture.now).await.unwrap();
    let next = next_of(&job, failure(FailureCode::StorageUnavailable), fixture.later(3));
    assert!(end(&fixture, id, 1, &next, fixture.later(3)).await);
    let waiting = fixture.job(id).await;
    assert_eq!((waiting.status, waiting.run_at), (JobStatus::Queued, fixture.later(4)));
    assert_eq!(waiting.counts, Counts { attempts: 1, ..Counts::default() });
    assert_eq!(waiting.error, next.error);
    assert_eq!((waiting.finished_at, waiting.started_at), (None, None));
    assert!(fixture.claim(id, "w", fixture.later(3)).await.is_none(), "not before the end of its backoff");

    let job = fixture.claim(id, "w", fixture.later(4)).await.unwrap();
    assert!(end(&fixture, id, 2, &next_of(&job, RunOutcome::Interrupted, fixture.later(5)), fixture.later(5)).await);
    assert_eq!(fixture.job(id).await.error, next.error, "a drain keeps the earlier failure");

    let job = fixture.claim(id, "w", fixture.later(6)).await.unwrap();
    assert!(
        end(&fixture, id, 3, &next_of(&job, failure(FailureCode::BadData), fixture.later(7)), fixture.later(7)).await
    );
    let failed = fixture.job(id).await;
    assert_eq!((failed.status, failed.finished_at), (JobStatus::Failed, Some(fixture.later(7))));
    assert_eq!(failed.error.unwrap().code, FailureCode::BadData);
}

async fn a_drained_job_uses_up_no_attempt(fixture: Fixture) {
    let id = fixture.queue().await;
    let job = fixture.claim(id, "w", fixture.now).await.unwrap();
    assert!(end(&fixture, id, 1, &next_of(&job, RunOutcome::Interrupted, fixture.later(2)), fixture.later(2)).await);
    let back = fixture.job(id).await;
    assert_eq!((back.status, back.run_at, back.progress), (JobStatus::Queued, fixture.later(2), 0.0));
    assert_eq!(back.counts, Counts { interruptions: 1, ..Counts::default() });
    assert!(fixture.claim(id, "w", fixture.later(2)).await.is_some());
}

async fn every_visible_change_increases_the_revision(fixture: Fixture) {
    let id = fixture.queue().await;
    let mut last = fixture.job(id).await.revision;
    let mut moved = async |what: &str| {
        let revision = fixture.job(id).await.revision;
        assert!(revision > last, "{what} did not increase it");
        last = revision;
    };
    let job = fixture.claim(id, "w", fixture.now).await.unwrap();
    moved("claiming").await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().set_progress(id, 1, 0.5, "fit").await.unwrap();
    tx.commit().await.unwrap();
    moved("progress").await;
    end(&fixture, id, 1, &next_of(&job, failure(FailureCode::BadData), fixture.now), fixture.now).await;
    moved("failing").await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().retry(id, fixture.now).await.unwrap();
    tx.commit().await.unwrap();
    moved("retrying").await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().cancel(id, fixture.now).await.unwrap();
    tx.commit().await.unwrap();
    moved("cancelling").await;

    let id = fixture.queue().await;
    let running = fixture.claim(id, "w", fixture.now).await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().renew("w", &[(id, 1)], fixture.later(60)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        fixture.job(id).await.revision,
        running.revision,
        "clients do not see renewals, so the ETag stays valid"
    );
}
