//! Duties that read much: each runs beside the rounds, one at a time, and rests for many times as long as it took, so
//! that a long queue slows measuring down and not the queue.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// From one start to the next pass this many times what the work took.
const REST: u32 = 20;

/// Work that comes round.
pub(super) struct Paced<T> {
    work: Option<AbortOnDropHandle<(Instant, T)>>,
    next: Option<Instant>,
}

impl<T> Default for Paced<T> {
    fn default() -> Self {
        Self { work: None, next: None }
    }
}

impl<T: Send + 'static> Paced<T> {
    /// What came of work that has ended since the last turn. Starts it anew when `every` has passed since its last
    /// start, and its rest is over.
    pub(super) async fn turn<W>(&mut self, every: Duration, work: impl FnOnce() -> W) -> Option<T>
    where
        W: Future<Output = T> + Send + 'static,
    {
        let mut answer = None;
        if let Some(ended) = self.work.take_if(|work| work.is_finished()) {
            let started = self.next.take();
            // Work that panicked has told so itself.
            if let (Ok((ended, result)), Some(started)) = (ended.await, started) {
                self.next = Some(started + every.max((ended - started) * REST));
                answer = Some(result);
            }
        }
        if self.work.is_none() && self.next.is_none_or(|at| at <= Instant::now()) {
            let work = work();
            self.next = Some(Instant::now());
            self.work = Some(AbortOnDropHandle::new(tokio::spawn(async move {
                let result = work.await;
                (Instant::now(), result)
            })));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use trainyard_testkit::eventually;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_runs_beside_the_rounds_and_rests_by_what_it_took() {
        let mut paced = Paced::default();
        let (end, ended) = oneshot::channel::<()>();
        let first = async {
            let _ = ended.await;
            1
        };
        assert_eq!(paced.turn(Duration::ZERO, || first).await, None);
        assert_eq!(paced.turn(Duration::ZERO, || async { 2 }).await, None, "one at a time, and nobody waits for it");
        let slow = Duration::from_secs(50);
        tokio::time::advance(slow).await;
        end.send(()).unwrap();
        let limit = slow * REST * 2;
        let answer = eventually("it has ended", limit, async || paced.turn(Duration::ZERO, || async { 2 }).await).await;
        assert_eq!(answer, 1);
        assert!(paced.work.is_none(), "it rests");
        let rested = Instant::now();
        eventually("it runs again", limit, async || paced.turn(Duration::ZERO, || async { 2 }).await).await;
        assert!(rested.elapsed() >= slow * (REST - 1), "{:?}", rested.elapsed());
    }
}
