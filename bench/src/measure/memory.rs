//! Redis' memory: how much a queued job takes there, and whether all of it comes back.

use std::time::{Duration, Instant};

use super::Bench;
use crate::load::pause;
use crate::report::{Goal, OURS, Section};
use crate::trainyard::{ALLOW_NOOP, NOOP_JOB, Trainyard};

const FILL_LIMIT: Duration = Duration::from_secs(90);
const DRAIN_LIMIT: Duration = Duration::from_secs(300);
const MOST: f64 = 200.0;
/// What may be left of the growth: the empty streams' groups, the script cache and the append-only file's buffer.
const LEFT: f64 = 0.05;
/// Sends everything to Redis, which by default holds a small window of each user's jobs.
const NO_WINDOW: [(&str, &str); 4] = [
    ALLOW_NOOP,
    ("TRAINYARD__SWEEP__DISPATCH_WINDOW", "10000000"),
    ("TRAINYARD__SWEEP__DISPATCH_BATCH", "10000000"),
    ("TRAINYARD__WORKER__CONCURRENCY", "64"),
];

/// Measures Trainyard alone.
///
/// # Errors
/// When it does not start, or does not get its jobs done.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let jobs = bench.sized(100_000, 20_000);
    let how = format!(
        "`used_memory` of Redis: before any process of ours has connected, with {jobs} queued no-op jobs (and an API \
         process connected), and after a worker process has done them all and both have gone. By default only a window \
         of each user's jobs is in Redis at all; here that window was lifted, so that every job has its entry."
    );
    let mut section = Section { title: "Redis memory", how, ..Section::default() };
    if !bench.wants(OURS) {
        return Ok(section);
    }
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &NO_WINDOW)?;
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
    api.stop();
    let drained = bench.servers.redis_memory()?;

    let each = (full - before) / jobs as f64;
    let left = (drained - before).max(0.0) / (full - before);
    section.add(OURS, "jobs queued", jobs as f64);
    section.add(OURS, "entries in Redis", entries as f64);
    section.add(OURS, "bytes before", before);
    section.add(OURS, "bytes when queued", full);
    section.add(OURS, "bytes when drained", drained);
    section.goals.push(Goal::at_most(format!("at most {MOST} bytes a queued job"), each, MOST));
    section.goals.push(Goal::at_most(format!("back to the start: at most {LEFT} of the growth left"), left, LEFT));
    Ok(section)
}
