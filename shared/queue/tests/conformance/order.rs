//! Who gets which id, and when.

use std::collections::BTreeSet;

use trainyard_domain::JobId;
use trainyard_domain::PriorityClass::{High, Low, Normal};
use trainyard_queue::Queue;
use trainyard_testkit::{eventually, redis};

use super::harness::{LIMIT, Reader, all, fresh, ids, in_redis, on_both, waiting, within};

on_both!(
    higher_classes_come_first_and_each_in_the_order_sent,
    two_consumers_share_the_ids_without_overlap,
    an_id_sent_while_a_consumer_waits_reaches_it,
    a_consumer_takes_no_more_than_it_asked_for,
    what_was_read_but_not_picked_up_goes_back_when_the_consumer_closes,
    a_draining_worker_reads_no_further_id,
    the_depth_counts_what_waits_by_class,
    the_epoch_stays_while_nothing_is_lost,
);

async fn higher_classes_come_first_and_each_in_the_order_sent(queue: Queue) {
    let jobs = ids(6);
    let sent = [(0, Low), (1, Normal), (2, High), (3, Low), (4, High), (5, Normal)];
    queue.dispatch(&sent.map(|(n, class)| (jobs[n], class))).await.unwrap();
    let mut reader = Reader::of(&queue);
    for n in [2, 4, 1, 5, 0, 3] {
        let delivery = reader.take().await;
        assert_eq!(delivery.job, jobs[n]);
        delivery.ack().await;
    }
}

async fn two_consumers_share_the_ids_without_overlap(queue: Queue) {
    const EACH: usize = 100;
    let jobs = ids(2 * EACH);
    let (first, rest) = jobs.split_at(50);
    queue.dispatch(&all(first, Normal)).await.unwrap();
    let readers = [Reader::of(&queue), Reader::of(&queue)].map(|mut reader| {
        tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..EACH {
                let delivery = reader.take().await;
                delivery.ack().await;
                seen.push(delivery.job);
            }
            seen
        })
    });
    for (n, job) in rest.iter().enumerate() {
        queue.dispatch(&[(*job, [High, Normal, Low][n % 3])]).await.unwrap();
    }
    let mut seen: Vec<JobId> = Vec::new();
    for reader in readers {
        seen.extend(within("a consumer", reader).await.unwrap());
    }
    assert_eq!(seen.len(), jobs.len());
    assert_eq!(BTreeSet::from_iter(seen), BTreeSet::from_iter(jobs));
    assert_eq!(waiting(&queue).await, 0);
}

async fn an_id_sent_while_a_consumer_waits_reaches_it(queue: Queue) {
    let mut reader = Reader::of(&queue);
    reader.ask().await;
    let job = ids(1)[0];
    queue.dispatch(&[(job, Low)]).await.unwrap();
    assert_eq!(reader.take().await.job, job);
}

async fn a_consumer_takes_no_more_than_it_asked_for(queue: Queue) {
    let jobs = ids(3);
    queue.dispatch(&all(&jobs, Normal)).await.unwrap();
    let mut busy = Reader::of(&queue);
    assert_eq!(busy.take().await.job, jobs[0]);
    // A worker without a free place does not poll; its colleague finds the rest.
    let mut free = Reader::of(&queue);
    assert_eq!(free.take().await.job, jobs[1]);
    assert_eq!(free.take().await.job, jobs[2]);
}

async fn what_was_read_but_not_picked_up_goes_back_when_the_consumer_closes(queue: Queue) {
    let jobs = ids(2);
    let mut leaving = Reader::of(&queue);
    leaving.ask().await;
    queue.dispatch(&all(&jobs, High)).await.unwrap();
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
    queue.dispatch(&all(&jobs, Normal)).await.unwrap();
    // Its last read may still bring an id; that one goes back at once, while the worker waits for its jobs to end.
    let mut other = Reader::of(&queue);
    let mut seen = BTreeSet::new();
    for _ in &jobs {
        let delivery = other.take().await;
        delivery.ack().await;
        seen.insert(delivery.job);
    }
    assert_eq!(seen, BTreeSet::from_iter(jobs));
    draining.close().await;
}

async fn the_depth_counts_what_waits_by_class(queue: Queue) {
    assert_eq!(queue.depth().await.unwrap(), [(High, 0), (Normal, 0), (Low, 0)]);
    let jobs = ids(5);
    queue.dispatch(&all(&jobs[..3], Low)).await.unwrap();
    queue.dispatch(&all(&jobs[3..], High)).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), [(High, 2), (Normal, 0), (Low, 3)]);
}

async fn the_epoch_stays_while_nothing_is_lost(queue: Queue) {
    queue.ping().await.unwrap();
    let epoch = queue.epoch().await.unwrap();
    queue.dispatch(&all(&ids(1), Normal)).await.unwrap();
    assert_eq!(queue.epoch().await.unwrap(), epoch);
    assert_ne!(Queue::memory().epoch().await.unwrap(), epoch);
}

/// As the test for both, but certain that the id was read: the one in Redis would otherwise come back after 30 s only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_was_read_but_not_picked_up_goes_back_at_once() {
    for closes in [true, false] {
        let (queue, prefix) = fresh();
        let job = ids(1)[0];
        let mut paused = Reader::of(&queue);
        paused.ask().await;
        queue.dispatch(&[(job, Normal)]).await.unwrap();
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
        queue.dispatch(&all(&ids(40), class)).await.unwrap();
    }
    for _ in 0..120 {
        reader.take().await.ack().await;
    }
    assert_eq!(waiting(&queue).await, 0);
    let (pending, readers) = in_redis(&url, &prefix).await;
    assert_eq!((pending, readers.is_empty()), (0, false));
    reader.close().await;
    eventually("the closed reader left the group", LIMIT, async || {
        in_redis(&url, &prefix).await.1.is_empty().then_some(())
    })
    .await;
}
