//! Pickup latency: how long a job waits for an idle worker.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::Bench;
use crate::http::{Connection, request};
use crate::load::pause;
use crate::report::{Goal, Section, TRAINYARD};
use crate::route_only;
use crate::servers::sql;
use crate::stats::percentile_ms;
use crate::trainyard::{NOOP_JOB, Trainyard};

const BULLMQ: &str = "BullMQ";
const INTERVAL: Duration = Duration::from_millis(50);
/// The first jobs have cold caches and unprepared statements.
const WARM_UP: usize = 20;
const LIMIT: Duration = Duration::from_secs(60);
const HOW: &str = "Path: submission, commit, queue, claim; the jobs train nothing. One no-op job every 50 ms for one idle worker process with one slot, submitted over HTTP. Trainyard, commit to \
claim: from the commit timestamp of the submission to the start of the claim, both on the clock of Postgres; to the \
handler: from `created_at`, before the job is stored and committed, to the moment after the commit of the claim at \
which the worker has the job. BullMQ, to the handler: from before `queue.add` in the API process to the start of the \
handler in the worker process, on the monotonic clock of the machine.";
/// The names of the measured intervals.
const TO_CLAIM: [&str; 3] = ["commit to claim, p50, ms", "commit to claim, p99, ms", "commit to claim, max, ms"];
const TO_HANDLER: [&str; 3] = ["to the handler, p50, ms", "to the handler, p99, ms", "to the handler, max, ms"];

/// Measures both contenders, interleaved.
///
/// # Errors
/// If a contender does not start, refuses a job, or does not finish a job.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section =
        Section { title: "Pick-up of a no-op job by an idle worker", how: HOW.to_owned(), ..Section::default() };
    for _ in 0..bench.rounds() {
        for (contender, run) in CONTENDERS.iter().filter(|(contender, _)| bench.selects(contender)) {
            for (names, waits) in run(bench)? {
                for (what, share) in names.into_iter().zip([0.5, 0.99, 1.0]) {
                    section.add(contender, what, percentile_ms(&waits, share));
                }
            }
        }
    }
    for (what, most) in TO_CLAIM.into_iter().zip([2.0, 5.0]) {
        let median = section.median(TRAINYARD, what);
        section.goals.extend(median.map(|ms| Goal::at_most(format!("{what}: at most {most}"), ms, most)));
    }
    Ok(section)
}

/// The sorted waits of a contender, with the names of their percentiles.
type Waits = Vec<([&'static str; 3], Vec<u32>)>;
type Run = fn(&Bench) -> anyhow::Result<Waits>;
const CONTENDERS: [(&str, Run); 2] = [(TRAINYARD, ours), (BULLMQ, bullmq)];

/// Submits the jobs and returns their number.
fn submit(bench: &Bench, port: u16, token: &str) -> anyhow::Result<usize> {
    let jobs = WARM_UP + bench.sized(400, 150);
    let mut connection = Connection::open(port)?;
    let request = request("POST", "/training", token, NOOP_JOB);
    for _ in 0..jobs {
        let due = Instant::now() + INTERVAL;
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

fn ours(bench: &Bench) -> anyhow::Result<Waits> {
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &[])?;
    let (api, worker) = (trainyard.start("api")?, trainyard.start("worker")?);
    let jobs = submit(bench, api.port, &trainyard.token(&api)?)?;
    // Only the submission writes `job_orders`; a run finishes after its claim is durable.
    let between = |from: &str, to: &str| {
        let waits = format!(
            "SELECT round(extract(epoch FROM {to} - {from}) * 1000000)::bigint FROM jobs JOIN job_orders USING (id)
            WHERE status = 'succeeded' ORDER BY id"
        );
        wait_for_all(jobs, || sql(&trainyard.database, &waits))
    };
    let to_claim = between("pg_xact_commit_timestamp(job_orders.xmin)", "started_at")?;
    let to_handler = between("jobs.created_at", "finished_at")?;
    trainyard.check_nothing_trained()?;
    worker.stop();
    api.stop();
    Ok(vec![(TO_CLAIM, sorted_waits(&to_claim)), (TO_HANDLER, sorted_waits(&to_handler))])
}

fn bullmq(bench: &Bench) -> anyhow::Result<Waits> {
    bench.servers.flush_redis()?;
    let api = bench.peers.bullmq(&bench.servers, true)?;
    let worker = bench.peers.bullmq_worker(&bench.servers)?;
    let jobs = submit(bench, api.port, &route_only::token()?)?;
    let waits = wait_for_all(jobs, || worker.printed())?;
    worker.stop();
    api.stop();
    Ok(vec![(TO_HANDLER, sorted_waits(&waits))])
}

/// Repeats `read` until it returns a line for every job.
fn wait_for_all(jobs: usize, read: impl Fn() -> anyhow::Result<String>) -> anyhow::Result<String> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let lines = read()?;
        if lines.lines().count() >= jobs {
            return Ok(lines);
        }
        ensure!(Instant::now() < deadline, "{} of {jobs} jobs done after {LIMIT:?}", lines.lines().count());
        pause(Duration::from_millis(500));
    }
}
