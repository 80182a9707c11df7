//! No-op jobs: how many one worker process takes from claim to success in a second, and whether a long queue slows it.

use std::time::Duration;

use anyhow::ensure;

use super::Bench;
use crate::report::{Goal, OURS, Section};
use crate::servers::settle;
use crate::trainyard::{ALLOW_NOOP, NOOP_JOB, Trainyard};

const LIMIT: Duration = Duration::from_secs(180);
const LEAST: f64 = 2000.0;
/// A rate counts as flat when the slowest length of the queue has this share of the fastest.
const FLAT: f64 = 0.8;

/// Trainyard with many jobs in hand at once, beside peers that have many too.
const OURS_MANY: &str = "Trainyard, 2,000 slots";
/// The slots of our contenders, as many as two workers of pg-boss take, and how many of one user's jobs the queue may hold:
/// enough for the slots.
const SLOTS: [(&str, &str, &str); 2] = [(OURS, "128", "1000"), (OURS_MANY, "2000", "8000")];

const PEERS: [Peer; 4] = [
    Peer { name: "pg-boss, 64 together", folder: "pgboss", batch: Some(64), beside: OURS },
    Peer { name: "pg-boss, 1,000 together", folder: "pgboss", batch: Some(1000), beside: OURS_MANY },
    Peer { name: "graphile-worker, one by one", folder: "graphile", batch: None, beside: OURS },
    Peer { name: "graphile-worker, 500 together", folder: "graphile", batch: Some(500), beside: OURS_MANY },
];

struct Peer {
    name: &'static str,
    folder: &'static str,
    /// Jobs that it locks, and ends, in one go.
    batch: Option<u32>,
    /// Which of our contenders has about as many jobs in hand.
    beside: &'static str,
}

/// Rows' names by the length of the queue.
const LENGTHS: [(u64, &str); 3] =
    [(1_000, "jobs/s, 1 k behind"), (100_000, "jobs/s, 100 k behind"), (1_000_000, "jobs/s, 1 M behind")];
/// The length that everybody is measured at.
const COMMON: usize = 1;

/// Measures all contenders, interleaved.
///
/// # Errors
/// When a contender does not start, or does not get its jobs done.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let jobs = bench.sized(40_000, 20_000);
    let mut section = Section { title: "No-op jobs", how: how(jobs), ..Section::default() };
    for round in 0..bench.rounds() {
        for (length, what) in LENGTHS {
            // A million jobs take a minute to put there: twice at most, and not when it should be quick.
            let too_long = length >= 1_000_000 && (bench.quick || round >= 2);
            if bench.wants(OURS) && !too_long {
                section.add(OURS, what, ours(bench, SLOTS[0], jobs, length)?);
            }
        }
        let (length, what) = LENGTHS[COMMON];
        if bench.wants(OURS_MANY) {
            section.add(OURS_MANY, what, ours(bench, SLOTS[1], jobs, length)?);
        }
        for peer in PEERS.iter().filter(|peer| bench.wants(peer.name)) {
            section.add(peer.name, what, theirs(bench, peer, jobs, length)?);
        }
    }
    section.goals = goals(&section);
    Ok(section)
}

fn how(jobs: u64) -> String {
    format!(
        "Jobs that do nothing, stored while no worker runs; then one worker process starts. Measured is how fast the first \
         {jobs} go from claimed to succeeded, the first tenth left out, with as many more behind them in the queue as the \
         row says. Trainyard: one `worker` process on Postgres and Redis with 128 slots, or 2,000 beside the peers that take \
         hundreds in hand at once, and a window of 1,000 or 8,000 jobs of the one user in the queue; each job is claimed \
         and ended under its own fencing token. pg-boss: two local workers that each fetch, \
         handle and complete so many jobs together, the next ones as long as the last batch was full. \
         graphile-worker: 24 concurrent jobs and 25 connections as on its performance page, one by one (its default) and \
         with that page's batching (500 jobs locked at a time, completions written together: a worker that dies leaves \
         those locked for hours). Each worker process counts what it has done; Trainyard's \
         count is checked against the database."
    )
}

fn goals(section: &Section) -> Vec<Goal> {
    let measured: Vec<_> = LENGTHS.iter().filter_map(|(_, what)| section.median(OURS, what)).collect();
    let mut goals = Vec::new();
    if let Some(slowest) = measured.iter().copied().reduce(f64::min) {
        let fastest = measured.iter().copied().fold(0.0, f64::max);
        goals.push(Goal::at_least(format!("at least {LEAST}/s at every length"), slowest, LEAST));
        let flat = format!("flat: the slowest of {} lengths at least {FLAT} of the fastest", measured.len());
        goals.push(Goal::at_least(flat, slowest / fastest, FLAT));
    }
    let what = LENGTHS[COMMON].1;
    for peer in &PEERS {
        let ratio = section.ratio(peer.beside, peer.name, what);
        goals.extend(ratio.map(|ratio| Goal::at_least(format!("{} ahead of {}", peer.beside, peer.name), ratio, 1.0)));
    }
    goals
}

fn ours(bench: &Bench, (_, slots, window): (&str, &str, &str), jobs: u64, behind: u64) -> anyhow::Result<f64> {
    let settings =
        [ALLOW_NOOP, ("TRAINYARD__WORKER__CONCURRENCY", slots), ("TRAINYARD__SWEEP__DISPATCH_WINDOW", window)];
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &settings)?;
    trainyard.fill(NOOP_JOB, jobs + behind, &[])?;
    let (worker, counted) = trainyard.start_counted()?;
    let rate = counted.progress().rate(jobs as f64, LIMIT);
    worker.stop();
    let (told, stored) = (counted.stop(), trainyard.succeeded()?);
    ensure!(stored >= told, "the worker told of {told} jobs done, and the database has {stored}");
    rate
}

fn theirs(bench: &Bench, peer: &Peer, jobs: u64, behind: u64) -> anyhow::Result<f64> {
    let database = bench.servers.postgres.fresh_database();
    bench.peers.preload(peer.folder, &bench.servers, &database, jobs + behind)?;
    settle(&database)?;
    let worker = bench.peers.drain(peer.folder, &bench.servers, &database, peer.batch)?;
    let rate = worker.progress().rate(jobs as f64, LIMIT);
    worker.stop();
    rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_slows_down_is_not_flat() {
        let mut section = Section::default();
        for ((_, what), rate) in LENGTHS.iter().zip([4000.0, 3900.0, 2500.0]) {
            section.rows.push(crate::report::Row { contender: OURS.into(), what, rounds: vec![rate, rate] });
        }
        let verdicts: Vec<_> = goals(&section).iter().map(|goal| goal.met).collect();
        assert_eq!(verdicts, [true, false]);
    }
}
