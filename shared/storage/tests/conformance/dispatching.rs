//! Which ids go to the queue, in which order, and how fairly.

use trainyard_domain::{JobId, PriorityClass, Role, UserId};

use crate::bench::Bench;

on_both!(
    ids_go_by_priority_then_age,
    nobody_gets_more_than_a_window_into_the_queue,
    a_window_full_of_low_jobs_leaves_room_for_a_high_one,
    only_what_is_due_and_waiting_goes,
    sent_ids_are_sent_again_when_they_stay_too_long,
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

async fn ready(bench: &Bench, limit: i64, window: i64) -> Vec<JobId> {
    let (chosen, _) = bench.db.read().await.unwrap().jobs().undispatched(bench.now, limit, window).await.unwrap();
    chosen.into_iter().map(|(id, _)| id).collect()
}

async fn sent(bench: &Bench, ids: &[JobId]) {
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().mark_dispatched(ids, bench.now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn ids_go_by_priority_then_age(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let mut ids = Vec::new();
    for (user, priority) in [(bench.user, 0), (bob, 10), (bench.user, -3), (bob, 0), (bench.user, 1)] {
        ids.push((-priority, queue(&bench, user, priority).await));
    }
    ids.sort();
    let expected: Vec<_> = ids.into_iter().map(|(_, id)| id).collect();
    assert_eq!(ready(&bench, 100, 100).await, expected);
    assert_eq!(ready(&bench, 2, 100).await, expected[..2]);

    queue(&bench, bench.user, 2).await;
    let urgent = queue(&bench, bench.user, 9).await;
    let highest = ready(&bench, 100, 1).await;
    assert_eq!(
        (highest.len(), highest[1]),
        (5, urgent),
        "of one user's high jobs the highest takes the window's place"
    );
}

async fn nobody_gets_more_than_a_window_into_the_queue(bench: Bench) {
    let bob = bench.add_user("bob@example.com", Role::User).await;
    let mut hers = Vec::new();
    for _ in 0..30 {
        hers.push(queue(&bench, bench.user, 0).await);
    }
    hers.sort();
    let his = queue(&bench, bob, 0).await;
    let first = ready(&bench, 100, 5).await;
    assert_eq!(first.iter().filter(|id| hers.contains(id)).count(), 5, "the oldest five of thirty");
    assert!(hers[..5].iter().all(|id| first.contains(id)));
    assert!(first.contains(&his), "one user's thousand jobs don't keep another waiting");
    sent(&bench, &first).await;
    assert!(ready(&bench, 100, 5).await.is_empty());
    bench.claim(hers[0], "w", bench.now).await.unwrap();
    assert_eq!(ready(&bench, 100, 5).await, [hers[5]], "a claimed job makes room for the next");
}

async fn a_window_full_of_low_jobs_leaves_room_for_a_high_one(bench: Bench) {
    for _ in 0..3 {
        queue(&bench, bench.user, -1).await;
    }
    let low = ready(&bench, 100, 2).await;
    assert_eq!(low.len(), 2);
    sent(&bench, &low).await;
    let high = queue(&bench, bench.user, 5).await;
    assert_eq!(ready(&bench, 100, 2).await, [high]);
}

async fn only_what_is_due_and_waiting_goes(bench: Bench) {
    let (soon, later) = (bench.now, bench.later(1));
    bench.queue_with(|job| job.run_at = later).await;
    let running = bench.queue().await;
    bench.claim(running, "w", bench.now).await.unwrap();
    let cancelled = bench.queue().await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().cancel(cancelled, bench.now).await.unwrap();
    tx.commit().await.unwrap();
    let due = bench.queue_with(|job| job.run_at = soon).await;
    assert_eq!(ready(&bench, 100, 100).await, [due]);
}

async fn sent_ids_are_sent_again_when_they_stay_too_long(bench: Bench) {
    let mut ids = Vec::new();
    for _ in 0..121 {
        ids.push(queue(&bench, bench.user, 0).await);
    }
    ids.sort();
    sent(&bench, &ids).await;
    sent(&bench, &[]).await;
    assert!(ready(&bench, 500, 500).await.is_empty());
    bench.claim(ids[0], "w", bench.now).await.unwrap();
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.jobs().forget_dispatches(PriorityClass::Normal, bench.now).await.unwrap(), 0, "not yet");
    assert_eq!(
        tx.jobs().forget_dispatches(PriorityClass::Normal, bench.later(1)).await.unwrap(),
        120,
        "the one that runs is not waiting"
    );
    tx.commit().await.unwrap();
    assert_eq!(ready(&bench, 500, 500).await, ids[1..]);
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
}
