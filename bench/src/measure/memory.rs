//! Redis memory: bytes per queued job, and bytes that remain after all jobs have finished.

use std::time::{Duration, Instant};

use super::Bench;
use crate::load::pause;
use crate::report::{Goal, Section, TRAINYARD};
use crate::trainyard::{NOOP_JOB, Trainyard};

const FILL_LIMIT: Duration = Duration::from_secs(90);
const DRAIN_LIMIT: Duration = Duration::from_secs(300);
const MAX_BYTES: f64 = 200.0;
/// Maximum share of the growth that may remain: consumer groups of empty streams, script cache, append-only buffer.
const MAX_REMAINING: f64 = 0.05;
/// Enqueues all jobs. By default only a window of each user's jobs is in Redis.
const UNLIMITED_WINDOW: [(&str, &str); 3] = [
    ("TRAINYARD__SWEEP__DISPATCH_WINDOW", "10000000"),
    ("TRAINYARD__SWEEP__DISPATCH_BATCH", "10000000"),
    ("TRAINYARD__WORKER__CONCURRENCY", "64"),
];

/// Measures only Trainyard.
///
/// # Errors
/// If Trainyard does not start or does not finish the jobs.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let jobs = bench.sized(100_000, 20_000);
    let how = format!(
        "Path: dispatch, claim and finish of no-op jobs. `used_memory` of Redis: before any Trainyard process has connected, with {jobs} queued no-op jobs (and an API \
        process connected), and after a worker has finished all jobs and both processes have stopped. By default only a \
        window of each user's jobs is in Redis; here the window is unlimited, so that every job has an entry."
    );
    let mut section = Section { title: "Redis memory of queued jobs", how, ..Section::default() };
    if !bench.selects(TRAINYARD) {
        return Ok(section);
    }
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &UNLIMITED_WINDOW)?;
    trainyard.fill(NOOP_JOB, jobs, &[])?;
    bench.servers.flush_redis()?;
    let before = bench.servers.redis_memory()?;
    let api = trainyard.start("api")?;
    let deadline = Instant::now() + FILL_LIMIT;
    while bench.servers.redis_entries()? < jobs && Instant::now() < deadline {
        pause(Duration::from_millis(500));
    }
    let (entries, full) = (bench.servers.redis_entries()?, bench.servers.redis_memory()?);
    let (worker, counted) = trainyard.start_counted()?;
    let done = counted.progress().rate(jobs as f64, DRAIN_LIMIT);
    worker.stop();
    counted.stop();
    done?;
    trainyard.check_nothing_trained()?;
    api.stop();
    let drained = bench.servers.redis_memory()?;

    let each = (full - before) / jobs as f64;
    let remaining = (drained - before).max(0.0) / (full - before);
    section.add(TRAINYARD, "jobs queued", jobs as f64);
    section.add(TRAINYARD, "entries in Redis", entries as f64);
    section.add(TRAINYARD, "bytes before", before);
    section.add(TRAINYARD, "bytes when queued", full);
    section.add(TRAINYARD, "bytes when drained", drained);
    section.goals.push(Goal::at_most(format!("at most {MAX_BYTES} bytes per queued job"), each, MAX_BYTES));
    section.goals.push(Goal::at_most(
        format!("memory is released: at most {MAX_REMAINING} of the growth remains"),
        remaining,
        MAX_REMAINING,
    ));
    Ok(section)
}
