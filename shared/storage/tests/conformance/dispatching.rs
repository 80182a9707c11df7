//! Who comes next: in which order a user's jobs run, whose jobs wait, and when a job's time has come.

use trainyard_domain::outcome::Ending;
use trainyard_domain::{FailureCode, JobError, JobId, PriorityClass, Role, UserId};

use crate::bench::Bench;
use crate::running::{end, next_of};

on_both!(
    a_users_jobs_run_by_priority_then_age,
    a_page_begins_where_the_one_before_ended,
    users_have_lines_of_their_own,
    only_what_is_due_and_waiting_is_in_line,
    jobs_come_into_line_when_their_time_has_come,
    a_run_that_goes_back_waits_for_its_time,
    positions_and_gauges_count_what_waits,
);

async fn queue(bench: &Bench, user: UserId, priority: i64) -> JobId {
    bench
        .queue_with(|job| {
            job.created_by = user;
            job.spec.priority = priority;
        })
        .await
}

/// A class's line, which is read in pages of `page`.
async fn line_in_pages(bench: &Bench, user: UserId, class: PriorityClass, page: usize) -> Vec<(i64, JobId)> {
    let mut tx = bench.db.read().await.unwrap();
    let mut line = Vec::new();
    loop {
        let next = tx.jobs().next_in_line(user, class, line.last().copied(), page as i64).await.unwrap();
        assert!(next.len() <= page);
        let full = next.len() == page;
        line.extend(next);
        if !full {
            return line;
        }
    }
}

async fn line(bench: &Bench, user: UserId) -> Vec<JobId> {
    let mut line = Vec::new();
    for class in PriorityClass::ALL {
        line.extend(line_in_pages(bench, user, class, 100).await);
    }
    line.into_iter().map(|(_, id)| id).collect()
}

async fn waiting(bench: &Bench) -> Vec<UserId> {
    let mut users = bench.db.read().await.unwrap().jobs().waiting_users().await.unwrap();
    users.sort();
    users
}

async fn promote(bench: &Bench, seconds: i64, limit: i64) -> u64 {
    let mut tx = bench.db.begin().await.unwrap();
    let promoted = tx.jobs().promote_due(bench.later(seconds), limit).await.unwrap();
    tx.commit().await.unwrap();
    promoted
}

/// Jobs of these priorities, in the order they should run.
async fn queue_many(bench: &Bench, user: UserId, priorities: &[i64]) -> Vec<(i64, JobId)> {
    let mut jobs = Vec::new();
    for priority in priorities {
        jobs.push((-priority, queue(bench, user, *priority).await));
    }
    jobs.sort();
    jobs.into_iter().map(|(priority, id)| (-priority, id)).collect()
}

async fn a_users_jobs_run_by_priority_then_age(bench: Bench) {
    let expected = queue_many(&bench, bench.user, &[0, 10, -3, 0, 1, 10, 0]).await;
    assert_eq!(line(&bench, bench.user).await, expected.iter().map(|(_, id)| *id).collect::<Vec<_>>());
    let mut tx = bench.db.read().await.unwrap();
    assert_eq!(tx.jobs().line(100).await.unwrap(), expected);
    let two = tx.jobs().next_in_line(bench.user, PriorityClass::High, None, 2).await.unwrap();
    assert_eq!(two, expected[..2], "no more than asked for");
    for (class, count) in PriorityClass::ALL.into_iter().zip([3, 3, 1]) {
        assert_eq!(tx.jobs().next_in_line(bench.user, class, None, 100).await.unwrap().len(), count);
    }
}

async fn a_page_begins_where_the_one_before_ended(bench: Bench) {
    let high = queue_many(&bench, bench.user, &[3, 1, 3, 2, 3, 1, 9, 1, 2]).await;
    let low = queue_many(&bench, bench.user, &[-1, -5, -1, -5, -100]).await;
    let normal = queue_many(&bench, bench.user, &[0; 7]).await;
    for page in 1..=10 {
        for (class, expected) in PriorityClass::ALL.into_iter().zip([&high, &normal, &low]) {
            assert_eq!(line_in_pages(&bench, bench.user, class, page).await, *expected, "in pages of {page}");
        }
    }
    // The place where a page ended is found though its job is claimed meanwhile.
    bench.claim(high[3].1, "w", bench.now).await.unwrap();
    let mut tx = bench.db.read().await.unwrap();
    let rest = tx.jobs().next_in_line(bench.user, PriorityClass::High, Some(high[3]), 100).await.unwrap();
    assert_eq!(rest, high[4..]);
}

async fn users_have_lines_of_their_own(bench: Bench) {
    assert!(waiting(&bench).await.is_empty());
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let cyd = bench.add_user("cyd@example.com", Role::User).await;
    queue_many(&bench, bench.user, &[0; 30]).await;
    let his = queue(&bench, bob, 0).await;
    let hers = queue(&bench, cyd, -1).await;
    let mut all = vec![bench.user, bob, cyd];
    all.sort();
    assert_eq!(waiting(&bench).await, all, "each once, however many jobs they have");
    assert_eq!((line(&bench, bob).await, line(&bench, cyd).await), (vec![his], vec![hers]));
    bench.claim(hers, "w", bench.now).await.unwrap();
    all.retain(|user| *user != cyd);
    assert_eq!(waiting(&bench).await, all, "who has nothing but running jobs waits for nothing");
}

async fn only_what_is_due_and_waiting_is_in_line(bench: Bench) {
    let later = bench.later(1);
    bench.queue_with(|job| job.run_at = later).await;
    let running = bench.queue().await;
    bench.claim(running, "w", bench.now).await.unwrap();
    let cancelled = bench.queue().await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().cancel(cancelled, bench.now).await.unwrap();
    tx.commit().await.unwrap();
    let due = bench.queue().await;
    assert_eq!(line(&bench, bench.user).await, [due]);
    assert_eq!(bench.db.read().await.unwrap().jobs().line(10).await.unwrap(), [(0, due)]);
}

async fn jobs_come_into_line_when_their_time_has_come(bench: Bench) {
    let mut ids = Vec::new();
    for seconds in [30, 10, 20, 40] {
        ids.push(bench.queue_with(|job| job.run_at = bench.later(seconds)).await);
    }
    assert!(waiting(&bench).await.is_empty(), "nobody waits for a job that is not due");
    assert_eq!(promote(&bench, 9, 10).await, 0);
    assert_eq!(promote(&bench, 35, 2).await, 2);
    let mut first = vec![ids[1], ids[2]];
    first.sort();
    assert_eq!(line(&bench, bench.user).await, first, "those that have waited longest");
    assert_eq!(waiting(&bench).await, [bench.user]);
    assert_eq!((promote(&bench, 35, 2).await, promote(&bench, 35, 2).await), (1, 0), "each once");
    let job = bench.job(ids[0]).await;
    assert_eq!((job.revision, job.run_at), (1, bench.later(30)), "a client can't see it, so its ETag stays good");
    // A worker that knows of it need not wait for the sweep.
    assert!(bench.claim(ids[3], "w", bench.later(39)).await.is_none());
    assert!(bench.claim(ids[3], "w", bench.later(40)).await.is_some());
    assert_eq!(promote(&bench, 50, 10).await, 0, "what runs is left alone");
}

async fn a_run_that_goes_back_waits_for_its_time(bench: Bench) {
    let (fails, drained) = (bench.queue().await, bench.queue().await);
    let job = bench.claim(fails, "w", bench.now).await.unwrap();
    let failure = Ending::Failed(JobError::new(FailureCode::StorageUnavailable, "away"));
    let next = next_of(&job, failure, bench.later(3));
    assert!(next.run_at.is_some_and(|at| at > bench.later(3)));
    assert!(end(&bench, fails, 1, &next, bench.later(3)).await);
    let job = bench.claim(drained, "w", bench.now).await.unwrap();
    assert!(end(&bench, drained, 1, &next_of(&job, Ending::Interrupted, bench.later(3)), bench.later(3)).await);
    assert_eq!(line(&bench, bench.user).await, [drained], "one is in line at once, the other after its backoff");
    assert_eq!(bench.db.read().await.unwrap().jobs().active_of(bench.user).await.unwrap(), 2);
    assert_eq!(promote(&bench, 3600, 10).await, 1);
    assert_eq!(line(&bench, bench.user).await.len(), 2);
}

async fn positions_and_gauges_count_what_waits(bench: Bench) {
    let mut ids = [queue(&bench, bench.user, 0).await, queue(&bench, bench.user, 0).await];
    ids.sort();
    let low = queue(&bench, bench.user, -1).await;
    let high = queue(&bench, bench.user, 7).await;
    let running = queue(&bench, bench.user, 9).await;
    bench.claim(running, "w", bench.now).await.unwrap();
    bench.queue_with(|job| job.run_at = bench.later(1_000_000_000)).await;
    let mut tx = bench.db.read().await.unwrap();
    for (expected, id) in [(1, high), (2, ids[0]), (3, ids[1]), (5, low)] {
        let job = tx.jobs().get(id).await.unwrap().unwrap();
        let position = tx.jobs().queue_position(&job).await.unwrap();
        // The job that is not due for 30 years stands between them in priority, but in nobody's way.
        assert_eq!(position, if expected == 5 { 4 } else { expected });
    }
    assert_eq!(tx.jobs().active_of(bench.user).await.unwrap(), 6);
    assert_eq!(tx.jobs().active_total().await.unwrap(), 6);
    assert_eq!((tx.jobs().running_total().await.unwrap(), tx.jobs().failed_total().await.unwrap()), (1, 0));
    assert_eq!(tx.jobs().scheduled_total(bench.later(60)).await.unwrap(), 1);
    let depth = tx.jobs().depth_by_class().await.unwrap();
    assert_eq!(depth, [(PriorityClass::High, 1), (PriorityClass::Normal, 3), (PriorityClass::Low, 1)]);
    let by_status: Vec<_> = tx.jobs().by_status().await.unwrap().into_iter().map(|(_, count)| count).collect();
    assert_eq!(by_status, [5, 1, 0, 0, 0]);
    assert_eq!(tx.jobs().oldest_queued(bench.later(60)).await.unwrap(), Some(bench.now));
    assert_eq!(tx.jobs().oldest_queued(bench.later(-60)).await.unwrap(), None);
    drop(tx);

    // Long due, by the time of the oldest that waits: before the sweep noted it, and after.
    let late = bench.queue_with(|job| (job.created_at, job.run_at) = (bench.later(-100), bench.later(-50))).await;
    for _ in 0..2 {
        let mut tx = bench.db.read().await.unwrap();
        assert_eq!(tx.jobs().oldest_queued(bench.later(60)).await.unwrap(), Some(bench.later(-50)));
        assert_eq!(tx.jobs().active_of(bench.user).await.unwrap(), 7);
        let depth = tx.jobs().depth_by_class().await.unwrap();
        assert_eq!(depth, [(PriorityClass::High, 1), (PriorityClass::Normal, 4), (PriorityClass::Low, 1)]);
        drop(tx);
        promote(&bench, 0, 10).await;
    }
    assert!(line(&bench, bench.user).await.contains(&late));
}
