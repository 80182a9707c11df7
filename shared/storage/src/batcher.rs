//! Batched calls: concurrent calls share one transaction (group commit).
//!
//! Calls that arrive while a batch runs form the next batch. A single call runs at once. No call joins a batch that has
//! already started.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::error::{Result, StorageError};

/// Batches calls with a request `Q` and a response `A`. Clones share the batches; dropping the last clone stops the task.
pub struct Batcher<Q, A>(mpsc::Sender<Call<Q, A>>);

struct Call<Q, A> {
    request: Q,
    response: oneshot::Sender<Result<A>>,
}

/// Minimum size of a second concurrent batch, which must also be as large as the first. A second batch uses the CPU while
/// the first waits for the disk. Without a minimum both batches would stay small.
const MIN_SECOND_BATCH: usize = 16;
/// Maximum number of concurrent batches.
const MAX_BATCHES: usize = 2;

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Starts a task that runs `batch` with up to `max` requests. `batch` returns one response for each request, in order.
    /// An error of `batch` is returned to all its calls. Requires a Tokio runtime.
    pub fn start<F, Batch>(max: usize, batch: F) -> Self
    where
        F: Fn(Vec<Q>) -> Batch + Send + 'static,
        Batch: Future<Output = Result<Vec<A>>> + Send + 'static,
    {
        let (calls, arriving) = mpsc::channel(max.max(1));
        tokio::spawn(serve(arriving, batch, max.max(1)));
        Self(calls)
    }

    /// Runs a request in a batch. Dropping the future does not cancel the request.
    pub async fn call(&self, request: Q) -> Result<A> {
        let (response, received) = oneshot::channel();
        let gone = || StorageError::Other("the task of this batcher has ended".into());
        self.0.send(Call { request, response }).await.map_err(|_| gone())?;
        received.await.map_err(|_| gone())?
    }
}

async fn serve<Q, A, F, Batch>(mut arriving: mpsc::Receiver<Call<Q, A>>, batch: F, max: usize)
where
    Q: Send + 'static,
    A: Send + 'static,
    F: Fn(Vec<Q>) -> Batch + Send + 'static,
    Batch: Future<Output = Result<Vec<A>>> + Send + 'static,
{
    let (mut waiting, mut batches, mut running) = (Vec::new(), JoinSet::new(), 0);
    loop {
        let room = max - waiting.len();
        tokio::select! {
            arrived = arriving.recv_many(&mut waiting, room), if room > 0 => {
                if arrived == 0 {
                    // All callers are gone. Running batches still answer their calls.
                    return batches.detach_all();
                }
                // Let other ready tasks send their calls.
                tokio::task::yield_now().await;
                while waiting.len() < max && let Ok(call) = arriving.try_recv() {
                    waiting.push(call);
                }
            }
            Some(finished) = batches.join_next() => running -= finished.unwrap_or(0),
        }
        let enough = if batches.is_empty() { 1 } else { running.max(MIN_SECOND_BATCH).min(max) };
        if batches.len() < MAX_BATCHES && waiting.len() >= enough {
            let calls = std::mem::take(&mut waiting);
            let size = calls.len();
            let (requests, responses) = calls.into_iter().map(|call| (call.request, call.response)).unzip();
            let batch = respond(responses, batch(requests));
            batches.spawn(async move {
                batch.await;
                size
            });
            running += size;
        }
    }
}

/// Runs a batch and sends the responses to the callers.
async fn respond<A: Send + 'static>(
    to: Vec<oneshot::Sender<Result<A>>>,
    batch: impl Future<Output = Result<Vec<A>>> + Send + 'static,
) {
    // In a separate task, so that a panic becomes an error.
    let result = tokio::spawn(batch).await.unwrap_or_else(|died| Err(StorageError::Other(died.into())));
    match result {
        Ok(result) => to.into_iter().zip(result).for_each(|(to, response)| drop(to.send(Ok(response)))),
        Err(error) => {
            let error = Arc::new(error);
            to.into_iter().for_each(|to| drop(to.send(Err(StorageError::shared(&error)))));
        }
    }
}

impl<Q, A> Clone for Batcher<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, A> fmt::Debug for Batcher<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batcher")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn calls_that_wait_for_a_batch_form_the_next_one() {
        let (batches, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let doubling = Batcher::start(100, {
            let (batches, gate) = (Arc::clone(&batches), Arc::clone(&gate));
            move |requests: Vec<u64>| {
                let (batches, gate) = (Arc::clone(&batches), Arc::clone(&gate));
                async move {
                    batches.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                    Ok(requests.into_iter().map(|n| n * 2).collect())
                }
            }
        });
        let calls: Vec<_> = (0..50)
            .map(|n| {
                let doubling = doubling.clone();
                tokio::spawn(async move { doubling.call(n).await })
            })
            .collect();
        gate.add_permits(50);
        for (n, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap().unwrap(), n * 2);
        }
        assert!(batches.load(Ordering::SeqCst) < 10, "{batches:?} batches for 50 calls");
    }

    #[tokio::test]
    async fn a_second_batch_is_as_large_as_the_first() {
        let (batches, gate) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Semaphore::new(0)));
        let slow = Batcher::start(100, {
            let (batches, gate) = (Arc::clone(&batches), Arc::clone(&gate));
            move |requests: Vec<usize>| {
                let gate = Arc::clone(&gate);
                batches.lock().unwrap().push(requests.len());
                async move {
                    gate.acquire().await.unwrap().forget();
                    Ok(requests)
                }
            }
        });
        let call = |n| {
            let slow = slow.clone();
            tokio::spawn(async move { slow.call(n).await })
        };
        // All tasks share one thread, so each has run after enough yields.
        let batch_sizes = async || {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            batches.lock().unwrap().clone()
        };
        let mut calls = vec![call(0)];
        assert_eq!(batch_sizes().await, [1], "a single call runs at once");
        calls.extend((1..MIN_SECOND_BATCH).map(call));
        assert_eq!(batch_sizes().await, [1], "too few calls for a second batch");
        calls.push(call(MIN_SECOND_BATCH));
        assert_eq!(batch_sizes().await, [1, MIN_SECOND_BATCH]);
        calls.extend((0..MIN_SECOND_BATCH).map(call));
        assert_eq!(batch_sizes().await, [1, MIN_SECOND_BATCH], "no third batch");
        calls.extend((0..MIN_SECOND_BATCH).map(call));
        gate.add_permits(1);
        assert_eq!(
            batch_sizes().await,
            [1, MIN_SECOND_BATCH, 2 * MIN_SECOND_BATCH],
            "the next batch has all waiting calls"
        );
        gate.add_permits(1);
        calls.extend((1..2 * MIN_SECOND_BATCH).map(call));
        assert_eq!(
            batch_sizes().await,
            [1, MIN_SECOND_BATCH, 2 * MIN_SECOND_BATCH],
            "fewer calls than the running batch"
        );
        calls.push(call(0));
        assert_eq!(batch_sizes().await, [1, MIN_SECOND_BATCH, 2 * MIN_SECOND_BATCH, 2 * MIN_SECOND_BATCH]);
        gate.add_permits(2);
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn an_error_and_a_panic_fail_only_their_own_batch() {
        let failing = Batcher::start(1, |requests: Vec<u8>| async move {
            match requests[0] {
                0 => Err(StorageError::Unavailable("away".into())),
                1 => panic!("a defect"),
                n => Ok(vec![n]),
            }
        });
        assert!(failing.call(0).await.unwrap_err().is_retryable());
        assert!(!failing.call(1).await.unwrap_err().is_retryable());
        assert_eq!(failing.call(7).await.unwrap(), 7);
    }
}
