//! The order in which callers get the processors.

use std::pin::Pin;

use futures::future::FutureExt;
use futures::poll;

use super::*;

type Waiting<'q> = Pin<Box<dyn Future<Output = Result<HashSlot, QueueFull>> + Send + 'q>>;

fn stranger(address: u64, account: u64) -> Requester {
    Requester { address, account, known: false }
}

fn known(address: u64, account: u64) -> Requester {
    Requester { address, account, known: true }
}

/// A queue whose only slot is taken, and callers that came in this order.
async fn behind<'q>(queue: &'q HashQueue, callers: &[Requester]) -> Vec<(usize, Waiting<'q>)> {
    let mut waiting: Vec<(usize, Waiting<'q>)> = Vec::new();
    for (n, caller) in callers.iter().enumerate() {
        let mut future: Waiting<'q> = Box::pin(queue.slot(*caller));
        assert!(poll!(&mut future).is_pending(), "the slot is taken");
        waiting.push((n, future));
    }
    waiting
}

/// The order in which they are served, each giving its slot back at once.
async fn order(first: HashSlot, mut waiting: Vec<(usize, Waiting<'_>)>) -> Vec<usize> {
    let (mut served, mut held) = (Vec::new(), Some(first));
    while !waiting.is_empty() {
        drop(held.take());
        let at = waiting.iter_mut().position(|(_, future)| match future.now_or_never() {
            Some(slot) => {
                held = Some(slot.expect("nobody is pushed out"));
                true
            }
            None => false,
        });
        served.push(waiting.remove(at.expect("somebody is next")).0);
    }
    served
}

#[tokio::test]
async fn the_newest_of_an_account_goes_first_and_then_the_oldest() {
    let queue = HashQueue::new(1, 100);
    let slot = queue.slot(stranger(1, 1)).await.unwrap();
    let waiting = behind(&queue, &[stranger(1, 1); 5]).await;
    assert_eq!(order(slot, waiting).await, [4, 0, 3, 1, 2]);
}

#[tokio::test]
async fn a_lasting_flood_of_newer_callers_does_not_starve_an_older_one() {
    let queue = HashQueue::new(1, 1_000);
    let mut running = Some(queue.slot(stranger(1, 1)).await.unwrap());
    let mut flood = behind(&queue, &[stranger(1, 1); 3]).await;
    let (_, mut older) = flood.pop().unwrap();
    for _ in 0..10 {
        // Two callers come while one is served.
        flood.extend(behind(&queue, &[stranger(1, 1); 2]).await);
        drop(running.take());
        if (&mut older).now_or_never().is_some() {
            return;
        }
        flood.retain_mut(|(_, caller)| match caller.now_or_never() {
            Some(slot) => {
                running = Some(slot.unwrap());
                false
            }
            None => true,
        });
    }
    panic!("the older caller still waits");
}

#[tokio::test]
async fn addresses_take_turns_and_within_one_its_accounts_do() {
    let queue = HashQueue::new(1, 100);
    let slot = queue.slot(stranger(1, 1)).await.unwrap();
    let callers = [(1, 1), (1, 1), (1, 2), (1, 2), (2, 1), (3, 1)].map(|(address, account)| stranger(address, account));
    let waiting = behind(&queue, &callers).await;
    assert_eq!(order(slot, waiting).await, [1, 4, 5, 3, 0, 2]);
}

#[tokio::test]
async fn a_known_address_waits_for_one_stranger_at_most() {
    let queue = HashQueue::new(1, 100);
    let slot = queue.slot(stranger(1, 1)).await.unwrap();
    let mut callers: Vec<_> = (0..20).map(|n| stranger(n, n)).collect();
    callers.push(known(50, 7));
    let waiting = behind(&queue, &callers).await;
    let served = order(slot, waiting).await;
    assert!(served.iter().position(|n| *n == 20).unwrap() <= 1, "{served:?}");
}

#[tokio::test]
async fn who_has_left_is_passed_over_and_a_slot_is_never_lost() {
    let queue = HashQueue::new(1, 2);
    let slot = queue.slot(stranger(1, 1)).await.unwrap();
    let mut waiting = behind(&queue, &[stranger(1, 1), stranger(2, 2)]).await;
    drop(waiting.remove(1));
    let mut more = behind(&queue, &[stranger(3, 3)]).await;
    drop(slot);
    let first = waiting.remove(0).1.now_or_never().unwrap().unwrap();
    // Given to a caller that leaves before it looks.
    drop(first);
    drop(more.remove(0));
    assert!(queue.slot(stranger(4, 4)).now_or_never().unwrap().is_ok(), "the slot came back");
}

#[tokio::test]
async fn a_full_queue_drops_the_oldest_of_the_busiest_address() {
    let queue = HashQueue::new(1, 3);
    let _slot = queue.slot(stranger(9, 9)).await.unwrap();
    let mut waiting = behind(&queue, &[stranger(1, 1), stranger(1, 1), stranger(2, 2)]).await;
    let _newcomer = behind(&queue, &[stranger(3, 3)]).await;
    assert_eq!(waiting[0].1.as_mut().now_or_never().unwrap().unwrap_err(), QueueFull);
    assert!(poll!(&mut waiting[1].1).is_pending() && poll!(&mut waiting[2].1).is_pending());
    // All have one place each now: a stranger gets none, a known address takes a stranger's.
    assert_eq!(queue.slot(stranger(4, 4)).now_or_never().unwrap().unwrap_err(), QueueFull);
    let _known = behind(&queue, &[known(5, 5)]).await;
    assert_eq!(queue.slot(stranger(6, 6)).now_or_never().unwrap().unwrap_err(), QueueFull);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let queue = HashQueue::new(1, 3);
    let _slot = queue.slot(stranger(1, 1)).await.unwrap();
    assert_eq!(queue.slot(stranger(2, 2)).await.unwrap_err(), QueueFull);
}
