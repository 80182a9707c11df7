//! Drift: compares the rows that a version has predicted recently with the distributions of its training.
//!
//! ```text
//! predict ─▶ BinCounts (atomic counters since the load) ─▶ Window (a snapshot every twelfth) ─▶ DriftReport (PSI)
//!                                                              Monitor ─▶ gauges ◀──────────────────┤
//!                                                              GET /inference/drift ◀───────────────┘
//! ```
//! A request only adds to counters. The rows of the window are the counters now, minus their snapshot at its start.

#[cfg(test)]
mod allocation_tests;
mod bin_names;
mod counts;
mod monitor;
mod report;
mod window;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use trainyard_ml::model::Distributions;

use counts::BinCounts;
use window::Window;

pub(crate) use bin_names::{MAX_NAME_CHARS, OTHER, bin_names};
pub(crate) use monitor::Monitor;
pub(crate) use report::{ColumnDrift, DriftReport};

/// Settings of the drift measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DriftSettings {
    /// The length of the window.
    pub(crate) window: Duration,
    /// Minimum number of rows for a PSI.
    pub(crate) min_rows: u64,
    /// Maximum number of features with a gauge, per version.
    pub(crate) max_features: usize,
}

/// The rows of one version by bin: since it was loaded, and in the window.
pub(crate) struct Drift {
    counts: BinCounts,
    window: Mutex<Window>,
}

/// The rows of the window.
pub(crate) struct Recent {
    /// The length of the window; shorter than the setting after the version was loaded.
    pub(crate) length: Duration,
    /// The rows of each bin, by column.
    pub(crate) columns: Vec<Vec<u64>>,
}

impl Drift {
    /// No rows of a version that was loaded at `now`.
    pub(crate) fn new(distributions: &Distributions, now: Instant) -> Self {
        let all = distributions.features.iter().chain([&distributions.predictions]);
        let counts = BinCounts::new(all.map(|distribution| distribution.rows.len()));
        let window = Mutex::new(Window::new(now, counts.read()));
        Self { counts, window }
    }

    /// The memory of the counters with all snapshots of a full window, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.counts.memory_bytes() * (1 + window::MAX_SNAPSHOTS)
    }

    /// Adds rows to a bin of a column.
    pub(crate) fn count(&self, column: usize, bin: usize, rows: u32) {
        self.counts.add(column, bin, rows.into());
    }

    /// The rows of the last `length`, up to a twelfth of it less.
    pub(crate) fn recent(&self, now: Instant, length: Duration) -> Recent {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that no snapshot is newer than the counters.
        let counts = self.counts.read();
        window.advance(now, length, &counts);
        let (start, length) = window.start(now);
        let columns = self.counts.columns().map(|bins| bins.map(|bin| counts[bin] - start[bin]).collect());
        Recent { length, columns: columns.collect() }
    }
}
