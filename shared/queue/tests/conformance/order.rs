//! The order in which ids are delivered, and to which consumer.

use std::collections::BTreeSet;

use trainyard_domain::PriorityClass::{High, Low, Normal};
use trainyard_domain::{JobId, PriorityClass};
use trainyard_queue::Enqueued::{Added, Present, Refused};
use trainyard_queue::{EnqueueFrom, Queue, ReadyJob, UserWindow};
use trainyard_testkit::{eventually, redis};

use super::harness::{LIMIT, Reader, all, fresh, ids, in_redis, on_both, send, user, waiting, within};

on_both!(
    higher_classes_come_first_and_each_in_order,
    two_consumers_share_the_ids_without_overlap,
    an_id_enqueued_while_a_consumer_waits_is_delivered,
    a_consumer_reads_no_more_than_it_requested,
    ids_that_were_not_taken_return_when_the_consumer_closes,
    a_draining_worker_reads_no_further_id,
    the_depth_counts_ids_by_class,
    an_enqueued_id_is_not_enqueued_twice,
    a_user_has_at_most_a_window_of_each_class,
    a_new_job_does_not_overtake_those_that_were_refused,
    a_worker_reads_as_many_ids_as_it_has_slots,
    ids_are_removed_in_any_order,
);

async fn higher_classes_come_first_and_each_in_order(queue: Queue) {
    let jobs = ids(6);
    let sent = [(0, Low), (1, Normal), (2, High), (3, Low), (4, High), (5, Normal)];
    send(&queue, &sent.map(|(n, class)| (jobs[n], class))).await.unwrap();
    let mut reader = Reader::of(&queue);
    for n in [2, 4, 1, 5, 0, 3] {
        let delivery = reader.take().await;
        assert_eq!(delivery.job, jobs[n]);
        delivery.ack_and_wait().await;
    }
}

async fn two_consumers_share_the_ids_without_overlap(queue: Queue) {
    const EACH: usize = 100;
    let jobs = ids(2 * EACH);
    let (first, rest) = jobs.split_at(50);
    send(&queue, &all(first, Normal)).await.unwrap();
    let readers = [Reader::of(&queue), Reader::of(&queue)].map(|mut reader| {
        tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..EACH {
                let delivery = reader.take().await;
                delivery.ack_and_wait().await;
                seen.push(delivery.job);
            }
            seen
        })
    });
    for (n, job) in rest.iter().enumerate() {
        send(&queue, &[(*job, [High, Normal, Low][n % 3])]).await.unwrap();
    }
    let mut seen: Vec<JobId> = Vec::new();
    for reader in readers {
        seen.extend(within("a consumer", reader).await.unwrap());
    }
    assert_eq!(seen.len(), jobs.len());
    assert_eq!(BTreeSet::from_iter(seen), BTreeSet::from_iter(jobs));
    assert_eq!(waiting(&queue).await, 0);
}

async fn an_id_enqueued_while_a_consumer_waits_is_delivered(queue: Queue) {
    let mut reader = Reader::of(&queue);
    reader.ask().await;
    let job = ids(1)[0];
    send(&queue, &[(job, Low)]).await.unwrap();
    assert_eq!(reader.take().await.job, job);
}

async fn a_consumer_reads_no_more_than_it_requested(queue: Queue) {
    let jobs = ids(3);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let mut busy = Reader::of(&queue);
    assert_eq!(busy.take().await.job, jobs[0]);
    // A worker without a free slot does not poll; the other worker reads the rest.
    let mut free = Reader::of(&queue);
    assert_eq!(free.take().await.job, jobs[1]);
    assert_eq!(free.take().await.job, jobs[2]);
}

async fn ids_that_were_not_taken_return_when_the_consumer_closes(queue: Queue) {
    let jobs = ids(2);
    let mut leaving = Reader::of(&queue);
    leaving.ask().await;
    send(&queue, &all(&jobs, High)).await.unwrap();
    leaving.close().await;
    let mut staying = Reader::of(&queue);
    for job in &jobs {
        assert_eq!(staying.take().await.job, *job);
    }
}

async fn a_draining_worker_reads_no_further_id(queue: Queue) {
    let mut draining = Reader::of(&queue);
    draining.ask().await;
    draining.context.stop().unwrap();
    let jobs = ids(3);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    // Its last read may still deliver an id. The id is returned while the worker waits for its jobs.
    let mut other = Reader::of(&queue);
    let mut seen = BTreeSet::new();
    for _ in &jobs {
        let delivery = other.take().await;
        delivery.ack_and_wait().await;
        seen.insert(delivery.job);
    }
    assert_eq!(seen, BTreeSet::from_iter(jobs));
    draining.close().await;
}

async fn the_depth_counts_ids_by_class(queue: Queue) {
    assert_eq!(queue.depth().await.unwrap(), [(High, 0), (Normal, 0), (Low, 0)]);
    let jobs = ids(5);
    send(&queue, &all(&jobs[..3], Low)).await.unwrap();
    send(&queue, &all(&jobs[3..], High)).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), [(High, 2), (Normal, 0), (Low, 3)]);
}

async fn an_enqueued_id_is_not_enqueued_twice(queue: Queue) {
    let job = ids(1)[0];
    let mut reader = Reader::of(&queue);
    assert_eq!(send(&queue, &[(job, Normal)]).await.unwrap(), [Added]);
    assert_eq!(send(&queue, &[(job, Normal), (job, Normal)]).await.unwrap(), [Present, Present]);
    let delivery = reader.take().await;
    assert_eq!(send(&queue, &[(job, Normal)]).await.unwrap(), [Present], "it is being claimed");
    delivery.ack_and_wait().await;
    assert_eq!(send(&queue, &[(job, Normal)]).await.unwrap(), [Added], "a job may come back");
    assert_eq!(waiting(&queue).await, 1);
}

/// So many ready jobs of one user.
fn ready_of(n: u128, class: PriorityClass, count: usize) -> Vec<ReadyJob> {
    ids(count).into_iter().map(|job| ReadyJob { job, user: user(n), class }).collect()
}

fn window(n: u128, class: PriorityClass, enqueued: u64, refusals: u64) -> UserWindow {
    UserWindow { user: user(n), class, enqueued, refusals }
}

async fn a_user_has_at_most_a_window_of_each_class(queue: Queue) {
    let (one, other, high) = (ready_of(1, Normal, 4), ready_of(2, Normal, 1), ready_of(1, High, 1));
    let all = [&one[..], &other, &high].concat();
    assert_eq!(
        queue.enqueue(&all, 2, EnqueueFrom::Sweep).await.unwrap(),
        [Added, Added, Refused, Refused, Added, Added]
    );
    let mut windows = queue.user_windows().await.unwrap();
    windows.sort_by_key(|window| (window.class, window.user));
    assert_eq!(windows, [window(1, High, 1, 0), window(1, Normal, 2, 1), window(2, Normal, 1, 0)]);
    let mut reader = Reader::of(&queue);
    assert_eq!(reader.take().await.job, high[0].job, "dropped without an acknowledgement");
    let delivery = reader.take().await;
    assert_eq!(delivery.job, one[0].job);
    assert_eq!(queue.enqueue(&one[2..], 2, EnqueueFrom::Sweep).await.unwrap(), [Refused, Refused], "not claimed yet");
    delivery.ack_and_wait().await;
    assert_eq!(queue.enqueue(&one[2..], 2, EnqueueFrom::Sweep).await.unwrap(), [Added, Refused]);
}

async fn a_new_job_does_not_overtake_those_that_were_refused(queue: Queue) {
    let jobs = ready_of(1, Normal, 3);
    assert_eq!(queue.enqueue(&jobs[..2], 1, EnqueueFrom::Submission).await.unwrap(), [Added, Refused]);
    let mut reader = Reader::of(&queue);
    reader.take().await.ack_and_wait().await;
    assert_eq!(
        queue.enqueue(&jobs[2..], 1, EnqueueFrom::Submission).await.unwrap(),
        [Refused],
        "the second one is still to come"
    );
    let known = queue.user_windows().await.unwrap();
    assert_eq!(known, [window(1, Normal, 0, 2)]);
    assert_eq!(queue.enqueue(&jobs[1..2], 1, EnqueueFrom::Sweep).await.unwrap(), [Added]);
    // These windows were read before the third job was refused, which must not be overtaken either.
    queue.clear_refusals(&[window(1, Normal, 0, 1)]).await.unwrap();
    reader.take().await.ack_and_wait().await;
    let newest = ready_of(1, Normal, 1);
    assert_eq!(queue.enqueue(&newest, 1, EnqueueFrom::Submission).await.unwrap(), [Refused]);
    queue.clear_refusals(&[window(1, Normal, 0, 3)]).await.unwrap();
    assert_eq!(queue.enqueue(&newest, 1, EnqueueFrom::Submission).await.unwrap(), [Added]);
    assert_eq!(queue.user_windows().await.unwrap(), [window(1, Normal, 1, 0)]);
}

async fn a_worker_reads_as_many_ids_as_it_has_slots(queue: Queue) {
    let jobs = ids(5);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let mut wide = Reader::with_slots(&queue, 3);
    let mut taken = Vec::new();
    for job in &jobs[..3] {
        taken.push(wide.take().await);
        assert_eq!(taken.last().unwrap().job, *job);
    }
    wide.ask().await;
    // The first worker has no slot left, so the other reads the next id.
    let mut narrow = Reader::of(&queue);
    assert_eq!(narrow.take().await.job, jobs[3]);
    taken.clear();
    assert_eq!(wide.take().await.job, jobs[4]);
}

/// A stream node holds a hundred entries: acknowledgements at the start, the middle and the end of several nodes.
async fn ids_are_removed_in_any_order(queue: Queue) {
    const SENT: usize = 450;
    const READ: usize = 350;
    let jobs = ids(SENT);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let mut reader = Reader::with_slots(&queue, READ);
    let mut taken = Vec::new();
    for _ in 0..READ {
        taken.push(Some(reader.take().await));
    }
    let mut left = SENT as u64;
    // The middle backwards, the end, then the beginning except the first id.
    let order = (100..250).rev().chain(250..READ).chain(1..100);
    for (n, place) in order.enumerate() {
        let delivery = taken[place].take().unwrap();
        assert_eq!(delivery.job, jobs[place]);
        left -= 1;
        match n % 50 {
            0 => delivery.ack_and_wait().await,
            _ => delivery.ack(),
        }
    }
    eventually("acknowledged ids are removed", LIMIT, async || (waiting(&queue).await == left).then_some(())).await;
    // The id that is still being claimed and the ids that were not read are still enqueued.
    let again = send(&queue, &all(&jobs, Normal)).await.unwrap();
    let there: Vec<_> = again.iter().map(|answer| *answer == Present).collect();
    assert_eq!(there, (0..SENT).map(|n| n == 0 || n >= READ).collect::<Vec<_>>());
    taken[0].take().unwrap().ack_and_wait().await;
    for job in &jobs[READ..] {
        let delivery = reader.take().await;
        assert_eq!(delivery.job, *job);
        delivery.ack_and_wait().await;
    }
    assert_eq!(waiting(&queue).await, (READ - 1) as u64, "the ids that were enqueued again");
}

/// The id is certainly read here: without the return, Redis would redeliver it only after 30 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_was_not_taken_returns_at_once() {
    for closes in [true, false] {
        let (queue, prefix) = fresh();
        let job = ids(1)[0];
        let mut paused = Reader::of(&queue);
        paused.ask().await;
        send(&queue, &[(job, Normal)]).await.unwrap();
        eventually("the id is read", LIMIT, async || (in_redis(&redis().url(), &prefix).await.0 == 1).then_some(()))
            .await;
        let mut kept = Some(paused);
        if closes {
            kept.take().unwrap().close().await;
        }
        assert_eq!(Reader::of(&queue).take().await.job, job);
    }
}

/// Named after the complaint "Redis fills with finished jobs".
#[tokio::test]
async fn redis_is_empty_again_when_every_id_was_claimed() {
    let (queue, prefix) = fresh();
    let url = redis().url();
    let mut reader = Reader::of(&queue);
    for class in [High, Normal, Low] {
        send(&queue, &all(&ids(40), class)).await.unwrap();
    }
    for _ in 0..120 {
        reader.take().await.ack_and_wait().await;
    }
    assert_eq!(waiting(&queue).await, 0);
    let (pending, readers) = in_redis(&url, &prefix).await;
    assert_eq!((pending, readers.is_empty()), (0, false));
    reader.close().await;
    eventually("the consumer is deleted from the group", LIMIT, async || {
        in_redis(&url, &prefix).await.1.is_empty().then_some(())
    })
    .await;
}
