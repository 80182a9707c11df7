//! Calls that come at the same time share one visit to the database: one transaction, one commit, a few statements.
//!
//! While a visit is under way, the calls that arrive gather and make the next one (group commit, as databases do it
//! within themselves). A lone call waits for nothing, and a call is never answered from a visit that began before it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::error::{Result, StorageError};

/// Gathers calls that ask a `Q` and are answered an `A`. Clones gather together; the last one to go ends it.
pub struct Coalesce<Q, A>(mpsc::Sender<Call<Q, A>>);

struct Call<Q, A> {
    question: Q,
    answer: oneshot::Sender<Result<A>>,
}

/// While a visit is under way, a second one begins for as many calls as that has, but no fewer than these: the processors
/// are busy while the first waits for the disk, and each carries its share of what a visit costs by itself. With a second
/// one for any few, both would stay small.
const CROWD: usize = 16;
/// Visits under way at the same time.
const MAX_VISITS: usize = 2;

impl<Q: Send + 'static, A: Send + 'static> Coalesce<Q, A> {
    /// Answers calls with `visit`, which gets up to `max` questions and gives as many answers, in their order. Its error
    /// is the answer to each of them. Call it within a Tokio runtime.
    pub fn start<F, Visit>(max: usize, visit: F) -> Self
    where
        F: Fn(Vec<Q>) -> Visit + Send + 'static,
        Visit: Future<Output = Result<Vec<A>>> + Send + 'static,
    {
        let (calls, arriving) = mpsc::channel(max.max(1));
        tokio::spawn(serve(arriving, visit, max.max(1)));
        Self(calls)
    }

    /// Asks, together with whoever else asks now. Dropping the future takes nothing back: a change that was asked for may
    /// happen or not.
    ///
    /// # Errors
    /// As the visit.
    pub async fn call(&self, question: Q) -> Result<A> {
        let (answer, answered) = oneshot::channel();
        let gone = || StorageError::Other("the task that serves this call has ended".into());
        self.0.send(Call { question, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn serve<Q, A, F, Visit>(mut arriving: mpsc::Receiver<Call<Q, A>>, visit: F, max: usize)
where
    Q: Send + 'static,
    A: Send + 'static,
    F: Fn(Vec<Q>) -> Visit + Send + 'static,
    Visit: Future<Output = Result<Vec<A>>> + Send + 'static,
{
    let (mut waiting, mut visits, mut under_way) = (Vec::new(), JoinSet::new(), 0);
    loop {
        let room = max - waiting.len();
        tokio::select! {
            arrived = arriving.recv_many(&mut waiting, room), if room > 0 => {
                if arrived == 0 {
                    // Nobody is left to ask; whoever asked before is answered by the visits that go on.
                    return visits.detach_all();
                }
                // Whoever else is about to ask gets to.
                tokio::task::yield_now().await;
                while waiting.len() < max && let Ok(call) = arriving.try_recv() {
                    waiting.push(call);
                }
            }
            Some(answered) = visits.join_next() => under_way -= answered.unwrap_or(0),
        }
        let enough = if visits.is_empty() { 1 } else { under_way.max(CROWD).min(max) };
        if visits.len() < MAX_VISITS && waiting.len() >= enough {
            let calls = std::mem::take(&mut waiting);
            let size = calls.len();
            let (questions, answers) = calls.into_iter().map(|call| (call.question, call.answer)).unzip();
            let visit = answer(answers, visit(questions));
            visits.spawn(async move {
                visit.await;
                size
            });
            under_way += size;
        }
    }
}

/// Makes a visit and hands out what it gives.
async fn answer<A: Send + 'static>(
    to: Vec<oneshot::Sender<Result<A>>>,
    visit: impl Future<Output = Result<Vec<A>>> + Send + 'static,
) {
    // In a task of its own, so that a panic is an answer too.
    let given = tokio::spawn(visit).await.unwrap_or_else(|died| Err(StorageError::Other(died.into())));
    match given {
        Ok(given) => to.into_iter().zip(given).for_each(|(to, answer)| drop(to.send(Ok(answer)))),
        Err(error) => {
            let error = Arc::new(error);
            to.into_iter().for_each(|to| drop(to.send(Err(StorageError::shared(&error)))));
        }
    }
}

impl<Q, A> Clone for Coalesce<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, A> fmt::Debug for Coalesce<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Coalesce")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn calls_that_wait_for_a_batch_make_the_next_one() {
        let (visits, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let doubling = Coalesce::start(100, {
            let (visits, gate) = (Arc::clone(&visits), Arc::clone(&gate));
            move |questions: Vec<u64>| {
                let (visits, gate) = (Arc::clone(&visits), Arc::clone(&gate));
                async move {
                    visits.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                    Ok(questions.into_iter().map(|n| n * 2).collect())
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
        assert!(visits.load(Ordering::SeqCst) < 10, "{visits:?} visits for 50 calls");
    }

    #[tokio::test]
    async fn a_second_visit_takes_a_crowd_as_large_as_the_first() {
        let (visits, gate) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Semaphore::new(0)));
        let slow = Coalesce::start(100, {
            let (visits, gate) = (Arc::clone(&visits), Arc::clone(&gate));
            move |questions: Vec<usize>| {
                let gate = Arc::clone(&gate);
                visits.lock().unwrap().push(questions.len());
                async move {
                    gate.acquire().await.unwrap().forget();
                    Ok(questions)
                }
            }
        });
        let ask = |n| {
            let slow = slow.clone();
            tokio::spawn(async move { slow.call(n).await })
        };
        // One thread runs all of them in turn: after a round of turns, whatever can happen has.
        let settle = async || {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            visits.lock().unwrap().clone()
        };
        let mut calls = vec![ask(0)];
        assert_eq!(settle().await, [1], "a lone call waits for nobody");
        calls.extend((1..CROWD).map(ask));
        assert_eq!(settle().await, [1], "too few for a visit of their own");
        calls.push(ask(CROWD));
        assert_eq!(settle().await, [1, CROWD]);
        calls.extend((0..CROWD).map(ask));
        assert_eq!(settle().await, [1, CROWD], "no third one");
        calls.extend((0..CROWD).map(ask));
        gate.add_permits(1);
        assert_eq!(settle().await, [1, CROWD, 2 * CROWD], "all that came meanwhile, when one is through");
        gate.add_permits(1);
        calls.extend((1..2 * CROWD).map(ask));
        assert_eq!(settle().await, [1, CROWD, 2 * CROWD], "fewer than the one under way has");
        calls.push(ask(0));
        assert_eq!(settle().await, [1, CROWD, 2 * CROWD, 2 * CROWD]);
        gate.add_permits(2);
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn an_error_and_a_panic_fail_their_own_batch_alone() {
        let moody = Coalesce::start(1, |questions: Vec<u8>| async move {
            match questions[0] {
                0 => Err(StorageError::Unavailable("away".into())),
                1 => panic!("a defect"),
                n => Ok(vec![n]),
            }
        });
        assert!(moody.call(0).await.unwrap_err().is_retryable());
        assert!(!moody.call(1).await.unwrap_err().is_retryable());
        assert_eq!(moody.call(7).await.unwrap(), 7);
    }
}
