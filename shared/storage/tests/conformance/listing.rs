//! Lists of jobs: newest first, filtered, and steady while jobs arrive.

use trainyard_domain::{Algorithm, JobId, JobStatus, ModelName, Role};
use trainyard_storage::JobFilter;

use crate::bench::Bench;

on_both!(
    pages_stay_in_place_while_jobs_arrive,
    filters_can_be_combined,
    a_page_is_found_wherever_its_jobs_are_among_many,
);

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

async fn a_page_is_found_wherever_its_jobs_are_among_many(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let draft = |user, second, status| {
        let mut job = bench.draft();
        job.id = JobId::at(bench.later(second));
        (job.created_by, job.status) = (user, status);
        job
    };
    let mut tx = bench.db.begin().await.unwrap();
    let mut insert = async |user, second, status| {
        let job = draft(user, second, status);
        tx.jobs().insert(&job).await.unwrap();
        job.id
    };
    // Bob's failures, then many of his successes and many failures of hers, a few of his among them.
    let mut expected = Vec::new();
    for second in 0..3 {
        expected.push(insert(bob, second, JobStatus::Failed).await);
    }
    for second in 10..360 {
        insert(bob, second, JobStatus::Succeeded).await;
        insert(bench.user, second, JobStatus::Failed).await;
    }
    for second in 400..402 {
        expected.push(insert(bob, second, JobStatus::Failed).await);
    }
    tx.commit().await.unwrap();
    expected.reverse();
    let failures = |user| JobFilter { status: Some(JobStatus::Failed), created_by: Some(user), ..JobFilter::default() };
    assert_eq!(list(&bench, &failures(bob), None, 10).await, expected);
    assert_eq!(list(&bench, &failures(bob), None, 2).await, expected[..2]);
    assert_eq!(list(&bench, &failures(bob), Some(expected[1]), 2).await, expected[2..4]);
    assert_eq!(list(&bench, &failures(bob), Some(expected[3]), 2).await, expected[4..]);
    let (status, user) = (JobStatus::Succeeded, bench.user);
    let none = JobFilter { status: Some(status), ..failures(user) };
    assert!(list(&bench, &none, None, 10).await.is_empty(), "she has no success, many as there are of each");
    assert_eq!(list(&bench, &failures(user), None, 400).await.len(), 350, "a page longer than what is looked through");
}
