//! Cancellation and retry, also concurrent with a run.

use futures::future::join_all;
use trainyard_domain::outcome::{Counts, RunOutcome};
use trainyard_domain::{JobId, JobStatus};
use trainyard_storage::Cancelled;

use crate::fixture::{Fixture, LEASE};
use crate::running::{end, next_of};

on_both!(
    a_queued_job_is_cancelled_at_once,
    cancelling_a_running_job_notifies_its_worker,
    an_interrupted_run_with_a_cancel_request_ends_cancelled,
    a_concurrent_claim_and_cancel_agree,
    a_retry_resets_the_job_and_increases_the_claim,
);

async fn cancel(fixture: &Fixture, id: JobId, seconds: i64) -> Cancelled {
    let mut tx = fixture.db.begin().await.unwrap();
    let cancelled = tx.jobs().cancel(id, fixture.later(seconds)).await.unwrap();
    tx.commit().await.unwrap();
    cancelled
}

async fn a_queued_job_is_cancelled_at_once(fixture: Fixture) {
    let id = fixture.queue().await;
    assert_eq!(cancel(&fixture, id, 1).await, Cancelled::AtOnce);
    let job = fixture.job(id).await;
    assert_eq!((job.status, job.finished_at), (JobStatus::Cancelled, Some(fixture.later(1))));
    assert!(fixture.claim(id, "w", fixture.later(2)).await.is_none());
    assert_eq!(cancel(&fixture, id, 3).await, Cancelled::AlreadyFinal);
    assert_eq!(cancel(&fixture, JobId::at(fixture.now), 3).await, Cancelled::Missing);
}

async fn cancelling_a_running_job_notifies_its_worker(fixture: Fixture) {
    let id = fixture.queue().await;
    fixture.claim(id, "w", fixture.now).await.unwrap();
    let renew = async || {
        let mut tx = fixture.db.begin().await.unwrap();
        let renewals = tx.jobs().renew("w", &[(id, 1)], fixture.later(60)).await.unwrap();
        tx.commit().await.unwrap();
        (renewals[0].is_current, renewals[0].cancel_requested)
    };
    assert_eq!(renew().await, (true, false));
    assert_eq!(cancel(&fixture, id, 1).await, Cancelled::Requested);
    assert_eq!(cancel(&fixture, id, 2).await, Cancelled::Requested);
    let job = fixture.job(id).await;
    assert_eq!((job.status, job.cancel_requested_at), (JobStatus::Running, Some(fixture.later(1))));
    assert_eq!(renew().await, (true, true));
    assert!(end(&fixture, id, 1, &next_of(&job, RunOutcome::Cancelled, fixture.later(3)), fixture.later(3)).await);
    let job = fixture.job(id).await;
    assert_eq!((job.status, job.finished_at, job.error), (JobStatus::Cancelled, Some(fixture.later(3)), None));
}

async fn an_interrupted_run_with_a_cancel_request_ends_cancelled(fixture: Fixture) {
    let id = fixture.queue().await;
    let seen_by_worker = fixture.claim(id, "w", fixture.now).await.unwrap();
    let next = next_of(&seen_by_worker, RunOutcome::Interrupted, fixture.later(2));
    assert_eq!(next.status, JobStatus::Queued);
    assert_eq!(cancel(&fixture, id, 1).await, Cancelled::Requested);
    assert!(end(&fixture, id, 1, &next, fixture.later(2)).await);
    let job = fixture.job(id).await;
    assert_eq!((job.status, job.finished_at), (JobStatus::Cancelled, Some(fixture.later(2))));
}

async fn a_concurrent_claim_and_cancel_agree(fixture: Fixture) {
    let race = async |id: JobId| {
        let claim = {
            let (db, now) = (fixture.db.clone(), fixture.now);
            tokio::spawn(async move {
                let mut tx = db.begin().await.unwrap();
                let job = tx.jobs().claim(id, "w", Some(now), LEASE).await.unwrap();
                tx.commit().await.unwrap();
                job.is_some()
            })
        };
        (claim, cancel(&fixture, id, 0).await)
    };
    let ids = join_all((0..20).map(|_| fixture.queue())).await;
    for id in ids {
        let (claimed, cancelled) = race(id).await;
        let job = fixture.job(id).await;
        match (claimed.await.unwrap(), cancelled) {
            (false, Cancelled::AtOnce) => assert_eq!(fixture.job(id).await.status, JobStatus::Cancelled),
            (true, Cancelled::Requested) => assert!(job.cancel_requested_at.is_some()),
            wrong => panic!("claim and cancel disagree: {wrong:?}"),
        }
    }
}

async fn a_retry_resets_the_job_and_increases_the_claim(fixture: Fixture) {
    let id = fixture.queue().await;
    let retry = async |seconds| {
        let mut tx = fixture.db.begin().await.unwrap();
        let retried = tx.jobs().retry(id, fixture.later(seconds)).await.unwrap();
        tx.commit().await.unwrap();
        retried
    };
    assert!(!retry(0).await, "a queued job cannot be retried");
    let job = fixture.claim(id, "w", fixture.now).await.unwrap();
    assert!(!retry(0).await, "a running job cannot be retried");
    cancel(&fixture, id, 1).await;
    assert!(end(&fixture, id, 1, &next_of(&job, RunOutcome::Cancelled, fixture.later(1)), fixture.later(1)).await);

    assert!(retry(2).await);
    assert!(!retry(2).await, "a second retry fails");
    let again = fixture.job(id).await;
    assert_eq!((again.status, again.counts, again.run_at), (JobStatus::Queued, Counts::default(), fixture.later(2)));
    assert_eq!((again.cancel_requested_at, again.finished_at, again.error), (None, None, None));
    assert_eq!(fixture.claim(id, "w", fixture.later(2)).await.unwrap().claim, 2);
}
