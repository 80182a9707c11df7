//! Pick-up: how long a job waits for an idle worker.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::Bench;
use crate::http::{Connection, request};
use crate::load::pause;
use crate::report::{Goal, OURS, Section};
use crate::route_only;
use crate::servers::sql;
use crate::stats::percentile_ms;
use crate::trainyard::{ALLOW_NOOP, NOOP_JOB, Trainyard};

const BULLMQ: &str = "BullMQ";
const EVERY: Duration = Duration::from_millis(50);
/// The first jobs find cold caches and unprepared statements.
const WARM_UP: usize = 20;
const LIMIT: Duration = Duration::from_secs(60);
const HOW: &str = "One no-op job every 50 ms to one idle worker process with one slot, submitted over HTTP. Trainyard: from \
     `created_at` to `started_at`, both by the database's clock: counted from *before* the job's commit, to the claim. \
     BullMQ: from before `queue.add` in the API process to the start of the handler in the worker process, on the \
     machine's monotonic clock.";

/// Measures both contenders, interleaved.
///
/// # Errors
/// When a contender does not start, refuses, or leaves jobs lying.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section { title: "Pick-up when idle", how: HOW.to_owned(), ..Section::default() };
    for _ in 0..bench.rounds() {
        for (contender, run) in CONTENDERS.iter().filter(|(contender, _)| bench.wants(contender)) {
            let waits = run(bench)?;
            for (what, share) in [("p50, ms", 0.5), ("p99, ms", 0.99), ("max, ms", 1.0)] {
                section.add(contender, what, percentile_ms(&waits, share));
            }
        }
    }
    for (what, most) in [("p50, ms", 2.0), ("p99, ms", 5.0)] {
        let median = section.median(OURS, what);
        section.goals.extend(median.map(|ms| Goal::at_most(format!("{what}: at most {most}"), ms, most)));
    }
    Ok(section)
}

type Run = fn(&Bench) -> anyhow::Result<Vec<u32>>;
const CONTENDERS: [(&str, Run); 2] = [(OURS, ours), (BULLMQ, bullmq)];

/// Submits the jobs; the answer is how many.
fn submit(bench: &Bench, port: u16, token: &str) -> anyhow::Result<usize> {
    let jobs = WARM_UP + bench.sized(400, 150);
    let mut connection = Connection::open(port)?;
    let request = request("POST", "/training", token, NOOP_JOB);
    for _ in 0..jobs {
        let due = Instant::now() + EVERY;
        let (status, body) = connection.call(&request)?;
        ensure!(status == 202, "POST /training answered {status} with {}", String::from_utf8_lossy(body));
        pause(due.saturating_duration_since(Instant::now()));
    }
    Ok(jobs)
}

fn sorted_waits(lines: &str) -> Vec<u32> {
    let mut waits: Vec<u32> = lines.lines().filter_map(|line| line.trim().parse().ok()).skip(WARM_UP).collect();
    waits.sort_unstable();
    waits
}

fn ours(bench: &Bench) -> anyhow::Result<Vec<u32>> {
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &[ALLOW_NOOP])?;
    let (api, worker) = (trainyard.start("api")?, trainyard.start("worker")?);
    let jobs = submit(bench, api.port, &trainyard.token(&api)?)?;
    let waits = "SELECT round(extract(epoch FROM started_at - created_at) * 1000000)::bigint FROM jobs
        WHERE status = 'succeeded' ORDER BY id";
    let waits = all_of(jobs, || sql(&trainyard.database, waits))?;
    worker.stop();
    api.stop();
    Ok(sorted_waits(&waits))
}

fn bullmq(bench: &Bench) -> anyhow::Result<Vec<u32>> {
    bench.servers.flush_redis()?;
    let api = bench.peers.bullmq(&bench.servers, true)?;
    let worker = bench.peers.bullmq_worker(&bench.servers)?;
    let jobs = submit(bench, api.port, &route_only::token()?)?;
    let waits = all_of(jobs, || worker.printed())?;
    worker.stop();
    api.stop();
    Ok(sorted_waits(&waits))
}

/// What `look` finds once it has a line for every job.
fn all_of(jobs: usize, look: impl Fn() -> anyhow::Result<String>) -> anyhow::Result<String> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let lines = look()?;
        if lines.lines().count() >= jobs {
            return Ok(lines);
        }
        ensure!(Instant::now() < deadline, "{} of {jobs} jobs done after {LIMIT:?}", lines.lines().count());
        pause(Duration::from_millis(500));
    }
}
