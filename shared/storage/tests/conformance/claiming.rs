//! A job is claimed by one worker, when it may be.

use chrono::TimeDelta;
use futures::future::join_all;
use trainyard_domain::{JobId, JobStatus};
use trainyard_storage::JobBatch;

use crate::bench::{Bench, LEASE};

on_both!(
    of_twenty_who_claim_a_job_one_wins,
    a_job_reads_back_as_it_was_stored,
    a_claim_starts_the_run,
    a_claim_that_is_told_no_time_goes_by_the_databases,
    nothing_is_claimed_before_its_time,
    a_paused_queue_hands_out_nothing,
);

async fn of_twenty_who_claim_a_job_one_wins(bench: Bench) {
    for _ in 0..5 {
        let id = bench.queue().await;
        let claim = |i: i64| {
            let (db, now) = (bench.db.clone(), bench.now);
            tokio::spawn(async move {
                let mut tx = db.begin().await.unwrap();
                let job = tx.jobs().claim(id, &format!("worker-{i}"), Some(now), LEASE).await.unwrap();
                tx.commit().await.unwrap();
                job
            })
        };
        let won: Vec<_> = join_all((0..20).map(claim)).await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(won.len(), 1, "exactly one worker runs the job");
        let stored = bench.job(id).await;
        assert_eq!((stored.claim, stored.worker), (1, won[0].worker.clone()));
    }
}

async fn a_job_reads_back_as_it_was_stored(bench: Bench) {
    let job = bench.draft();
    let id = bench.queue_with(|stored| *stored = job.clone()).await;
    let read = bench.job(id).await;
    assert_eq!(read.spec, job.spec, "down to the largest seed");
    assert_eq!((read.created_by, read.dataset_id, read.status), (job.created_by, job.dataset_id, JobStatus::Queued));
    assert_eq!((read.run_at, read.created_at), (job.run_at, job.created_at), "to the microsecond");
    assert_eq!((read.request_id.as_deref(), read.claim, read.revision), (Some("req-1"), 0, 1));
    assert!(bench.db.read().await.unwrap().jobs().get(JobId::at(bench.now)).await.unwrap().is_none());
}

async fn a_claim_starts_the_run(bench: Bench) {
    let id = bench.queue().await;
    let job = bench.claim(id, "w-1", bench.later(5)).await.unwrap();
    assert_eq!((job.status, job.claim, job.worker.as_deref()), (JobStatus::Running, 1, Some("w-1")));
    assert_eq!((job.started_at, job.lease_expires_at), (Some(bench.later(5)), Some(bench.later(35))));
    assert_eq!(job.revision, 2);
    assert!(bench.claim(id, "w-2", bench.later(6)).await.is_none());
}

async fn a_claim_that_is_told_no_time_goes_by_the_databases(bench: Bench) {
    let (id, bare) = (bench.queue().await, bench.queue().await);
    let tomorrow = bench.queue_with(|job| job.run_at = chrono::Utc::now() + TimeDelta::days(1)).await;
    let mut tx = bench.db.begin().await.unwrap();
    let before = tx.now().await.unwrap();
    let jobs = tx.jobs().claim_many(&[tomorrow, id, bare], "w", None, LEASE).await.unwrap();
    let JobBatch { at: read_at, jobs: again, .. } = tx.jobs().get_many_now(&[id]).await.unwrap();
    let ended = tx.jobs().succeed_bare(&[(bare, 1)], None).await.unwrap();
    let after = tx.now().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((jobs.len(), ended.len()), (2, 1), "what is not due until tomorrow stays where it is");
    for job in &jobs {
        let started = job.started_at.unwrap();
        assert!(before <= started && started <= read_at && read_at <= after, "{before} {started} {read_at} {after}");
        assert_eq!(job.lease_expires_at, Some(started + LEASE), "the whole lease, and no more");
    }
    let job = jobs.into_iter().find(|job| job.id == id).unwrap();
    assert_eq!(format!("{:?}", again[0]), format!("{job:?}"), "all of it is answered, as it is stored");
    let ended_at = bench.job(bare).await.finished_at.unwrap();
    assert!(read_at <= ended_at && ended_at <= after);
    let nobody = JobId::at(bench.now);
    let none = bench.db.glance().await.unwrap().jobs().get_many_now(&[nobody]).await.unwrap();
    assert!(none.jobs.is_empty() && none.at >= after, "there is a time though there is no job");
}

async fn nothing_is_claimed_before_its_time(bench: Bench) {
    let due = bench.later(60);
    let id = bench.queue_with(|job| job.run_at = due).await;
    assert!(bench.claim(id, "w", bench.later(59)).await.is_none());
    assert!(bench.claim(id, "w", due).await.is_some());
}

async fn a_paused_queue_hands_out_nothing(bench: Bench) {
    let running = bench.queue().await;
    bench.claim(running, "w", bench.now).await.unwrap();
    let id = bench.queue().await;
    let pause = async |paused| {
        let mut tx = bench.db.begin().await.unwrap();
        tx.jobs().set_paused(paused).await.unwrap();
        assert_eq!(tx.jobs().paused().await.unwrap(), paused);
        tx.commit().await.unwrap();
    };
    pause(true).await;
    assert!(bench.claim(id, "w", bench.now).await.is_none());
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.jobs().set_progress(running, 1, 0.5, "fit").await.unwrap(), "what runs goes on");
    tx.commit().await.unwrap();

    pause(false).await;
    assert!(bench.claim(id, "w", bench.now).await.is_some());
}
