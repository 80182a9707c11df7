//! Dispatch: the order of a user's jobs, the users with due jobs, and delayed jobs.

use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::{FailureCode, JobError, JobId, PriorityClass, Role, UserId};

use crate::fixture::Fixture;
use crate::running::{end, next_of};

on_both!(
    a_users_jobs_run_by_priority_then_age,
    a_page_begins_after_the_previous_page,
    jobs_are_listed_for_each_user_separately,
    only_queued_jobs_that_are_due_are_dispatched,
    delayed_jobs_become_due_at_run_at,
    a_requeued_job_waits_for_run_at,
    queue_positions_and_gauges_count_queued_jobs,
);

async fn queue(fixture: &Fixture, user: UserId, priority: i64) -> JobId {
    fixture
        .queue_with(|job| {
            job.created_by = user;
            job.spec.priority = priority;
        })
        .await
}

/// The due jobs of a user in a class, read in pages of `page`.
async fn due_jobs_in_pages(fixture: &Fixture, user: UserId, class: PriorityClass, page: usize) -> Vec<(i64, JobId)> {
    let mut tx = fixture.db.read().await.unwrap();
    let mut jobs = Vec::new();
    loop {
        let next = tx.jobs().next_jobs(user, class, jobs.last().copied(), page as i64).await.unwrap();
        assert!(next.len() <= page);
        let full = next.len() == page;
        jobs.extend(next);
        if !full {
            return jobs;
        }
    }
}

async fn due_jobs(fixture: &Fixture, user: UserId) -> Vec<JobId> {
    let mut jobs = Vec::new();
    for class in PriorityClass::ALL {
        jobs.extend(due_jobs_in_pages(fixture, user, class, 100).await);
    }
    jobs.into_iter().map(|(_, id)| id).collect()
}

async fn users_with_jobs(fixture: &Fixture) -> Vec<UserId> {
    let mut users = fixture.db.read().await.unwrap().jobs().users_with_due_jobs().await.unwrap();
    users.sort();
    users
}

async fn promote(fixture: &Fixture, seconds: i64, limit: i64) -> u64 {
    let mut tx = fixture.db.begin().await.unwrap();
    let promoted = tx.jobs().promote_due(fixture.later(seconds), limit).await.unwrap();
    tx.commit().await.unwrap();
    promoted
}

/// Inserts jobs with these priorities. Returns them in the order of dispatch.
async fn queue_many(fixture: &Fixture, user: UserId, priorities: &[i64]) -> Vec<(i64, JobId)> {
    let mut jobs = Vec::new();
    for priority in priorities {
        jobs.push((-priority, queue(fixture, user, *priority).await));
    }
    jobs.sort();
    jobs.into_iter().map(|(priority, id)| (-priority, id)).collect()
}

async fn a_users_jobs_run_by_priority_then_age(fixture: Fixture) {
    let expected = queue_many(&fixture, fixture.user, &[0, 10, -3, 0, 1, 10, 0]).await;
    assert_eq!(due_jobs(&fixture, fixture.user).await, expected.iter().map(|(_, id)| *id).collect::<Vec<_>>());
    let mut tx = fixture.db.read().await.unwrap();
    assert_eq!(tx.jobs().queue_order(100).await.unwrap(), expected);
    let two = tx.jobs().next_jobs(fixture.user, PriorityClass::High, None, 2).await.unwrap();
    assert_eq!(two, expected[..2], "the limit applies");
    for (class, count) in PriorityClass::ALL.into_iter().zip([3, 3, 1]) {
        assert_eq!(tx.jobs().next_jobs(fixture.user, class, None, 100).await.unwrap().len(), count);
    }
}

async fn a_page_begins_after_the_previous_page(fixture: Fixture) {
    let high = queue_many(&fixture, fixture.user, &[3, 1, 3, 2, 3, 1, 9, 1, 2]).await;
    let low = queue_many(&fixture, fixture.user, &[-1, -5, -1, -5, -100]).await;
    let normal = queue_many(&fixture, fixture.user, &[0; 7]).await;
    for page in 1..=10 {
        for (class, expected) in PriorityClass::ALL.into_iter().zip([&high, &normal, &low]) {
            assert_eq!(due_jobs_in_pages(&fixture, fixture.user, class, page).await, *expected, "in pages of {page}");
        }
    }
    // The next page does not depend on the last job of this page.
    fixture.claim(high[3].1, "w", fixture.now).await.unwrap();
    let mut tx = fixture.db.read().await.unwrap();
    let rest = tx.jobs().next_jobs(fixture.user, PriorityClass::High, Some(high[3]), 100).await.unwrap();
    assert_eq!(rest, high[4..]);
}

async fn jobs_are_listed_for_each_user_separately(fixture: Fixture) {
    assert!(users_with_jobs(&fixture).await.is_empty());
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let cyd = fixture.add_user("cyd@example.com", Role::User).await;
    queue_many(&fixture, fixture.user, &[0; 30]).await;
    let his = queue(&fixture, bob, 0).await;
    let hers = queue(&fixture, cyd, -1).await;
    let mut all = vec![fixture.user, bob, cyd];
    all.sort();
    assert_eq!(users_with_jobs(&fixture).await, all, "each user once");
    assert_eq!((due_jobs(&fixture, bob).await, due_jobs(&fixture, cyd).await), (vec![his], vec![hers]));
    fixture.claim(hers, "w", fixture.now).await.unwrap();
    all.retain(|user| *user != cyd);
    assert_eq!(users_with_jobs(&fixture).await, all, "a user with running jobs only is not listed");
}

async fn only_queued_jobs_that_are_due_are_dispatched(fixture: Fixture) {
    let later = fixture.later(1);
    fixture.queue_with(|job| job.run_at = later).await;
    let running = fixture.queue().await;
    fixture.claim(running, "w", fixture.now).await.unwrap();
    let cancelled = fixture.queue().await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().cancel(cancelled, fixture.now).await.unwrap();
    tx.commit().await.unwrap();
    let due = fixture.queue().await;
    assert_eq!(due_jobs(&fixture, fixture.user).await, [due]);
    assert_eq!(fixture.db.read().await.unwrap().jobs().queue_order(10).await.unwrap(), [(0, due)]);
}

async fn delayed_jobs_become_due_at_run_at(fixture: Fixture) {
    let mut ids = Vec::new();
    for seconds in [30, 10, 20, 40] {
        ids.push(fixture.queue_with(|job| job.run_at = fixture.later(seconds)).await);
    }
    assert!(users_with_jobs(&fixture).await.is_empty(), "no job is due");
    assert_eq!(promote(&fixture, 9, 10).await, 0);
    assert_eq!(promote(&fixture, 35, 2).await, 2);
    let mut first = vec![ids[1], ids[2]];
    first.sort();
    assert_eq!(due_jobs(&fixture, fixture.user).await, first, "those due first");
    assert_eq!(users_with_jobs(&fixture).await, [fixture.user]);
    assert_eq!((promote(&fixture, 35, 2).await, promote(&fixture, 35, 2).await), (1, 0), "each job once");
    let job = fixture.job(ids[0]).await;
    assert_eq!(
        (job.revision, job.run_at),
        (1, fixture.later(30)),
        "clients do not see the flag, so the ETag stays valid"
    );
    // A worker may claim a due job before the sweep sets its due flag.
    assert!(fixture.claim(ids[3], "w", fixture.later(39)).await.is_none());
    assert!(fixture.claim(ids[3], "w", fixture.later(40)).await.is_some());
    assert_eq!(promote(&fixture, 50, 10).await, 0, "running jobs do not change");
}

async fn a_requeued_job_waits_for_run_at(fixture: Fixture) {
    let (fails, drained) = (fixture.queue().await, fixture.queue().await);
    let job = fixture.claim(fails, "w", fixture.now).await.unwrap();
    let failure = RunOutcome::Failed(JobError::new(FailureCode::StorageUnavailable, "away"));
    let next = next_of(&job, failure, fixture.later(3));
    assert!(next.run_at.is_some_and(|at| at > fixture.later(3)));
    assert!(end(&fixture, fails, 1, &next, fixture.later(3)).await);
    let job = fixture.claim(drained, "w", fixture.now).await.unwrap();
    assert!(
        end(&fixture, drained, 1, &next_of(&job, RunOutcome::Interrupted, fixture.later(3)), fixture.later(3)).await
    );
    assert_eq!(due_jobs(&fixture, fixture.user).await, [drained], "one is due at once, the other after its backoff");
    assert_eq!(fixture.db.read().await.unwrap().jobs().active_of(fixture.user).await.unwrap(), 2);
    assert_eq!(promote(&fixture, 3600, 10).await, 1);
    assert_eq!(due_jobs(&fixture, fixture.user).await.len(), 2);
}

async fn queue_positions_and_gauges_count_queued_jobs(fixture: Fixture) {
    let mut ids = [queue(&fixture, fixture.user, 0).await, queue(&fixture, fixture.user, 0).await];
    ids.sort();
    let low = queue(&fixture, fixture.user, -1).await;
    let high = queue(&fixture, fixture.user, 7).await;
    let running = queue(&fixture, fixture.user, 9).await;
    fixture.claim(running, "w", fixture.now).await.unwrap();
    fixture.queue_with(|job| job.run_at = fixture.later(1_000_000_000)).await;
    let mut tx = fixture.db.read().await.unwrap();
    for (expected, id) in [(1, high), (2, ids[0]), (3, ids[1]), (5, low)] {
        let job = tx.jobs().get(id).await.unwrap().unwrap();
        let position = tx.jobs().queue_position(&job).await.unwrap();
        // The delayed job has a priority between them, but no queue position.
        assert_eq!(position, if expected == 5 { 4 } else { expected });
    }
    assert_eq!(tx.jobs().active_of(fixture.user).await.unwrap(), 6);
    assert_eq!(tx.jobs().active_total().await.unwrap(), 6);
    assert_eq!((tx.jobs().running_total().await.unwrap(), tx.jobs().failed_total().await.unwrap()), (1, 0));
    assert_eq!(tx.jobs().scheduled_total(fixture.later(60)).await.unwrap(), 1);
    let depth = tx.jobs().depth_by_class().await.unwrap();
    assert_eq!(depth, [(PriorityClass::High, 1), (PriorityClass::Normal, 3), (PriorityClass::Low, 1)]);
    let by_status: Vec<_> = tx.jobs().by_status().await.unwrap().into_iter().map(|(_, count)| count).collect();
    assert_eq!(by_status, [5, 1, 0, 0, 0]);
    assert_eq!(tx.jobs().oldest_queued(fixture.later(60)).await.unwrap(), Some(fixture.now));
    assert_eq!(tx.jobs().oldest_queued(fixture.later(-60)).await.unwrap(), None);
    drop(tx);

    // A job that became due long ago, before and after the sweep sets its due flag.
    let late = fixture.queue_with(|job| (job.created_at, job.run_at) = (fixture.later(-100), fixture.later(-50))).await;
    for _ in 0..2 {
        let mut tx = fixture.db.read().await.unwrap();
        assert_eq!(tx.jobs().oldest_queued(fixture.later(60)).await.unwrap(), Some(fixture.later(-50)));
        assert_eq!(tx.jobs().active_of(fixture.user).await.unwrap(), 7);
        let depth = tx.jobs().depth_by_class().await.unwrap();
        assert_eq!(depth, [(PriorityClass::High, 1), (PriorityClass::Normal, 4), (PriorityClass::Low, 1)]);
        drop(tx);
        promote(&fixture, 0, 10).await;
    }
    assert!(due_jobs(&fixture, fixture.user).await.contains(&late));
}
