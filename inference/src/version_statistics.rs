//! The statistics of one version since it was loaded: counts and durations, for the statistics extension of the Open
//! Inference Protocol. Prometheus has the same counts, but its recorder can't be read back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum number of batch sizes with statistics of their own, besides 1. The first ones are kept.
const MAX_BATCH_SIZES: usize = 128;

/// The durations of the phases of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phases {
    began: Instant,
    last: Instant,
    queue: Duration,
    input: Duration,
    infer: Duration,
    output: Duration,
}

/// A count with the sum of its durations.
#[derive(Debug, Default)]
pub(crate) struct Timed {
    count: AtomicU64,
    ns: AtomicU64,
}

/// The statistics of the computation, of all requests or of one batch size.
#[derive(Debug, Default)]
pub(crate) struct ComputeStatistics {
    /// Reading the request.
    pub(crate) input: Timed,
    /// Predicting.
    pub(crate) infer: Timed,
    /// Writing the response.
    pub(crate) output: Timed,
}

/// The statistics of a version.
#[derive(Debug)]
pub(crate) struct VersionStatistics {
    since: Instant,
    /// Answered requests.
    pub(crate) success: Timed,
    /// Refused requests.
    pub(crate) fail: Timed,
    /// Waiting for a thread.
    pub(crate) queue: Timed,
    /// All answered requests.
    pub(crate) compute: ComputeStatistics,
    rows: AtomicU64,
    /// The time of the last answered request, in nanoseconds after `since`; 0 without a request.
    last_inference_ns: AtomicU64,
    /// Requests with one row, the most frequent batch size.
    single: ComputeStatistics,
    batches: Mutex<BTreeMap<usize, ComputeStatistics>>,
}

impl Phases {
    /// The phases of a request that began at this time.
    pub(crate) fn new(began: Instant) -> Self {
        let zero = Duration::ZERO;
        Self { began, last: began, queue: zero, input: zero, infer: zero, output: zero }
    }

    /// The request has waited until now.
    #[must_use]
    pub(crate) fn queued(mut self) -> Self {
        let lap = self.lap();
        self.queue += lap;
        self
    }

    /// The request has been read.
    pub(crate) fn input_done(&mut self) {
        let lap = self.lap();
        self.input += lap;
    }

    /// The rows have been predicted.
    pub(crate) fn infer_done(&mut self) {
        let lap = self.lap();
        self.infer += lap;
    }

    /// The response has been written.
    pub(crate) fn output_done(&mut self) {
        let lap = self.lap();
        self.output += lap;
    }

    /// Time from the begin of the request to the end of its last phase.
    pub(crate) fn total(&self) -> Duration {
        self.last - self.began
    }

    /// The end of the last phase.
    pub(crate) fn end(&self) -> Instant {
        self.last
    }

    /// Time since the request began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.last, now))
    }
}

impl Timed {
    fn add(&self, duration: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.ns.fetch_add(nanos(duration), Ordering::Relaxed);
    }

    /// The count, and the sum of the durations in nanoseconds.
    pub(crate) fn get(&self) -> (u64, u64) {
        (self.count.load(Ordering::Relaxed), self.ns.load(Ordering::Relaxed))
    }
}

impl ComputeStatistics {
    fn add(&self, phases: &Phases) {
        self.input.add(phases.input);
        self.infer.add(phases.infer);
        self.output.add(phases.output);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl VersionStatistics {
    /// No requests of a version that was loaded at `since`.
    pub(crate) fn new(since: Instant) -> Self {
        Self {
            since,
            success: Timed::default(),
            fail: Timed::default(),
            queue: Timed::default(),
            compute: ComputeStatistics::default(),
            rows: AtomicU64::new(0),
            last_inference_ns: AtomicU64::new(0),
            single: ComputeStatistics::default(),
            batches: Mutex::default(),
        }
    }

    /// Records an answered request of `rows` rows, whose last phase has ended.
    pub(crate) fn record_success(&self, rows: usize, phases: &Phases) {
        self.success.add(phases.total());
        self.queue.add(phases.queue);
        self.compute.add(phases);
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        let now_ns = nanos(phases.end().saturating_duration_since(self.since)).max(1);
        self.last_inference_ns.fetch_max(now_ns, Ordering::Relaxed);
        if rows == 1 {
            return self.single.add(phases);
        }
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        if batches.len() < MAX_BATCH_SIZES || batches.contains_key(&rows) {
            batches.entry(rows).or_default().add(phases);
        }
    }

    /// Records a refused request.
    pub(crate) fn record_refusal(&self, took: Duration) {
        self.fail.add(took);
    }

    /// The number of predicted rows.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// How long before `now` the last request was answered; `None` without a request.
    pub(crate) fn since_last_inference(&self, now: Instant) -> Option<Duration> {
        let last_ns = self.last_inference_ns.load(Ordering::Relaxed);
        (last_ns > 0).then(|| now.saturating_duration_since(self.since + Duration::from_nanos(last_ns)))
    }

    /// Calls `read` for each batch size with requests, in ascending order.
    pub(crate) fn batches<T>(&self, mut read: impl FnMut(usize, &ComputeStatistics) -> T) -> Vec<T> {
        let single = (self.single.infer.get().0 > 0).then(|| read(1, &self.single));
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        single.into_iter().chain(batches.iter().map(|(size, statistics)| read(*size, statistics))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_batch_size_up_to_a_limit() {
        let began = Instant::now();
        let statistics = VersionStatistics::new(began);
        assert_eq!(statistics.since_last_inference(began), None);
        let ns = Duration::from_nanos;
        let phases = Phases { last: began + ns(10), input: ns(3), infer: ns(5), ..Phases::new(began) };
        for rows in [4, 1, 4, 1, 1] {
            statistics.record_success(rows, &phases);
        }
        statistics.record_refusal(ns(7));
        assert_eq!((statistics.success.get(), statistics.fail.get()), ((5, 50), (1, 7)));
        assert_eq!((statistics.rows(), statistics.since_last_inference(began + ns(1_244))), (11, Some(ns(1_234))));
        let sizes = statistics.batches(|size, batch| (size, batch.infer.get()));
        assert_eq!(sizes, [(1, (3, 15)), (4, (2, 10))]);
        for rows in 5..400 {
            statistics.record_success(rows, &phases);
        }
        assert_eq!(statistics.batches(|size, _| size).len(), 1 + MAX_BATCH_SIZES);
        assert_eq!(statistics.compute.input.get(), (400, 1_200), "all requests count in the sums");
    }
}
