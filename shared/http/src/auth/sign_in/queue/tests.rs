//! The order in which callers get permits.

use std::pin::Pin;

use futures::future::FutureExt;
use futures::poll;

use super::*;

type Waiting<'q> = Pin<Box<dyn Future<Output = Result<HashPermit, QueueFull>> + Send + 'q>>;

fn unknown(address: u64, account: u64) -> Requester {
    Requester { address, account, known: false }
}

fn known(address: u64, account: u64) -> Requester {
    Requester { address, account, known: true }
}

/// Callers that wait in this order, behind the owner of the only permit.
async fn behind<'q>(queue: &'q HashQueue, callers: &[Requester]) -> Vec<(usize, Waiting<'q>)> {
    let mut waiting: Vec<(usize, Waiting<'q>)> = Vec::new();
    for (n, caller) in callers.iter().enumerate() {
        let mut future: Waiting<'q> = Box::pin(queue.permit(*caller));
        assert!(poll!(&mut future).is_pending(), "the permit is in use");
        waiting.push((n, future));
    }
    waiting
}

/// The order in which the callers are served. Each caller releases its permit at once.
async fn served_order(first: HashPermit, mut waiting: Vec<(usize, Waiting<'_>)>) -> Vec<usize> {
    let (mut served, mut permit) = (Vec::new(), Some(first));
    while !waiting.is_empty() {
        drop(permit.take());
        let at = waiting.iter_mut().position(|(_, future)| match future.now_or_never() {
            Some(result) => {
                permit = Some(result.expect("no caller is evicted"));
                true
            }
            None => false,
        });
        served.push(waiting.remove(at.expect("one caller is next")).0);
    }
    served
}

#[tokio::test]
async fn the_newest_and_the_oldest_caller_of_an_account_alternate() {
    let queue = HashQueue::new(1, 100);
    let permit = queue.permit(unknown(1, 1)).await.unwrap();
    let waiting = behind(&queue, &[unknown(1, 1); 5]).await;
    assert_eq!(served_order(permit, waiting).await, [4, 0, 3, 1, 2]);
}

#[tokio::test]
async fn a_lasting_flood_of_newer_callers_does_not_starve_an_older_one() {
    let queue = HashQueue::new(1, 1_000);
    let mut running = Some(queue.permit(unknown(1, 1)).await.unwrap());
    let mut flood = behind(&queue, &[unknown(1, 1); 3]).await;
    let (_, mut older) = flood.pop().unwrap();
    for _ in 0..10 {
        // Two callers come while one is served.
        flood.extend(behind(&queue, &[unknown(1, 1); 2]).await);
        drop(running.take());
        if (&mut older).now_or_never().is_some() {
            return;
        }
        flood.retain_mut(|(_, caller)| match caller.now_or_never() {
            Some(permit) => {
                running = Some(permit.unwrap());
                false
            }
            None => true,
        });
    }
    panic!("the older caller still waits");
}

#[tokio::test]
async fn addresses_and_their_accounts_are_served_round_robin() {
    let queue = HashQueue::new(1, 100);
    let permit = queue.permit(unknown(1, 1)).await.unwrap();
    let callers = [(1, 1), (1, 1), (1, 2), (1, 2), (2, 1), (3, 1)].map(|(address, account)| unknown(address, account));
    let waiting = behind(&queue, &callers).await;
    assert_eq!(served_order(permit, waiting).await, [1, 4, 5, 3, 0, 2]);
}

#[tokio::test]
async fn a_known_address_waits_for_at_most_one_unknown_address() {
    let queue = HashQueue::new(1, 100);
    let permit = queue.permit(unknown(1, 1)).await.unwrap();
    let mut callers: Vec<_> = (0..20).map(|n| unknown(n, n)).collect();
    callers.push(known(50, 7));
    let waiting = behind(&queue, &callers).await;
    let served = served_order(permit, waiting).await;
    assert!(served.iter().position(|n| *n == 20).unwrap() <= 1, "{served:?}");
}

#[tokio::test]
async fn disconnected_callers_are_skipped_and_no_permit_is_lost() {
    let queue = HashQueue::new(1, 2);
    let permit = queue.permit(unknown(1, 1)).await.unwrap();
    let mut waiting = behind(&queue, &[unknown(1, 1), unknown(2, 2)]).await;
    drop(waiting.remove(1));
    let mut more = behind(&queue, &[unknown(3, 3)]).await;
    drop(permit);
    let first = waiting.remove(0).1.now_or_never().unwrap().unwrap();
    // The next caller gets the permit and disconnects.
    drop(first);
    drop(more.remove(0));
    assert!(queue.permit(unknown(4, 4)).now_or_never().unwrap().is_ok(), "the permit was released");
}

#[tokio::test]
async fn a_full_queue_evicts_the_oldest_caller_of_the_address_with_the_most() {
    let queue = HashQueue::new(1, 3);
    let _permit = queue.permit(unknown(9, 9)).await.unwrap();
    let mut waiting = behind(&queue, &[unknown(1, 1), unknown(1, 1), unknown(2, 2)]).await;
    let _newcomer = behind(&queue, &[unknown(3, 3)]).await;
    assert_eq!(waiting[0].1.as_mut().now_or_never().unwrap().unwrap_err(), QueueFull);
    assert!(poll!(&mut waiting[1].1).is_pending() && poll!(&mut waiting[2].1).is_pending());
    // Each address has one caller now. Only a known address evicts one, from an unknown address.
    assert_eq!(queue.permit(unknown(4, 4)).now_or_never().unwrap().unwrap_err(), QueueFull);
    let _known = behind(&queue, &[known(5, 5)]).await;
    assert_eq!(queue.permit(unknown(6, 6)).now_or_never().unwrap().unwrap_err(), QueueFull);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_after_its_timeout() {
    let queue = HashQueue::new(1, 3);
    let _permit = queue.permit(unknown(1, 1)).await.unwrap();
    assert_eq!(queue.permit(unknown(2, 2)).await.unwrap_err(), QueueFull);
}
