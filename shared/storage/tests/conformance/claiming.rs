//! A job is claimed by one worker, when it may be.

use futures::future::join_all;
use trainyard_domain::JobStatus;

use crate::bench::Bench;

on_both!(
    of_twenty_who_claim_a_job_one_wins,
    a_job_reads_back_as_it_was_stored,
    a_claim_starts_the_run,
    nothing_is_claimed_before_its_time,
    a_paused_queue_hands_out_nothing,
);

async fn of_twenty_who_claim_a_job_one_wins(bench: Bench) {
    for _ in 0..5 {
        let id = bench.queue().await;
        let claim = |i: i64| {
            let (db, now, until) = (bench.db.clone(), bench.now, bench.later(30));
            tokio::spawn(async move {
                let mut tx = db.begin().await.unwrap();
                let job = tx.jobs().claim(id, &format!("worker-{i}"), now, until).await.unwrap();
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
    assert!(bench.db.read().await.unwrap().jobs().get(trainyard_domain::JobId::at(bench.now)).await.unwrap().is_none());
}

async fn a_claim_starts_the_run(bench: Bench) {
    let id = bench.queue().await;
    let job = bench.claim(id, "w-1", bench.later(5)).await.unwrap();
    assert_eq!((job.status, job.claim, job.worker.as_deref()), (JobStatus::Running, 1, Some("w-1")));
    assert_eq!((job.started_at, job.lease_expires_at), (Some(bench.later(5)), Some(bench.later(35))));
    assert_eq!(job.revision, 2);
    assert!(bench.claim(id, "w-2", bench.later(6)).await.is_none());
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
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().mark_dispatched(&[id], bench.now).await.unwrap();
    tx.commit().await.unwrap();
    pause(true).await;
    assert!(bench.claim(id, "w", bench.now).await.is_none());
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.jobs().undispatched(bench.now, 10, 10).await.unwrap().0.is_empty());
    assert!(tx.jobs().set_progress(running, 1, 0.5, "fit").await.unwrap(), "what runs goes on");
    tx.commit().await.unwrap();

    pause(false).await;
    let mut tx = bench.db.begin().await.unwrap();
    let (again, _) = tx.jobs().undispatched(bench.now, 10, 10).await.unwrap();
    drop(tx);
    assert_eq!(again, [(id, 0)], "its id was dropped by a worker while paused, so it is sent again");
    assert!(bench.claim(id, "w", bench.now).await.is_some());
}
