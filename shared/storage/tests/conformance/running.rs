//! What a run writes: fenced by its claim, visible through the revision.

use chrono::{DateTime, Utc};
use serde_json::json;
use trainyard_domain::outcome::{Counts, Ending, Next, after};
use trainyard_domain::{FailureCode, Job, JobError, JobId, JobStatus};

use crate::bench::Bench;

on_both!(
    a_late_worker_changes_nothing,
    progress_is_kept_within_bounds,
    success_keeps_metrics_and_version,
    of_many_runs_that_end_together_those_overtaken_do_not,
    a_retry_waits_with_its_error_in_sight,
    a_drained_job_goes_back_unspent,
    every_change_moves_the_revision,
);

pub(crate) async fn end(bench: &Bench, id: JobId, claim: i64, next: &Next, now: DateTime<Utc>) -> bool {
    let mut tx = bench.db.begin().await.unwrap();
    let ended = tx.jobs().end_run(id, claim, next, now).await.unwrap();
    tx.commit().await.unwrap();
    ended
}

pub(crate) fn next_of(job: &Job, ending: Ending, now: DateTime<Utc>) -> Next {
    after(ending, job.counts, job.spec.max_attempts, job.cancel_requested_at.is_some(), now, 0.5)
}

fn failure(code: FailureCode) -> Ending {
    Ending::Failed(JobError::new(code, "it's \"away\""))
}

async fn a_late_worker_changes_nothing(bench: Bench) {
    let id = bench.queue().await;
    let first = bench.claim(id, "paused", bench.now).await.unwrap();
    assert!(end(&bench, id, 1, &next_of(&first, Ending::Interrupted, bench.later(31)), bench.later(31)).await);
    let second = bench.claim(id, "healthy", bench.later(32)).await.unwrap();
    assert_eq!(second.claim, 2);

    let now = bench.later(40);
    let mut tx = bench.db.begin().await.unwrap();
    assert!(!tx.jobs().set_progress(id, 1, 0.9, "late").await.unwrap());
    assert!(!tx.jobs().succeed(id, 1, &json!({}), 1, now).await.unwrap());
    for ending in [
        Ending::Interrupted,
        Ending::Cancelled,
        failure(FailureCode::BadData),
        Ending::Crashed(JobError::new(FailureCode::Crashed, "9")),
    ] {
        assert!(!tx.jobs().end_run(id, 1, &next_of(&first, ending, now), now).await.unwrap());
    }
    let renewals = tx.jobs().renew("paused", &[(id, 1), (id, 2)], bench.later(99)).await.unwrap();
    assert!(renewals.iter().all(|renewal| !renewal.stands), "neither an old claim nor somebody else's: {renewals:?}");
    tx.commit().await.unwrap();
    let job = bench.job(id).await;
    assert_eq!((job.status, job.worker.as_deref(), job.progress), (JobStatus::Running, Some("healthy"), 0.0));
    assert_eq!(job.revision, second.revision);
}

async fn progress_is_kept_within_bounds(bench: Bench) {
    let id = bench.queue().await;
    bench.claim(id, "w", bench.now).await.unwrap();
    for (told, kept) in [(0.25, 0.25), (7.0, 1.0), (-1.0, 0.0), (f64::NAN, 0.0), (f64::INFINITY, 1.0)] {
        let mut tx = bench.db.begin().await.unwrap();
        assert!(tx.jobs().set_progress(id, 1, told, "fit").await.unwrap());
        tx.commit().await.unwrap();
        let job = bench.job(id).await;
        assert_eq!((job.progress, job.phase.as_deref()), (kept, Some("fit")));
    }
}

async fn success_keeps_metrics_and_version(bench: Bench) {
    let id = bench.queue().await;
    bench.claim(id, "w", bench.now).await.unwrap();
    let metrics = json!({"accuracy": 0.8125, "confusion_matrix": {"labels": ["0", "1"], "counts": [[9, 1], [2, 8]]}});
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.jobs().succeed(id, 1, &metrics, 4, bench.later(9)).await.unwrap());
    assert!(!tx.jobs().succeed(id, 1, &metrics, 4, bench.later(9)).await.unwrap(), "once is enough");
    tx.commit().await.unwrap();
    let job = bench.job(id).await;
    assert_eq!((job.status, job.model_version, job.progress), (JobStatus::Succeeded, Some(4), 1.0));
    assert_eq!((job.metrics, job.finished_at), (Some(metrics), Some(bench.later(9))));
    assert_eq!((job.lease_expires_at, job.worker.as_deref()), (None, Some("w")), "who ran it stays known");
}

async fn of_many_runs_that_end_together_those_overtaken_do_not(bench: Bench) {
    let (mut runs, mut overtaken) = (Vec::new(), Vec::new());
    for n in 0..4 {
        let id = bench.queue().await;
        let job = bench.claim(id, "paused", bench.now).await.unwrap();
        runs.push((id, 1));
        if n % 2 == 1 {
            assert!(end(&bench, id, 1, &next_of(&job, Ending::Interrupted, bench.later(31)), bench.later(31)).await);
            bench.claim(id, "healthy", bench.later(32)).await.unwrap();
            overtaken.push((id, 2));
        }
    }
    let mut tx = bench.db.begin().await.unwrap();
    let ended = tx.jobs().succeed_bare(&runs, Some(bench.later(40))).await.unwrap();
    assert_eq!(ended, [runs[0].0, runs[2].0].into(), "all by their first claim");
    let mixed = [overtaken[0], (overtaken[1].0, 1), runs[0]];
    let ended = tx.jobs().succeed_bare(&mixed, Some(bench.later(41))).await.unwrap();
    assert_eq!(ended, [overtaken[0].0, runs[0].0].into(), "each by its own claim, and what had ended so before");
    tx.commit().await.unwrap();
    for (id, status) in [(runs[2].0, JobStatus::Succeeded), (overtaken[1].0, JobStatus::Running)] {
        assert_eq!(bench.job(id).await.status, status);
    }
}

async fn a_retry_waits_with_its_error_in_sight(bench: Bench) {
    let id = bench.queue().await;
    let job = bench.claim(id, "w", bench.now).await.unwrap();
    let next = next_of(&job, failure(FailureCode::StorageUnavailable), bench.later(3));
    assert!(end(&bench, id, 1, &next, bench.later(3)).await);
    let waiting = bench.job(id).await;
    assert_eq!((waiting.status, waiting.run_at), (JobStatus::Queued, bench.later(4)));
    assert_eq!(waiting.counts, Counts { attempts: 1, ..Counts::default() });
    assert_eq!(waiting.error, next.error);
    assert_eq!((waiting.finished_at, waiting.started_at), (None, None));
    assert!(bench.claim(id, "w", bench.later(3)).await.is_none(), "not before its backoff is over");

    let job = bench.claim(id, "w", bench.later(4)).await.unwrap();
    assert!(end(&bench, id, 2, &next_of(&job, Ending::Interrupted, bench.later(5)), bench.later(5)).await);
    assert_eq!(bench.job(id).await.error, next.error, "a drain doesn't hide the failure before it");

    let job = bench.claim(id, "w", bench.later(6)).await.unwrap();
    assert!(end(&bench, id, 3, &next_of(&job, failure(FailureCode::BadData), bench.later(7)), bench.later(7)).await);
    let failed = bench.job(id).await;
    assert_eq!((failed.status, failed.finished_at), (JobStatus::Failed, Some(bench.later(7))));
    assert_eq!(failed.error.unwrap().code, FailureCode::BadData);
}

async fn a_drained_job_goes_back_unspent(bench: Bench) {
    let id = bench.queue().await;
    let job = bench.claim(id, "w", bench.now).await.unwrap();
    assert!(end(&bench, id, 1, &next_of(&job, Ending::Interrupted, bench.later(2)), bench.later(2)).await);
    let back = bench.job(id).await;
    assert_eq!((back.status, back.run_at, back.progress), (JobStatus::Queued, bench.later(2), 0.0));
    assert_eq!(back.counts, Counts { interruptions: 1, ..Counts::default() });
    assert!(bench.claim(id, "w", bench.later(2)).await.is_some());
}

async fn every_change_moves_the_revision(bench: Bench) {
    let id = bench.queue().await;
    let mut last = bench.job(id).await.revision;
    let mut moved = async |what: &str| {
        let revision = bench.job(id).await.revision;
        assert!(revision > last, "{what} did not move it");
        last = revision;
    };
    let job = bench.claim(id, "w", bench.now).await.unwrap();
    moved("claiming").await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().set_progress(id, 1, 0.5, "fit").await.unwrap();
    tx.commit().await.unwrap();
    moved("progress").await;
    end(&bench, id, 1, &next_of(&job, failure(FailureCode::BadData), bench.now), bench.now).await;
    moved("failing").await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().retry(id, bench.now).await.unwrap();
    tx.commit().await.unwrap();
    moved("retrying").await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().cancel(id, bench.now).await.unwrap();
    tx.commit().await.unwrap();
    moved("cancelling").await;

    let id = bench.queue().await;
    let running = bench.claim(id, "w", bench.now).await.unwrap();
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().renew("w", &[(id, 1)], bench.later(60)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(bench.job(id).await.revision, running.revision, "a client can't see a renewal, so its ETag stays good");
}
