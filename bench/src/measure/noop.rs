//! No-op jobs: throughput of one worker process from claim to success, for several queue lengths.

use std::time::Duration;

use anyhow::ensure;

use super::Bench;
use crate::report::{Goal, Section, TRAINYARD};
use crate::servers::vacuum;
use crate::trainyard::{NOOP_JOB, Trainyard};

const LIMIT: Duration = Duration::from_secs(180);
const MIN_RATE: f64 = 2000.0;
/// The throughput is independent of the queue length if the lowest rate is at least this share of the highest.
const MIN_FLATNESS: f64 = 0.8;

/// Trainyard with many concurrent jobs, for comparison with peers that also have many.
const TRAINYARD_MANY: &str = "Trainyard, 2,000 slots";
/// The worker slots of the Trainyard contenders, and the dispatch window, which must be larger than the slots.
const SLOTS: [(&str, &str, &str); 2] = [(TRAINYARD, "128", "1000"), (TRAINYARD_MANY, "2000", "8000")];

const PEERS: [Peer; 4] = [
    Peer { name: "pg-boss, 64 together", script: "pgboss/noop.js", batch: Some("64"), beside: TRAINYARD },
    Peer { name: "pg-boss, 1,000 together", script: "pgboss/noop.js", batch: Some("1000"), beside: TRAINYARD_MANY },
    Peer { name: "graphile-worker, one by one", script: "graphile/noop.js", batch: None, beside: TRAINYARD },
    Peer {
        name: "graphile-worker, 500 together",
        script: "graphile/noop.js",
        batch: Some("500"),
        beside: TRAINYARD_MANY,
    },
];

struct Peer {
    name: &'static str,
    script: &'static str,
    /// Number of jobs that are locked and completed together.
    batch: Option<&'static str>,
    /// The Trainyard contender with a similar number of concurrent jobs.
    beside: &'static str,
}

/// Row names by queue length.
const LENGTHS: [(u64, &str); 3] =
    [(1_000, "jobs/s, 1 k behind"), (100_000, "jobs/s, 100 k behind"), (1_000_000, "jobs/s, 1 M behind")];
/// The queue length at which all contenders are measured.
const COMMON: usize = 1;

/// Measures all contenders, interleaved.
///
/// # Errors
/// If a contender does not start or does not finish the jobs.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let jobs = bench.sized(40_000, 20_000);
    let mut section = Section { title: "No-op jobs: queue and database only", how: how(jobs), ..Section::default() };
    for round in 0..bench.rounds() {
        for (length, what) in LENGTHS {
            // Inserting a million jobs takes a minute, so it is done at most twice, and not with --quick.
            let too_long = length >= 1_000_000 && (bench.quick || round >= 2);
            if bench.selects(TRAINYARD) && !too_long {
                section.add(TRAINYARD, what, ours(bench, SLOTS[0], jobs, length)?);
            }
        }
        let (length, what) = LENGTHS[COMMON];
        if bench.selects(TRAINYARD_MANY) {
            section.add(TRAINYARD_MANY, what, ours(bench, SLOTS[1], jobs, length)?);
        }
        for peer in PEERS.iter().filter(|peer| bench.selects(peer.name)) {
            section.add(peer.name, what, theirs(bench, peer, jobs, length)?);
        }
    }
    section.goals = goals(&section);
    Ok(section)
}

fn how(jobs: u64) -> String {
    format!(
        "Path: claim and finish. The jobs train nothing: many of them are finished by one statement, and no training process \
        starts; the next section measures training jobs. The jobs are stored while no worker runs; then one worker process \
        starts. The rate is that of the first \
        {jobs} jobs from claim to success, without the first tenth, with the given number of further jobs in the queue. \
        Trainyard: one `worker` process on Postgres and Redis with 128 slots, or 2,000 for the comparison with peers that \
        process hundreds of jobs together, and a dispatch window of 1,000 or 8,000 jobs; each job is claimed and finished \
        with its own fencing token. pg-boss: two local workers that each fetch, handle and complete so many jobs together, \
        and fetch again at once if the last batch was full. graphile-worker: 24 concurrent jobs and 25 connections as on \
        its performance page, one by one (the default) and with that page's batching (500 jobs locked at a time, \
        completions written together: if a worker dies, its jobs stay locked for hours). Each worker process counts its \
        finished jobs; Trainyard's count is compared with the database."
    )
}

fn goals(section: &Section) -> Vec<Goal> {
    let measured: Vec<_> = LENGTHS.iter().filter_map(|(_, what)| section.median(TRAINYARD, what)).collect();
    let mut goals = Vec::new();
    if let Some(slowest) = measured.iter().copied().reduce(f64::min) {
        let fastest = measured.iter().copied().fold(0.0, f64::max);
        goals.push(Goal::at_least(format!("at least {MIN_RATE}/s at every length"), slowest, MIN_RATE));
        let flat = format!(
            "independent of the queue length: the lowest rate of {} lengths is at least {MIN_FLATNESS} of the highest",
            measured.len()
        );
        goals.push(Goal::at_least(flat, slowest / fastest, MIN_FLATNESS));
    }
    let what = LENGTHS[COMMON].1;
    for peer in &PEERS {
        let ratio = section.ratio(peer.beside, peer.name, what);
        goals.extend(
            ratio.map(|ratio| Goal::at_least(format!("{} faster than {}", peer.beside, peer.name), ratio, 1.0)),
        );
    }
    goals
}

fn ours(bench: &Bench, (_, slots, window): (&str, &str, &str), jobs: u64, behind: u64) -> anyhow::Result<f64> {
    let settings = [("TRAINYARD__WORKER__CONCURRENCY", slots), ("TRAINYARD__SWEEP__DISPATCH_WINDOW", window)];
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &settings)?;
    trainyard.fill(NOOP_JOB, jobs + behind, &[])?;
    let (worker, counted) = trainyard.start_counted()?;
    let rate = counted.progress().rate(jobs as f64, LIMIT);
    worker.stop();
    let (counted_jobs, stored) = (counted.stop(), trainyard.succeeded()?);
    trainyard.check_nothing_trained()?;
    ensure!(stored >= counted_jobs, "the worker counted {counted_jobs} jobs, but the database has {stored}");
    rate
}

fn theirs(bench: &Bench, peer: &Peer, jobs: u64, behind: u64) -> anyhow::Result<f64> {
    let database = bench.servers.postgres.fresh_database();
    let mut settings = vec![("DATABASE_URL", database.as_str())];
    settings.extend(peer.batch.map(|batch| ("BATCH", batch)));
    bench.peers.preload(peer.script, &bench.servers, &settings, jobs + behind)?;
    vacuum(&database)?;
    let worker = bench.peers.drain(peer.script, &bench.servers, &settings)?;
    let rate = worker.progress().rate(jobs as f64, LIMIT);
    worker.stop();
    rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_decreases_with_the_length_misses_the_goal() {
        let mut section = Section::default();
        for ((_, what), rate) in LENGTHS.iter().zip([4000.0, 3900.0, 2500.0]) {
            section.rows.push(crate::report::Row { contender: TRAINYARD.into(), what, rounds: vec![rate, rate] });
        }
        let verdicts: Vec<_> = goals(&section).iter().map(|goal| goal.met).collect();
        assert_eq!(verdicts, [true, false]);
    }
}
