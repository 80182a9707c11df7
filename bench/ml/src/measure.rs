//! Seconds and memory of this process.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

/// A prediction is repeated for at least this long, and ends after the second.
const TIMED: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(3)];
/// Number of repetitions that are enough for a median.
const MIN_PASSES: usize = 5;

/// The memory of this process from one moment on.
pub(crate) struct Memory {
    before_mb: f64,
}

impl Memory {
    /// Resets the peak of the process.
    pub(crate) fn start() -> anyhow::Result<Self> {
        std::fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak memory")?;
        Ok(Self { before_mb: status_mb("VmRSS:")? })
    }

    /// The peak since the start, as growth and in total, in MB.
    pub(crate) fn peak_mb(&self) -> anyhow::Result<[f64; 2]> {
        let peak = status_mb("VmHWM:")?;
        Ok([(peak - self.before_mb).max(0.0), peak])
    }
}

/// A line of the process status, in MB.
fn status_mb(name: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

/// The median microseconds per item of a function that works on all items.
pub(crate) fn microseconds(items: usize, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    work()?;
    let (start, mut passes) = (Instant::now(), Vec::new());
    while start.elapsed() < TIMED[0] || (passes.len() < MIN_PASSES && start.elapsed() < TIMED[1]) {
        let pass = Instant::now();
        work()?;
        passes.push(pass.elapsed());
    }
    passes.sort_unstable();
    Ok(passes[passes.len() / 2].as_secs_f64() * 1e6 / items.max(1) as f64)
}

/// Writes numbers in little-endian order.
pub(crate) fn write(path: &Path, numbers: impl Iterator<Item = f64>) -> anyhow::Result<()> {
    let bytes: Vec<u8> = numbers.flat_map(f64::to_le_bytes).collect();
    std::fs::write(path, bytes).with_context(|| path.display().to_string())
}
