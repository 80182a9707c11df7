//! Lists of jobs: order, filters and stable pages.

use trainyard_domain::{Algorithm, JobId, JobStatus, ModelName, Role};
use trainyard_storage::JobFilter;

use crate::fixture::Fixture;

on_both!(pages_are_stable_while_jobs_are_submitted, filters_can_be_combined, filters_on_both_tables_find_rare_jobs,);

async fn list(fixture: &Fixture, filter: &JobFilter, before: Option<JobId>, limit: i64) -> Vec<JobId> {
    let mut tx = fixture.db.read().await.unwrap();
    tx.jobs().list(filter, before, limit).await.unwrap().into_iter().map(|job| job.id).collect()
}

async fn pages_are_stable_while_jobs_are_submitted(fixture: Fixture) {
    let all = JobFilter::default();
    let mut expected = Vec::new();
    for second in 0..25 {
        let created = fixture.later(second);
        expected.push(fixture.queue_with(|job| job.id = JobId::at(created)).await);
    }
    expected.reverse();
    let mut seen = list(&fixture, &all, None, 10).await;
    for second in 100..103 {
        let created = fixture.later(second);
        fixture.queue_with(|job| job.id = JobId::at(created)).await;
        let page = list(&fixture, &all, seen.last().copied(), 10).await;
        seen.extend(page);
    }
    assert_eq!(seen, expected, "no duplicates and no gaps");
}

async fn filters_can_be_combined(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let svm = fixture
        .queue_with(|job| {
            job.spec.algorithm = Algorithm::Svm;
            job.created_by = bob;
        })
        .await;
    let other = fixture.queue_with(|job| job.spec.name = ModelName::parse("other").unwrap()).await;
    let running = fixture.queue().await;
    fixture.claim(running, "w", fixture.now).await.unwrap();

    let by_algorithm = JobFilter { algorithm: Some(Algorithm::Svm), ..JobFilter::default() };
    assert_eq!(list(&fixture, &by_algorithm, None, 10).await, [svm]);
    let by_name = JobFilter { name: Some(ModelName::parse("other").unwrap()), ..JobFilter::default() };
    assert_eq!(list(&fixture, &by_name, None, 10).await, [other]);
    let by_status = JobFilter { status: Some(JobStatus::Running), ..JobFilter::default() };
    assert_eq!(list(&fixture, &by_status, None, 10).await, [running]);
    let by_creator = JobFilter { created_by: Some(fixture.user), ..JobFilter::default() };
    assert_eq!(list(&fixture, &by_creator, None, 10).await.len(), 2);
    let both = JobFilter { status: Some(JobStatus::Queued), created_by: Some(fixture.user), ..JobFilter::default() };
    assert_eq!(list(&fixture, &both, None, 10).await, [other]);
    let none = JobFilter { algorithm: Some(Algorithm::Svm), created_by: Some(fixture.user), ..both };
    assert!(list(&fixture, &none, None, 10).await.is_empty());
}

async fn filters_on_both_tables_find_rare_jobs(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let draft = |user, second, status| {
        let mut job = fixture.draft();
        job.id = JobId::at(fixture.later(second));
        (job.created_by, job.status) = (user, status);
        job
    };
    let mut tx = fixture.db.begin().await.unwrap();
    let mut insert = async |user, second, status| {
        let job = draft(user, second, status);
        tx.jobs().insert(&job).await.unwrap();
        job.id
    };
    // A few failed jobs of Bob, then many succeeded jobs of Bob and many failed jobs of Ada, then failed jobs of Bob.
    let mut expected = Vec::new();
    for second in 0..3 {
        expected.push(insert(bob, second, JobStatus::Failed).await);
    }
    for second in 10..360 {
        insert(bob, second, JobStatus::Succeeded).await;
        insert(fixture.user, second, JobStatus::Failed).await;
    }
    for second in 400..402 {
        expected.push(insert(bob, second, JobStatus::Failed).await);
    }
    tx.commit().await.unwrap();
    expected.reverse();
    let failures = |user| JobFilter { status: Some(JobStatus::Failed), created_by: Some(user), ..JobFilter::default() };
    assert_eq!(list(&fixture, &failures(bob), None, 10).await, expected);
    assert_eq!(list(&fixture, &failures(bob), None, 2).await, expected[..2]);
    assert_eq!(list(&fixture, &failures(bob), Some(expected[1]), 2).await, expected[2..4]);
    assert_eq!(list(&fixture, &failures(bob), Some(expected[3]), 2).await, expected[4..]);
    let (status, user) = (JobStatus::Succeeded, fixture.user);
    let none = JobFilter { status: Some(status), ..failures(user) };
    assert!(list(&fixture, &none, None, 10).await.is_empty(), "Ada has no succeeded job");
    assert_eq!(list(&fixture, &failures(user), None, 400).await.len(), 350, "a page larger than the window");
}
