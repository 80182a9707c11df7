//! Lists of jobs: newest first, filtered, and steady while jobs arrive.

use trainyard_domain::{Algorithm, JobId, JobStatus, ModelName, Role};
use trainyard_storage::JobFilter;

use crate::bench::Bench;

on_both!(pages_stay_in_place_while_jobs_arrive, filters_can_be_combined);

async fn list(bench: &Bench, filter: &JobFilter, before: Option<JobId>, limit: i64) -> Vec<JobId> {
    let mut tx = bench.db.read().await.unwrap();
    tx.jobs().list(filter, before, limit).await.unwrap().into_iter().map(|job| job.id).collect()
}

async fn pages_stay_in_place_while_jobs_arrive(bench: Bench) {
    let all = JobFilter::default();
    let mut expected = Vec::new();
    for second in 0..25 {
        let created = bench.later(second);
        expected.push(bench.queue_with(|job| job.id = JobId::at(created)).await);
    }
    expected.reverse();
    let mut seen = list(&bench, &all, None, 10).await;
    for second in 100..103 {
        let created = bench.later(second);
        bench.queue_with(|job| job.id = JobId::at(created)).await;
        let page = list(&bench, &all, seen.last().copied(), 10).await;
        seen.extend(page);
    }
    assert_eq!(seen, expected, "nothing twice, nothing left out");
}

async fn filters_can_be_combined(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let svm = bench
        .queue_with(|job| {
            job.spec.algorithm = Algorithm::Svm;
            job.created_by = bob;
        })
        .await;
    let other = bench.queue_with(|job| job.spec.name = ModelName::parse("other").unwrap()).await;
    let running = bench.queue().await;
    bench.claim(running, "w", bench.now).await.unwrap();

    let by_algorithm = JobFilter { algorithm: Some(Algorithm::Svm), ..JobFilter::default() };
    assert_eq!(list(&bench, &by_algorithm, None, 10).await, [svm]);
    let by_name = JobFilter { name: Some(ModelName::parse("other").unwrap()), ..JobFilter::default() };
    assert_eq!(list(&bench, &by_name, None, 10).await, [other]);
    let by_status = JobFilter { status: Some(JobStatus::Running), ..JobFilter::default() };
    assert_eq!(list(&bench, &by_status, None, 10).await, [running]);
    let by_creator = JobFilter { created_by: Some(bench.user), ..JobFilter::default() };
    assert_eq!(list(&bench, &by_creator, None, 10).await.len(), 2);
    let both = JobFilter { status: Some(JobStatus::Queued), created_by: Some(bench.user), ..JobFilter::default() };
    assert_eq!(list(&bench, &both, None, 10).await, [other]);
    let none = JobFilter { algorithm: Some(Algorithm::Svm), created_by: Some(bench.user), ..both };
    assert!(list(&bench, &none, None, 10).await.is_empty());
}
