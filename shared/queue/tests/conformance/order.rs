//! Who gets which id, and when.

use std::collections::BTreeSet;

use trainyard_domain::PriorityClass::{High, Low, Normal};
use trainyard_domain::{JobId, PriorityClass};
use trainyard_queue::Offered::{Refused, Sent, There};
use trainyard_queue::{Queue, Ready, Share, Turn};
use trainyard_testkit::{eventually, redis};

use super::harness::{LIMIT, Reader, all, fresh, ids, in_redis, on_both, send, user, waiting, within};

on_both!(
    higher_classes_come_first_and_each_in_the_order_sent,
    two_consumers_share_the_ids_without_overlap,
    an_id_sent_while_a_consumer_waits_reaches_it,
    a_consumer_takes_no_more_than_it_asked_for,
    what_was_read_but_not_picked_up_goes_back_when_the_consumer_closes,
    a_draining_worker_reads_no_further_id,
    the_depth_counts_what_waits_by_class,
    an_id_that_is_there_is_not_sent_twice,
    a_user_has_a_window_of_each_class_and_no_more,
    a_new_job_does_not_overtake_those_that_were_refused,
    a_worker_reads_as_many_ids_as_it_has_places,
    ids_go_in_whatever_order_they_are_claimed,
);

async fn higher_classes_come_first_and_each_in_the_order_sent(queue: Queue) {
    let jobs = ids(6);
    let sent = [(0, Low), (1, Normal), (2, High), (3, Low), (4, High), (5, Normal)];
    send(&queue, &sent.map(|(n, class)| (jobs[n], class))).await.unwrap();
    let mut reader = Reader::of(&queue);
    for n in [2, 4, 1, 5, 0, 3] {
        let delivery = reader.take().await;
        assert_eq!(delivery.job, jobs[n]);
        delivery.acked().await;
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
                delivery.acked().await;
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

async fn an_id_sent_while_a_consumer_waits_reaches_it(queue: Queue) {
    let mut reader = Reader::of(&queue);
    reader.ask().await;
    let job = ids(1)[0];
    send(&queue, &[(job, Low)]).await.unwrap();
    assert_eq!(reader.take().await.job, job);
}

async fn a_consumer_takes_no_more_than_it_asked_for(queue: Queue) {
    let jobs = ids(3);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
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
    // Its last read may still bring an id; that one goes back at once, while the worker waits for its jobs to end.
    let mut other = Reader::of(&queue);
    let mut seen = BTreeSet::new();
    for _ in &jobs {
        let delivery = other.take().await;
        delivery.acked().await;
        seen.insert(delivery.job);
    }
    assert_eq!(seen, BTreeSet::from_iter(jobs));
    draining.close().await;
}

async fn the_depth_counts_what_waits_by_class(queue: Queue) {
    assert_eq!(queue.depth().await.unwrap(), [(High, 0), (Normal, 0), (Low, 0)]);
    let jobs = ids(5);
    send(&queue, &all(&jobs[..3], Low)).await.unwrap();
    send(&queue, &all(&jobs[3..], High)).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), [(High, 2), (Normal, 0), (Low, 3)]);
}

async fn an_id_that_is_there_is_not_sent_twice(queue: Queue) {
    let job = ids(1)[0];
    let mut reader = Reader::of(&queue);
    assert_eq!(send(&queue, &[(job, Normal)]).await.unwrap(), [Sent]);
    assert_eq!(send(&queue, &[(job, Normal), (job, Normal)]).await.unwrap(), [There, There]);
    let delivery = reader.take().await;
    assert_eq!(send(&queue, &[(job, Normal)]).await.unwrap(), [There], "it is being claimed");
    delivery.acked().await;
    assert_eq!(send(&queue, &[(job, Normal)]).await.unwrap(), [Sent], "a job may come back");
    assert_eq!(waiting(&queue).await, 1);
}

/// So many ready jobs of one user.
fn ready_of(n: u128, class: PriorityClass, count: usize) -> Vec<Ready> {
    ids(count).into_iter().map(|job| Ready { job, user: user(n), class }).collect()
}

fn share(n: u128, class: PriorityClass, held: u64, refusals: u64) -> Share {
    Share { user: user(n), class, held, refusals }
}

async fn a_user_has_a_window_of_each_class_and_no_more(queue: Queue) {
    let (one, other, high) = (ready_of(1, Normal, 4), ready_of(2, Normal, 1), ready_of(1, High, 1));
    let all = [&one[..], &other, &high].concat();
    assert_eq!(queue.offer(&all, 2, Turn::Next).await.unwrap(), [Sent, Sent, Refused, Refused, Sent, Sent]);
    let mut shares = queue.shares().await.unwrap();
    shares.sort_by_key(|share| (share.class, share.user));
    assert_eq!(shares, [share(1, High, 1, 0), share(1, Normal, 2, 1), share(2, Normal, 1, 0)]);
    let mut reader = Reader::of(&queue);
    assert_eq!(reader.take().await.job, high[0].job, "given up without a word");
    let delivery = reader.take().await;
    assert_eq!(delivery.job, one[0].job);
    assert_eq!(queue.offer(&one[2..], 2, Turn::Next).await.unwrap(), [Refused, Refused], "not claimed yet");
    delivery.acked().await;
    assert_eq!(queue.offer(&one[2..], 2, Turn::Next).await.unwrap(), [Sent, Refused]);
}

async fn a_new_job_does_not_overtake_those_that_were_refused(queue: Queue) {
    let jobs = ready_of(1, Normal, 3);
    assert_eq!(queue.offer(&jobs[..2], 1, Turn::Last).await.unwrap(), [Sent, Refused]);
    let mut reader = Reader::of(&queue);
    reader.take().await.acked().await;
    assert_eq!(queue.offer(&jobs[2..], 1, Turn::Last).await.unwrap(), [Refused], "the second one is still to come");
    let known = queue.shares().await.unwrap();
    assert_eq!(known, [share(1, Normal, 0, 2)]);
    assert_eq!(queue.offer(&jobs[1..2], 1, Turn::Next).await.unwrap(), [Sent]);
    // Somebody else's look was before the third one was refused: it must not be overtaken either.
    queue.caught_up(&[share(1, Normal, 0, 1)]).await.unwrap();
    reader.take().await.acked().await;
    let newest = ready_of(1, Normal, 1);
    assert_eq!(queue.offer(&newest, 1, Turn::Last).await.unwrap(), [Refused]);
    queue.caught_up(&[share(1, Normal, 0, 3)]).await.unwrap();
    assert_eq!(queue.offer(&newest, 1, Turn::Last).await.unwrap(), [Sent]);
    assert_eq!(queue.shares().await.unwrap(), [share(1, Normal, 1, 0)]);
}

async fn a_worker_reads_as_many_ids_as_it_has_places(queue: Queue) {
    let jobs = ids(5);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let mut wide = Reader::with_places(&queue, 3);
    let mut held = Vec::new();
    for job in &jobs[..3] {
        held.push(wide.take().await);
        assert_eq!(held.last().unwrap().job, *job);
    }
    wide.ask().await;
    // What the first has no place for is the other's.
    let mut narrow = Reader::of(&queue);
    assert_eq!(narrow.take().await.job, jobs[3]);
    held.clear();
    assert_eq!(wide.take().await.job, jobs[4]);
}

/// Redis keeps a hundred entries together: claims that end early, late and in the middle, over several such.
async fn ids_go_in_whatever_order_they_are_claimed(queue: Queue) {
    const SENT: usize = 450;
    const READ: usize = 350;
    let jobs = ids(SENT);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let mut reader = Reader::with_places(&queue, READ);
    let mut taken = Vec::new();
    for _ in 0..READ {
        taken.push(Some(reader.take().await));
    }
    let mut left = SENT as u64;
    // The middle backwards, the end, then the beginning: all but one.
    let order = (100..250).rev().chain(250..READ).chain(1..100);
    for (n, place) in order.enumerate() {
        let delivery = taken[place].take().unwrap();
        assert_eq!(delivery.job, jobs[place]);
        left -= 1;
        match n % 50 {
            0 => delivery.acked().await,
            _ => delivery.ack(),
        }
    }
    eventually("what was claimed is gone", LIMIT, async || (waiting(&queue).await == left).then_some(())).await;
    // The one that is still being claimed, and those that nobody read, are there and stay there.
    let again = send(&queue, &all(&jobs, Normal)).await.unwrap();
    let there: Vec<_> = again.iter().map(|answer| *answer == There).collect();
    assert_eq!(there, (0..SENT).map(|n| n == 0 || n >= READ).collect::<Vec<_>>());
    taken[0].take().unwrap().acked().await;
    for job in &jobs[READ..] {
        let delivery = reader.take().await;
        assert_eq!(delivery.job, *job);
        delivery.acked().await;
    }
    assert_eq!(waiting(&queue).await, (READ - 1) as u64, "those that were sent again");
}

/// As the test for both, but certain that the id was read: the one in Redis would otherwise come back after 30 s only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_was_read_but_not_picked_up_goes_back_at_once() {
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
        reader.take().await.acked().await;
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
