//! Runs an expensive query beside the rounds, one at a time. The pause after each run is a multiple of its duration, so the
//! query uses a bounded share of the database.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// The time between two starts, in multiples of the duration.
const PAUSE_FACTOR: u32 = 20;

/// Repeated work.
pub(super) struct Throttled<T> {
    work: Option<AbortOnDropHandle<(Instant, T)>>,
    next: Option<Instant>,
}

impl<T> Default for Throttled<T> {
    fn default() -> Self {
        Self { work: None, next: None }
    }
}

impl<T: Send + 'static> Throttled<T> {
    /// Returns the result of work that has ended since the last poll. Starts the work again after `every` and its pause.
    pub(super) async fn poll<W>(&mut self, every: Duration, work: impl FnOnce() -> W) -> Option<T>
    where
        W: Future<Output = T> + Send + 'static,
    {
        let mut answer = None;
        if let Some(ended) = self.work.take_if(|work| work.is_finished()) {
            let started = self.next.take();
            // The panic hook has logged a panic.
            if let (Ok((ended, result)), Some(started)) = (ended.await, started) {
                self.next = Some(started + every.max((ended - started) * PAUSE_FACTOR));
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
    async fn the_pause_depends_on_the_duration() {
        let mut throttled = Throttled::default();
        let (end, ended) = oneshot::channel::<()>();
        let first = async {
            let _ = ended.await;
            1
        };
        assert_eq!(throttled.poll(Duration::ZERO, || first).await, None);
        assert_eq!(throttled.poll(Duration::ZERO, || async { 2 }).await, None, "one at a time, without waiting");
        let slow = Duration::from_secs(50);
        tokio::time::advance(slow).await;
        end.send(()).unwrap();
        let limit = slow * PAUSE_FACTOR * 2;
        let answer =
            eventually("the work has ended", limit, async || throttled.poll(Duration::ZERO, || async { 2 }).await)
                .await;
        assert_eq!(answer, 1);
        assert!(throttled.work.is_none(), "the work pauses");
        let paused = Instant::now();
        eventually("the work runs again", limit, async || throttled.poll(Duration::ZERO, || async { 2 }).await).await;
        assert!(paused.elapsed() >= slow * (PAUSE_FACTOR - 1), "{:?}", paused.elapsed());
    }
}
