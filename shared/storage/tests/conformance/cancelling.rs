//! Cancelling and retrying, and who wins when they race with a run.

use futures::future::join_all;
use trainyard_domain::outcome::{Counts, Ending};
use trainyard_domain::{JobId, JobStatus};
use trainyard_storage::Cancelled;

use crate::bench::{Bench, LEASE};
use crate::running::{end, next_of};

on_both!(
    a_waiting_job_is_cancelled_at_once,
    a_running_job_is_marked_and_its_worker_told,
    a_cancel_is_never_forgotten_by_a_run_that_goes_back,
    of_a_claim_and_a_cancel_at_once_both_are_told_the_truth,
    a_retried_job_starts_over_under_a_new_claim,
);

async fn cancel(bench: &Bench, id: JobId, seconds: i64) -> Cancelled {
    let mut tx = bench.db.begin().await.unwrap();
    let cancelled = tx.jobs().cancel(id, bench.later(seconds)).await.unwrap();
    tx.commit().await.unwrap();
    cancelled
}

async fn a_waiting_job_is_cancelled_at_once(bench: Bench) {
    let id = bench.queue().await;
    assert_eq!(cancel(&bench, id, 1).await, Cancelled::AtOnce);
    let job = bench.job(id).await;
    assert_eq!((job.status, job.finished_at), (JobStatus::Cancelled, Some(bench.later(1))));
    assert!(bench.claim(id, "w", bench.later(2)).await.is_none());
    assert_eq!(cancel(&bench, id, 3).await, Cancelled::AlreadyFinal);
    assert_eq!(cancel(&bench, JobId::at(bench.now), 3).await, Cancelled::Missing);
}

async fn a_running_job_is_marked_and_its_worker_told(bench: Bench) {
    let id = bench.queue().await;
    bench.claim(id, "w", bench.now).await.unwrap();
    let renew = async || {
        let mut tx = bench.db.begin().await.unwrap();
        let renewals = tx.jobs().renew("w", &[(id, 1)], bench.later(60)).await.unwrap();
        tx.commit().await.unwrap();
        (renewals[0].stands, renewals[0].cancel_requested)
    };
    assert_eq!(renew().await, (true, false));
    assert_eq!(cancel(&bench, id, 1).await, Cancelled::Requested);
    assert_eq!(cancel(&bench, id, 2).await, Cancelled::Requested);
    let job = bench.job(id).await;
    assert_eq!((job.status, job.cancel_requested_at), (JobStatus::Running, Some(bench.later(1))));
    assert_eq!(renew().await, (true, true));
    assert!(end(&bench, id, 1, &next_of(&job, Ending::Cancelled, bench.later(3)), bench.later(3)).await);
    let job = bench.job(id).await;
    assert_eq!((job.status, job.finished_at, job.error), (JobStatus::Cancelled, Some(bench.later(3)), None));
}

async fn a_cancel_is_never_forgotten_by_a_run_that_goes_back(bench: Bench) {
    let id = bench.queue().await;
    let seen_by_worker = bench.claim(id, "w", bench.now).await.unwrap();
    let next = next_of(&seen_by_worker, Ending::Interrupted, bench.later(2));
    assert_eq!(next.status, JobStatus::Queued);
    assert_eq!(cancel(&bench, id, 1).await, Cancelled::Requested);
    assert!(end(&bench, id, 1, &next, bench.later(2)).await);
    let job = bench.job(id).await;
    assert_eq!((job.status, job.finished_at), (JobStatus::Cancelled, Some(bench.later(2))));
}

async fn of_a_claim_and_a_cancel_at_once_both_are_told_the_truth(bench: Bench) {
    let race = async |id: JobId| {
        let claim = {
            let (db, now) = (bench.db.clone(), bench.now);
            tokio::spawn(async move {
                let mut tx = db.begin().await.unwrap();
                let job = tx.jobs().claim(id, "w", Some(now), LEASE).await.unwrap();
                tx.commit().await.unwrap();
                job.is_some()
            })
        };
        (claim, cancel(&bench, id, 0).await)
    };
    let ids = join_all((0..20).map(|_| bench.queue())).await;
    for id in ids {
        let (claimed, cancelled) = race(id).await;
        let job = bench.job(id).await;
        match (claimed.await.unwrap(), cancelled) {
            (false, Cancelled::AtOnce) => assert_eq!(bench.job(id).await.status, JobStatus::Cancelled),
            (true, Cancelled::Requested) => assert!(job.cancel_requested_at.is_some()),
            wrong => panic!("claim and cancel disagree: {wrong:?}"),
        }
    }
}

async fn a_retried_job_starts_over_under_a_new_claim(bench: Bench) {
    let id = bench.queue().await;
    let retry = async |seconds| {
        let mut tx = bench.db.begin().await.unwrap();
        let retried = tx.jobs().retry(id, bench.later(seconds)).await.unwrap();
        tx.commit().await.unwrap();
        retried
    };
    assert!(!retry(0).await, "a waiting job has nothing to retry");
    let job = bench.claim(id, "w", bench.now).await.unwrap();
    assert!(!retry(0).await, "nor has a running one");
    cancel(&bench, id, 1).await;
    assert!(end(&bench, id, 1, &next_of(&job, Ending::Cancelled, bench.later(1)), bench.later(1)).await);

    assert!(retry(2).await);
    assert!(!retry(2).await, "twice at once is once");
    let again = bench.job(id).await;
    assert_eq!((again.status, again.counts, again.run_at), (JobStatus::Queued, Counts::default(), bench.later(2)));
    assert_eq!((again.cancel_requested_at, again.finished_at, again.error), (None, None, None));
    assert_eq!(bench.claim(id, "w", bench.later(2)).await.unwrap().claim, 2);
}
