//! Statements for many rows do what one for each would.

use std::collections::HashSet;

use trainyard_domain::{Job, JobId, JobStatus, PriorityClass};
use trainyard_storage::StorageError;

use crate::bench::Bench;

on_both!(
    many_jobs_are_submitted_at_once,
    one_bad_job_keeps_all_of_them_out,
    a_window_counts_what_was_sent_and_never_lets_the_young_overtake,
    two_workers_that_claim_the_same_ids_share_them,
    runs_end_together_if_their_claims_stand,
);

fn many(bench: &Bench, count: usize) -> Vec<Job> {
    let mut jobs: Vec<_> = (0..count).map(|_| bench.draft()).collect();
    jobs.sort_by_key(|job| job.id);
    jobs
}

async fn submit(bench: &Bench, jobs: &[Job]) -> Result<(), StorageError> {
    let mut tx = bench.db.begin().await?;
    tx.jobs().submit(jobs).await?;
    tx.commit().await
}

async fn many_jobs_are_submitted_at_once(bench: Bench) {
    let mut jobs = many(&bench, 150);
    jobs[3].spec.priority = 7;
    jobs[3].run_at = bench.later(60);
    jobs[4].dispatched_at = Some(bench.now);
    submit(&bench, &jobs).await.unwrap();
    for job in &jobs {
        assert_eq!(format!("{:?}", bench.job(job.id).await), format!("{job:?}"));
    }
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().take_back(&[jobs[0].id, jobs[1].id]).await.unwrap();
    assert!(tx.jobs().get(jobs[1].id).await.unwrap().is_none());
    assert_eq!(tx.jobs().active_total().await.unwrap(), 148);
}

async fn one_bad_job_keeps_all_of_them_out(bench: Bench) {
    let mut jobs = many(&bench, 20);
    jobs[11].id = jobs[3].id;
    assert!(matches!(submit(&bench, &jobs).await, Err(StorageError::Conflict)));
    assert_eq!(bench.db.read().await.unwrap().jobs().active_total().await.unwrap(), 0);
}

async fn a_window_counts_what_was_sent_and_never_lets_the_young_overtake(bench: Bench) {
    let free = async |class| {
        let mut tx = bench.db.read().await.unwrap();
        tx.jobs().free_window(bench.user, class, 10, bench.now).await.unwrap()
    };
    assert_eq!(free(PriorityClass::Normal).await, 10);
    let mut jobs = many(&bench, 8);
    jobs[..7].iter_mut().for_each(|job| job.dispatched_at = Some(bench.now));
    jobs[7].run_at = bench.later(60);
    submit(&bench, &jobs).await.unwrap();
    assert_eq!(free(PriorityClass::Normal).await, 3, "what is not due yet is in nobody's way");
    assert_eq!(free(PriorityClass::High).await, 10);
    submit(&bench, &many(&bench, 1)).await.unwrap();
    assert_eq!(free(PriorityClass::Normal).await, 0, "an older one waits for its turn");
}

async fn two_workers_that_claim_the_same_ids_share_them(bench: Bench) {
    let jobs = many(&bench, 100);
    submit(&bench, &jobs).await.unwrap();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let claim = |worker: &'static str| {
        let (db, ids, now, until) = (bench.db.clone(), ids.clone(), bench.now, bench.later(30));
        tokio::spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let jobs = tx.jobs().claim_many(&ids, worker, now, until).await.unwrap();
            tx.commit().await.unwrap();
            jobs
        })
    };
    let (one, two) = (claim("one"), claim("two"));
    let claimed: Vec<_> = one.await.unwrap().into_iter().chain(two.await.unwrap()).collect();
    assert!(claimed.iter().all(|job| job.status == JobStatus::Running && job.claim == 1));
    let distinct: HashSet<_> = claimed.iter().map(|job| job.id).collect();
    assert_eq!((claimed.len(), distinct), (100, ids.into_iter().collect()), "each is claimed, and once");
}

async fn runs_end_together_if_their_claims_stand(bench: Bench) {
    let jobs = many(&bench, 6);
    submit(&bench, &jobs).await.unwrap();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().claim_many(&ids[..5], "w", bench.now, bench.later(30)).await.unwrap();
    let mut runs: Vec<_> = ids.iter().map(|id| (*id, 1)).collect();
    runs[0].1 = 2;
    let ended = tx.jobs().succeed_bare(&runs, bench.later(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ended, ids[1..5].iter().copied().collect(), "neither the wrong claim nor the one that waits");
    assert_eq!(bench.job(ids[0]).await.status, JobStatus::Running);
    let ended = bench.job(ids[1]).await;
    assert_eq!((ended.status, ended.finished_at), (JobStatus::Succeeded, Some(bench.later(1))));
}
